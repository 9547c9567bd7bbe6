import { type Identity, type OAuthClient, TokenError } from '../../identity/index.js';
import { GatewayError } from '../../kernel/errors.js';
import { mediaTypeOf } from '../body.js';
import { NO_STORE, oauthError } from '../oauth-error.js';
import { policyOf, type RateLimiter, type RateLimits } from '../rate-limit.js';
import type { Answer, PublicRoutes, RawRequest } from '../route.js';

const PARAMETERS_MAX = 50;

export interface IdentityRoutesOptions {
  identity: Pick<Identity, 'authenticate' | 'grant' | 'jwks' | 'metadata'>;
  rateLimiter: RateLimiter;
  rateLimitsOf(partnerId: string): RateLimits;
}

/** The token endpoint, and the two documents that let a stock client find it and check its tokens. */
export function createIdentityRoutes({ identity, rateLimiter, rateLimitsOf }: IdentityRoutesOptions): PublicRoutes {
  const cached = { 'Cache-Control': 'public, max-age=300' };

  async function token(request: RawRequest): Promise<Answer> {
    const media = mediaTypeOf(request.header('content-type'));
    if (media?.type !== 'application/x-www-form-urlencoded') {
      return oauthError(415, 'invalid_request', 'The body must be application/x-www-form-urlencoded.');
    }
    const form = parseForm((await request.readBody()).toString('utf8'));
    const grantType = form.get('grant_type');
    if (grantType === undefined) throw new TokenError('invalid_request', 'grant_type is missing.');
    if (grantType !== 'client_credentials') throw new TokenError('unsupported_grant_type', 'grant_type must be client_credentials.');
    const client = await identity.authenticate({ form, authorization: request.header('authorization') });
    await take(client);
    return { status: 200, headers: NO_STORE, body: identity.grant(client, form.get('scope')) };
  }

  /** Counted once the client is proven: a stranger cannot use a partner's quota up. */
  async function take({ partnerId }: OAuthClient): Promise<void> {
    await rateLimiter.take('token', partnerId, policyOf('token', rateLimitsOf(partnerId)));
  }

  return {
    createToken: {
      oauth: true,
      async handle(request: RawRequest) {
        try {
          return await token(request);
        } catch (failure) {
          if (!(failure instanceof TokenError)) throw failure;
          const challenge = failure.status === 401 ? { 'WWW-Authenticate': 'Basic realm="causeway", charset="UTF-8"' } : {};
          return oauthError(failure.status, failure.error, failure.description, challenge);
        }
      },
    },
    getJwks: { handle: async () => ({ status: 200, headers: cached, body: identity.jwks() }) },
    getAuthorizationServerMetadata: { handle: async () => ({ status: 200, headers: cached, body: identity.metadata() }) },
  };
}

/** RFC 6749 §3.2: a parameter without a value is as if it were not there, and none may come twice. */
function parseForm(text: string): Map<string, string> {
  const form = new Map<string, string>();
  let count = 0;
  for (const [name, value] of new URLSearchParams(text)) {
    if (++count > PARAMETERS_MAX) throw new GatewayError('INVALID_ARGUMENT', { detail: 'The form has too many parameters.' });
    if (form.has(name)) throw new TokenError('invalid_request', 'A parameter comes twice.');
    if (value !== '') form.set(name, value);
  }
  return form;
}
