import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { Clock } from '../kernel/clock.js';
import type { KeyWrap } from '../kernel/key-wrap.js';
import type { ControlReader, ControlTransaction } from '../store/index.js';

/** A public key as the JWKS shows it (RFC 8037). */
export interface WebhookJwk {
  kty: 'OKP';
  crv: 'Ed25519';
  use: 'sig';
  alg: 'EdDSA';
  /** The RFC 7638 thumbprint. */
  kid: string;
  x: string;
}

export const keyPurpose = (keyId: string): string => `webhook-key:${keyId}`;

/** Each partner has a key of its own: what was signed for one never verifies at another. */
export async function keyOfPartner(
  tx: ControlTransaction,
  partnerId: string,
  { keyWrap, clock }: { keyWrap: KeyWrap; clock: Clock },
): Promise<{ id: string; publicKey: string }> {
  const existing = await tx.webhookKey.findUnique({ where: { partnerId } });
  if (existing) return existing;
  const pair = generateKeyPairSync('ed25519');
  const publicKey = String(createPublicKey(pair.privateKey).export({ format: 'jwk' }).x);
  const id = createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${publicKey}"}`).digest('base64url');
  const privateKey = keyWrap.wrap(pair.privateKey.export({ format: 'der', type: 'pkcs8' }), keyPurpose(id));
  return await tx.webhookKey.create({ data: { id, partnerId, publicKey, privateKey, createdAt: new Date(clock.now()) } });
}

/** The public keys of scheme v1a, for the JWKS. */
export async function webhookKeys(read: ControlReader): Promise<WebhookJwk[]> {
  const rows = await read.webhookKey.findMany({ orderBy: { createdAt: 'asc' }, select: { id: true, publicKey: true } });
  return rows.map(({ id, publicKey }) => ({ kty: 'OKP', crv: 'Ed25519', use: 'sig', alg: 'EdDSA', kid: id, x: publicKey }));
}
