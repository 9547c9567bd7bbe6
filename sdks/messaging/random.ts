import { toBase64Url } from './base64url.js';

/** Returns `length` bytes nobody can guess. Tests pass a predictable one; the ciphers never use it. */
export type RandomBytes = (length: number) => Uint8Array;

export const systemRandom: RandomBytes = (length) => crypto.getRandomValues(new Uint8Array(length));

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** 128 bits as 22 characters of base64url: fits `^[A-Za-z0-9_-]{1,64}$`. */
export const newClientMsgId = (random: RandomBytes): string => toBase64Url(random(16));

/** Four Crockford characters (20 bits), written at the end of a fallback SMS and inside the envelope. */
export const newRef = (random: RandomBytes): string => Array.from(random(4), (byte) => CROCKFORD.charAt(byte & 31)).join('');

/** 1 to 16383. A device draws one when it registers, so that a sender notices when it was registered anew. */
export function newRegistrationId(random: RandomBytes): number {
  const [high = 0, low = 0] = random(2);
  return (((high << 8) | low) % 16_383) + 1;
}
