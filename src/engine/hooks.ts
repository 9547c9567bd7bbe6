import type { Msisdn } from '../kernel/msisdn.js';
import type { FallbackClass, FallbackMode } from './fallbacks/types.js';

/** Who holds a device token. */
export interface DeviceIdentity {
  accountId: string;
  deviceId: string;
}

/** Issues and checks device tokens. The engine holds no key: identity does this. */
export interface DeviceTokens {
  issue(who: DeviceIdentity): Promise<{ accessToken: string; expiresInSeconds: number }>;
  /** @throws GatewayError `UNAUTHENTICATED` when the token is not one of ours or has expired. */
  verify(token: string): Promise<DeviceIdentity>;
}

export interface NumberVerification {
  /** Consumes the operator's one-time token; true when it proves that the caller's line is `msisdn`. */
  verify(msisdn: Msisdn, token: string): Promise<boolean>;
}

/** Decides whether a fallback may be armed. The engine knows nothing about SMS policy. */
export interface FallbackPolicy {
  admit(asked: {
    partnerId: string;
    market: string;
    mode: FallbackMode;
    class: FallbackClass;
    senderAccountId: string;
    recipientMsisdn: string;
  }): FallbackAdmission | Promise<FallbackAdmission>;
}

/** `reason` is read by the sender: plain words, no number. */
export type FallbackAdmission = { admitted: true; subscriptionId?: string | undefined } | { admitted: false; reason: string };

/** A public key that senders may seal a fallback text to. Instants are milliseconds. */
export interface BridgeKeyView {
  keyId: string;
  /** `hpke-1`. */
  suite: string;
  /** base64url without padding. */
  publicKey: string;
  notBefore: number;
  notAfter: number;
}

export interface BridgeKeys {
  /** The current key first. */
  list(): readonly BridgeKeyView[];
  isCurrent(keyId: string): boolean;
}
