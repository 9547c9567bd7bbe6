import type { GatewayError } from '../kernel/errors.js';
import type { Answer } from './route.js';

export const NO_STORE = { 'Cache-Control': 'no-store', Pragma: 'no-cache' };

/** The codes of RFC 6749 §5.2, and those for what lies outside it (§4.1.2.1 names them for redirects). */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_scope'
  | 'temporarily_unavailable'
  | 'server_error';

export function oauthError(status: number, error: OAuthErrorCode, description: string, headers: Record<string, string> = {}): Answer {
  // RFC 6749 §5.2: no quote, no backslash, ASCII only.
  const safe = description.replace(/[^ !#-[\]-~]/g, "'").slice(0, 512);
  return { status, headers: { ...NO_STORE, ...headers }, body: { error, error_description: safe } };
}

/** A refusal of the edge, in the token endpoint's form. */
export function oauthErrorOf(failure: GatewayError): Required<Answer> {
  const code: OAuthErrorCode =
    failure.status >= 500 && failure.status !== 503
      ? 'server_error'
      : failure.status === 429 || failure.status === 503
        ? 'temporarily_unavailable'
        : 'invalid_request';
  const { body, headers = {}, status } = oauthError(failure.status, code, failure.detail, failure.headers);
  return { status, headers, body };
}
