export type { Account, Accounts, NewDevice, Registration } from './accounts/accounts.js';
export type { Devices, ReplyKey } from './accounts/devices.js';
export type { Line, Lines } from './accounts/lines.js';
export type { BridgeKeyBody, MessagingCalls } from './calls.js';
export { createEngine, type Engine, type EngineOptions } from './engine.js';
export type { Envelope, EnvelopeKind } from './envelopes/envelope.js';
export type { SentMessage } from './envelopes/messages.js';
export type { SystemNotices } from './envelopes/notices.js';
export type { SystemEnvelopes } from './envelopes/queue.js';
export {
  type AccountEnded,
  type AccountRegistered,
  ENGINE_TOPIC,
  type EngineFact,
  type FallbackSnapshot,
  type FallbackStepped,
  NOTICE_DELIVERED,
  OUTBOX_HINT,
} from './facts.js';
export type {
  Advance,
  ClaimDue,
  ClaimedFallback,
  Fallback,
  FallbackClass,
  FallbackDay,
  FallbackMode,
  FallbackState,
  Fallbacks,
  SealedText,
} from './fallbacks/types.js';
export type {
  BridgeKeys,
  BridgeKeyView,
  DeviceIdentity,
  DeviceTokens,
  FallbackAdmission,
  FallbackPolicy,
  NumberVerification,
} from './hooks.js';
export { DEFAULT_LIMITS, type EngineLimits, type Limit } from './limits.js';
export { STREAM_PATH, type Stream } from './stream/stream.js';
