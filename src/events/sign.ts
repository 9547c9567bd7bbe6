import { createHmac, createPrivateKey, sign } from 'node:crypto';

/** What is signed: Standard Webhooks 1.0, `id.timestamp.body`, over the body's very bytes. */
export interface SignedParts {
  id: string;
  /** Unix seconds of the attempt. */
  timestamp: number;
  body: string;
}

const signedBytes = ({ id, timestamp, body }: SignedParts): Buffer => Buffer.from(`${id}.${timestamp}.${body}`);

/** @param secret `whsec_` and the base64 of 24 to 64 bytes. */
export function signV1(secret: string, parts: SignedParts): string {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  return `v1,${createHmac('sha256', key).update(signedBytes(parts)).digest('base64')}`;
}

/** @param privateKey an ed25519 key as PKCS #8 DER. */
export function signV1a(privateKey: Uint8Array, parts: SignedParts): string {
  const key = createPrivateKey({ key: Buffer.from(privateKey), format: 'der', type: 'pkcs8' });
  return `v1a,${sign(null, signedBytes(parts), key).toString('base64')}`;
}
