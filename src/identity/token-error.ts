/** A refusal of the token endpoint, in the words of RFC 6749 §5.2. */
export class TokenError extends Error {
  override readonly name = 'TokenError';

  constructor(
    readonly error: 'invalid_request' | 'invalid_client' | 'unauthorized_client' | 'unsupported_grant_type' | 'invalid_scope',
    /** For a developer to read; holds no secret. */
    readonly description: string,
  ) {
    super(`${error}: ${description}`);
  }

  /** 401 when the client is not who it says, else 400. */
  get status(): 400 | 401 {
    return this.error === 'invalid_client' ? 401 : 400;
  }
}
