import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { fromBase64Url, toBase64Url } from './base64url.js';

/** RFC 9180 base mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM. */
export const HPKE_SUITE = 'hpke-1';

const utf8 = (text: string) => new TextEncoder().encode(text);

export const createHpkeSuite = () => new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });

export interface FallbackBinding {
  clientMsgId: string;
  senderDeviceId: string;
  /** E.164 with `+`, exactly as the recipient is registered. */
  recipientMsisdn: string;
  /** RFC 3339 in UTC with milliseconds; the bridge refuses to open the text after it. */
  expiresAt: string;
}

export interface ReplyBinding {
  /** The device that the reply is for. */
  deviceId: string;
  /** clientMsgId of the message that the subscriber answered. */
  inReplyTo: string;
  receivedAt: string;
}

export interface Sealed {
  enc: string;
  ciphertext: string;
}

export const fallbackInfo = () => utf8('causeway/sms-fallback/v1');
export const replyInfo = () => utf8('causeway/sms-reply/v1');

/** Associated data of a fallback text: a text sealed for one number, message, device or expiry opens for no other. */
export const fallbackAad = (b: FallbackBinding) =>
  utf8(JSON.stringify(['causeway.sms-fallback.v1', b.clientMsgId, b.senderDeviceId, b.recipientMsisdn, b.expiresAt]));

export const replyAad = (b: ReplyBinding) => utf8(JSON.stringify(['causeway.sms-reply.v1', b.deviceId, b.inReplyTo, b.receivedAt]));

/**
 * Seals the SMS text to the bridge's key. From here on the text is outside the chat's end-to-end encryption:
 * the bridge can open it until `expiresAt`, and does so only if the fallback fires.
 *
 * @throws RangeError when `expiresAt` is not RFC 3339 with milliseconds and `Z`, or the key is not base64url.
 */
export async function sealFallback(given: { publicKey: string; text: string } & FallbackBinding): Promise<Sealed> {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(given.expiresAt))
    throw new RangeError('expiresAt must be RFC 3339 in UTC with milliseconds');
  const suite = createHpkeSuite();
  const recipientPublicKey = await suite.kem.deserializePublicKey(fromBase64Url(given.publicKey).buffer);
  const { enc, ct } = await suite.seal({ recipientPublicKey, info: fallbackInfo() }, utf8(given.text), fallbackAad(given));
  return { enc: toBase64Url(new Uint8Array(enc)), ciphertext: toBase64Url(new Uint8Array(ct)) };
}

/** A device's key pair for replies that came by SMS. The private key stays on the device. */
export async function generateReplyKeyPair(): Promise<{ publicKey: string; privateKey: string }> {
  const { kem } = createHpkeSuite();
  const pair = await kem.generateKeyPair();
  return {
    publicKey: toBase64Url(new Uint8Array(await kem.serializePublicKey(pair.publicKey))),
    privateKey: toBase64Url(new Uint8Array(await kem.serializePrivateKey(pair.privateKey))),
  };
}

/**
 * Opens a reply that the bridge sealed to this device.
 *
 * @returns the SMS text and the number it came from.
 * @throws when it was sealed to another key, device, message or time, or has been changed.
 */
export async function openReply(given: { privateKey: string } & Sealed & ReplyBinding): Promise<{ text: string; from: string }> {
  const suite = createHpkeSuite();
  const recipientKey = await suite.kem.deserializePrivateKey(fromBase64Url(given.privateKey).buffer);
  const enc = fromBase64Url(given.enc);
  const plain = await suite.open({ recipientKey, enc, info: replyInfo() }, fromBase64Url(given.ciphertext), replyAad(given));
  const { text, from } = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plain)) as { text?: unknown; from?: unknown };
  if (typeof text !== 'string' || typeof from !== 'string') throw new TypeError('the reply has no text or no sender');
  return { text, from };
}
