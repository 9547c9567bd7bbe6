import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { Clock } from '../kernel/clock.js';
import type { Store } from '../store/index.js';
import type { OAuthClient } from './clients.js';
import type { PublicJwk } from './key-set.js';
import { TokenError } from './token-error.js';

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
export const ASSERTION_ALGORITHMS = ['ES256', 'PS256', 'RS256'] as const;
type Algorithm = (typeof ASSERTION_ALGORITHMS)[number];

const LIFETIME_SECONDS_MAX = 300;
/** What the clocks of two companies may differ by. */
const SKEW_SECONDS = 10;
const RSA_BITS_MIN = 2048;
const JTI_LENGTH_MAX = 255;

const invalid = (description: string): TokenError => new TokenError('invalid_client', description);

/** The client that an assertion speaks for, before anything of it is believed. */
export function subjectOf(assertion: string): string | undefined {
  const decoded = decode(assertion);
  return typeof decoded?.payload.sub === 'string' ? decoded.payload.sub : undefined;
}

/** The key that an assertion says it was signed with. */
export const kidOf = (assertion: string): string | undefined => decode(assertion)?.header.kid;

function decode(assertion: string): { header: jwt.JwtHeader; payload: jwt.JwtPayload } | undefined {
  try {
    const decoded = jwt.decode(assertion, { complete: true });
    return decoded && typeof decoded.payload === 'object' ? { header: decoded.header, payload: decoded.payload } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Proves a client by its assertion (RFC 7523 §3) and uses its `jti` up.
 *
 * @param audiences what `aud` may be: the issuer, which stock clients send, or the token endpoint.
 * @throws TokenError `invalid_client`
 */
export async function verifyAssertion(
  {
    assertion,
    client,
    keys,
    audiences,
  }: { assertion: string; client: OAuthClient; keys: readonly PublicJwk[]; audiences: [string, ...string[]] },
  { store, clock }: { store: Store['control']; clock: Clock },
): Promise<void> {
  const decoded = decode(assertion);
  if (!decoded) throw invalid('The assertion is not a JWT.');
  const algorithm = ASSERTION_ALGORITHMS.find((known) => known === decoded.header.alg);
  if (!algorithm) throw invalid(`The assertion must be signed with ${ASSERTION_ALGORITHMS.join(', ')}.`);
  const now = Math.floor(clock.now() / 1_000);
  const claims = signedClaims(assertion, { client, keys, audiences, algorithm, kid: decoded.header.kid, now });
  const { exp, iat, jti } = claims;
  if (typeof exp !== 'number' || typeof iat !== 'number') throw invalid('The assertion needs exp and iat.');
  if (exp - iat > LIFETIME_SECONDS_MAX || exp > now + LIFETIME_SECONDS_MAX + SKEW_SECONDS) {
    throw invalid(`The assertion lives longer than ${LIFETIME_SECONDS_MAX} s.`);
  }
  if (iat > now + SKEW_SECONDS) throw invalid('The assertion was made in the future: look at your clock.');
  if (typeof jti !== 'string' || jti.length === 0 || jti.length > JTI_LENGTH_MAX) throw invalid('The assertion needs a jti.');
  const jtiHash = createHash('sha256').update(jti).digest('base64url');
  // Kept for the skew beyond exp, since that long it would be taken again.
  const expiresAt = new Date((exp + SKEW_SECONDS + 1) * 1_000);
  const first = await store
    .transact(async (tx) => {
      const used = await tx.usedAssertion.findUnique({ where: { clientId_jtiHash: { clientId: client.id, jtiHash } } });
      if (used) return false;
      await tx.usedAssertion.create({ data: { clientId: client.id, jtiHash, expiresAt } });
      return true;
    })
    .catch((failure: unknown) => {
      if (failure instanceof Error && Reflect.get(failure, 'code') === 'P2002') return false;
      throw failure;
    });
  if (!first) throw invalid('The assertion was used before: each needs a jti of its own.');
}

interface Expected {
  client: OAuthClient;
  keys: readonly PublicJwk[];
  audiences: [string, ...string[]];
  algorithm: Algorithm;
  kid: string | undefined;
  now: number;
}

function signedClaims(assertion: string, { client, keys, audiences, algorithm, kid, now }: Expected): jwt.JwtPayload {
  const fitting = keysFor(keys, algorithm, kid);
  if (fitting.length === 0)
    throw invalid(`No registered key fits the assertion (${algorithm}${kid === undefined ? '' : ', with its kid'}).`);
  let reason = 'The signature does not fit any registered key.';
  for (const key of fitting) {
    try {
      const claims = jwt.verify(assertion, key, {
        algorithms: [algorithm],
        audience: audiences,
        issuer: client.id,
        subject: client.id,
        clockTimestamp: now,
        clockTolerance: SKEW_SECONDS,
      });
      if (typeof claims === 'object') return claims;
    } catch (failure) {
      if (failure instanceof jwt.TokenExpiredError) reason = 'The assertion has expired.';
      else if (failure instanceof jwt.NotBeforeError) reason = 'The assertion is not valid yet.';
      else if (failure instanceof jwt.JsonWebTokenError && /audience/.test(failure.message))
        reason = 'aud must be the issuer or the token endpoint.';
      else if (failure instanceof jwt.JsonWebTokenError && /issuer|subject/.test(failure.message))
        reason = 'iss and sub must be the client id.';
    }
  }
  throw invalid(reason);
}

/** The client's keys that can have made such a signature; the algorithm must be of the key's own kind. */
function keysFor(keys: readonly PublicJwk[], algorithm: Algorithm, kid: string | undefined): KeyObject[] {
  return keys
    .filter((jwk) => kid === undefined || jwk.kid === undefined || jwk.kid === kid)
    .filter((jwk) => jwk.alg === undefined || jwk.alg === algorithm)
    .filter((jwk) => (algorithm === 'ES256' ? jwk.kty === 'EC' && jwk.crv === 'P-256' : jwk.kty === 'RSA'))
    .flatMap((jwk) => {
      try {
        const key = createPublicKey({ key: jwk, format: 'jwk' });
        const bits = key.asymmetricKeyDetails?.modulusLength;
        return bits !== undefined && bits < RSA_BITS_MIN ? [] : [key];
      } catch {
        return [];
      }
    });
}
