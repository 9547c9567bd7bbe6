/** The messaging API's bodies as they travel (base path `/messaging/v1`). Bytes are base64url without padding. */

export interface BridgeKey {
  keyId: string;
  suite: string;
  publicKey: string;
  notBefore: string;
  notAfter: string;
}

export interface KeyUpload {
  identity?: { suite: string; body: string };
  oneTimeKeys?: { id: string; body: string }[];
  fallbackKeys?: { id: string; body: string }[];
  replyKey?: { suite: string; publicKey: string };
}

export interface QueriedDevice {
  deviceId: string;
  registrationId: number;
  identity?: { suite: string; body: string };
}

export interface ClaimedKey {
  accountId: string;
  deviceId: string;
  id: string;
  body: string;
  fallback: boolean;
}

export interface DeviceBody {
  deviceId: string;
  registrationId: number;
  suite: string;
  body: string;
}

export type FallbackClass = 'otp' | 'urgent' | 'chat';

export interface FallbackRequest {
  mode: 'notice' | 'sealed';
  class: FallbackClass;
  afterSeconds?: number;
  senderName?: string;
  sealed?: { keyId: string; enc: string; ciphertext: string; expiresAt: string };
}

export interface SendRequest {
  clientMsgId: string;
  ref?: string;
  ttlSeconds?: number;
  urgent?: boolean;
  devices: DeviceBody[];
  fallback?: FallbackRequest;
}

export interface SendAnswer {
  messageId: string;
  storedAt: string;
  replayed: boolean;
  fallback?: { id: string; state: string; dueAt: string };
}

export type MessageStatus =
  | 'delivered'
  | 'fallback-claimed'
  | 'sent-by-sms'
  | 'delivered-by-sms'
  | 'undelivered-by-sms'
  | 'may-have-arrived'
  | 'fallback-cancelled';

export interface Envelope {
  envelopeId: string;
  seq: number;
  kind: 'message' | 'status' | 'sms-reply';
  from?: { accountId: string; deviceId: string };
  clientMsgId?: string;
  ref?: string;
  suite: string;
  body: string;
  sentAt: string;
}

/** One call to the messaging API; `path` is without the base. Both the REST client and the stream offer it. */
export type Call = <T>(verb: string, path: string, body?: unknown) => Promise<T>;
