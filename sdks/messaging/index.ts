export { fromBase64Url, toBase64Url } from './base64url.js';
export {
  createMessagingClient,
  type DeviceCredentials,
  type MessagingClient,
  type MessagingClientOptions,
  type Registration,
} from './client.js';
export type { SdkClock } from './clock.js';
export { parseSmsRef } from './collapse.js';
export type { IncomingMessage, MessagingEvents, SmsReply, StatusChange } from './events.js';
export { type FallbackBinding, generateReplyKeyPair, HPKE_SUITE, openReply, type ReplyBinding, type Sealed, sealFallback } from './hpke.js';
export type { OlmStore } from './olm-device.js';
export type { FallbackWish, SendWish, Sent } from './outbox.js';
export { MessagingError } from './problem.js';
export type { RandomBytes } from './random.js';
export { createMemorySeenStore, type SeenStore } from './repeats.js';
export type { StreamSocket, StreamSocketConstructor, StreamState } from './stream.js';
export type * from './wire.js';
