import type { Request } from 'express';
import { GatewayError } from '../kernel/errors.js';
import type { Operation } from './contract.js';
import type { Caller, DeviceCaller } from './route.js';

/** What the edge asks of identity: who a token is. Both throw GatewayError `UNAUTHENTICATED` for a token that is not valid. */
export interface Authenticator {
  callerOf(token: string): Promise<Caller>;
  deviceTokens: { verify(token: string): Promise<DeviceCaller> };
}

const REALM = 'Bearer realm="causeway"';

/** RFC 6750 §3: without a token, no error code. */
export const unauthenticated = (detail: string, presented: boolean): GatewayError =>
  new GatewayError('UNAUTHENTICATED', {
    detail,
    hint: presented ? 'Get a new token from /oauth2/token.' : 'Send a token: Authorization: Bearer <token>.',
    headers: { 'WWW-Authenticate': presented ? `${REALM}, error="invalid_token"` : REALM },
  });

/** The token of the Authorization header. @throws GatewayError `UNAUTHENTICATED` when there is none. */
export function bearerOf(request: Request): string {
  const header = request.headers.authorization;
  if (header === undefined) throw unauthenticated('A bearer token is needed.', false);
  const token = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(header)?.[1];
  if (token === undefined) throw unauthenticated('The Authorization header holds no bearer token.', false);
  return token;
}

/** Runs a check of a token, giving a refusal the header that every 401 carries. */
export async function withChallenge<T>(check: Promise<T>): Promise<T> {
  try {
    return await check;
  } catch (failure) {
    if (failure instanceof GatewayError && failure.code === 'UNAUTHENTICATED') throw unauthenticated(failure.detail, true);
    throw failure;
  }
}

/** @throws GatewayError `PERMISSION_DENIED`, naming the scope that is missing. */
export function checkScopes(caller: Caller, operation: Operation): void {
  const missing = operation.scopes.filter((scope) => !caller.scopes.has(scope));
  if (missing.length === 0) return;
  const named = missing.join(' ');
  throw new GatewayError('PERMISSION_DENIED', {
    detail: `The token lacks the scope ${named}.`,
    hint: `Ask for a token with the scope ${named}; the client's scopes are in partner.yaml.`,
    headers: { 'WWW-Authenticate': `${REALM}, error="insufficient_scope", scope="${named}"` },
  });
}
