export {
  type AccountEnded,
  type AccountRegistered,
  ENGINE_TOPIC,
  type EngineFact,
  type FallbackSnapshot,
  type FallbackStepped,
  OUTBOX_HINT,
} from './facts.js';
export type {
  Advance,
  ClaimDue,
  ClaimedFallback,
  Fallback,
  FallbackClass,
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
