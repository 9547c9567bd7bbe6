/** How a partner's program proves itself at the token endpoint. */
export interface ClientCredentials {
  clientId: string;
  /** The sandbox's way: HTTP Basic. */
  clientSecret?: string;
  /** Production's way: makes a fresh `private_key_jwt` assertion (RFC 7523) for the token endpoint. */
  assertion?: (tokenEndpoint: string) => string | Promise<string>;
  /** Space-separated; all that the client has when absent. */
  scope?: string;
}

export interface TokenCacheOptions extends ClientCredentials {
  /** `http://127.0.0.1:8080`, without a trailing slash. */
  serverUrl: string;
  fetch?: typeof fetch;
  /** Milliseconds since 1970; the system's unless a test gives another. */
  now?: () => number;
}

/** The token endpoint said no (RFC 6749 §5.2). */
export class TokenRequestError extends Error {
  override readonly name = 'TokenRequestError';
  constructor(
    readonly status: number,
    readonly error: string,
    description: string | undefined,
  ) {
    super(description === undefined ? error : `${error}: ${description}`);
  }
}

/** A token is renewed this long before it expires, so that none expires on its way. */
const RENEW_MS = 30_000;

/**
 * Gives a valid access token, asking for a new one only when the last is about to expire. Callers that ask at the same
 * time share one request; a request that fails is forgotten, so that the next caller tries again.
 */
export function createTokenCache(options: TokenCacheOptions): () => Promise<string> {
  const now = options.now ?? Date.now;
  let current: { token: string; until: number } | undefined;
  let asking: Promise<string> | undefined;

  async function ask(): Promise<string> {
    const endpoint = `${options.serverUrl}/oauth2/token`;
    const form = new URLSearchParams({ grant_type: 'client_credentials', ...(options.scope !== undefined && { scope: options.scope }) });
    const headers: Record<string, string> = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
    if (options.assertion) {
      form.set('client_id', options.clientId);
      form.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
      form.set('client_assertion', await options.assertion(endpoint));
    } else {
      const pair = `${encodeURIComponent(options.clientId)}:${encodeURIComponent(options.clientSecret ?? '')}`;
      headers['authorization'] = `Basic ${btoa(pair)}`;
    }
    const response = await (options.fetch ?? fetch)(endpoint, { method: 'POST', headers, body: form });
    const body = (await response.json()) as { access_token?: string; expires_in?: number; error?: string; error_description?: string };
    if (!response.ok || body.access_token === undefined) {
      throw new TokenRequestError(response.status, body.error ?? 'invalid_response', body.error_description);
    }
    current = { token: body.access_token, until: now() + (body.expires_in ?? 0) * 1_000 - RENEW_MS };
    return body.access_token;
  }

  return () => {
    if (current && now() < current.until) return Promise.resolve(current.token);
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  };
}
