import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';

/** RFC 9180 base mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM. */
export const HPKE_SUITE = 'hpke-1';

export const createHpkeSuite = () => new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });

export const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
export const base64Url = (bytes: ArrayBuffer): string => Buffer.from(bytes).toString('base64url');

/** An ArrayBuffer of its own, since Buffers share theirs. */
export const bytesOf = (base64url: string): ArrayBuffer => new Uint8Array(Buffer.from(base64url, 'base64url')).buffer;

export const FALLBACK_INFO = utf8('causeway/sms-fallback/v1');
export const REPLY_INFO = utf8('causeway/sms-reply/v1');

/** What a sealed text is bound to: one that is moved to another message, device, number or expiry does not open. */
export interface FallbackBinding {
  clientMsgId: string;
  senderDeviceId: string;
  /** The recipient's, E.164 with `+`. */
  msisdn: string;
  /** RFC 3339 with milliseconds and `Z`, exactly as the sender wrote it. */
  expiresAt: string;
}

export interface ReplyBinding {
  deviceId: string;
  /** clientMsgId of the message that was answered. */
  inReplyTo: string;
  /** RFC 3339 with milliseconds and `Z`. */
  receivedAt: string;
}

export const fallbackAad = (b: FallbackBinding) =>
  utf8(JSON.stringify(['causeway.sms-fallback.v1', b.clientMsgId, b.senderDeviceId, b.msisdn, b.expiresAt]));

export const replyAad = (b: ReplyBinding) => utf8(JSON.stringify(['causeway.sms-reply.v1', b.deviceId, b.inReplyTo, b.receivedAt]));
