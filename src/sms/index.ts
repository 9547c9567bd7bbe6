/** The SMS bridge: fallbacks of app messages, the queue to the operators' SMSCs, receipts, and answers back into the chat. */
export { createSms, type ShownSms, type SmsBridge, type SmsOptions, type SmsScope } from './create-sms.js';
export type { EsmeView } from './esme/show-account.js';
export type { DeliveryHealth } from './fallbacks/breaker.js';
export { createFallbackPolicy } from './fallbacks/policy.js';
export type { Pause } from './links/pauses.js';
export type { LinkView } from './links/show-link.js';
export type { SmsClass, SmsState, WaitsFor } from './message.js';
export { type BridgeKey, bridgeKeysOf, type Opener, type OpenerOptions, openOpener, rewrapOpenerRing } from './opener/index.js';
export type { NewOctetSms, NewSms, NewTextSms, OnceKey, QueueResult, SmsQueue } from './outbound/queue.js';
export type { SmsEngine, SmsPartners, SmsSubscriptions, SystemEnvelope } from './ports.js';
export { rewrapSms } from './rewrap.js';
