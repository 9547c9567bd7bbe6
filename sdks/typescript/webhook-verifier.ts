import { createHmac, createPublicKey, timingSafeEqual, verify } from 'node:crypto';

/** A webhook whose signature, timestamp or headers are not right: answer 400 and do nothing with it. */
export class WebhookVerificationError extends Error {
  override readonly name = 'WebhookVerificationError';
}

export interface WebhookHeaders {
  'webhook-id'?: string | undefined;
  'webhook-timestamp'?: string | undefined;
  'webhook-signature'?: string | undefined;
}

/** Messages older or newer than this are refused: somebody may be replaying them. */
const TOLERANCE_SECONDS = 5 * 60;
const ED25519_SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * Verifies a webhook (Standard Webhooks 1.0) and gives back its parsed body.
 *
 * @param secrets what the event subscription's answer gave: `whsec_…` (scheme v1) or `whpk_…` (v1a); while you rotate,
 *   name the old and the new one.
 * @param rawBody the body's bytes exactly as they came. A body that was parsed and written again does not verify.
 * @throws WebhookVerificationError when no signature fits, or the timestamp is more than five minutes off.
 */
export function verifyWebhook(
  secrets: string | readonly string[],
  headers: WebhookHeaders,
  rawBody: string | Uint8Array,
  now: number = Date.now(),
): unknown {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  if (!id || !timestamp || !signatures) throw new WebhookVerificationError('a webhook header is missing');
  if (!/^[0-9]{1,12}$/.test(timestamp) || Math.abs(now / 1_000 - Number(timestamp)) > TOLERANCE_SECONDS) {
    throw new WebhookVerificationError('the timestamp is too far from now');
  }
  const body = Buffer.from(rawBody);
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
  const given = signatures.split(' ').map((signature) => signature.split(',', 2) as [string, string?]);
  const fits = [secrets].flat().some((secret) => given.some(([scheme, value]) => matches(secret, scheme, value ?? '', signed)));
  if (!fits) throw new WebhookVerificationError('no signature fits');
  return JSON.parse(body.toString('utf8'));
}

function matches(secret: string, scheme: string, value: string, signed: Buffer): boolean {
  const signature = Buffer.from(value, 'base64');
  if (scheme === 'v1' && secret.startsWith('whsec_')) {
    const expected = createHmac('sha256', Buffer.from(secret.slice(6), 'base64'))
      .update(signed)
      .digest();
    return expected.length === signature.length && timingSafeEqual(expected, signature);
  }
  if (scheme === 'v1a' && secret.startsWith('whpk_')) {
    const spki = Buffer.concat([ED25519_SPKI_PREFIX, Buffer.from(secret.slice(5), 'base64')]);
    return verify(null, signed, createPublicKey({ key: spki, format: 'der', type: 'spki' }), signature);
  }
  return false;
}
