import type { Money } from '../../kernel/money.js';

export type FallbackMode = 'notice' | 'sealed';
export type FallbackClass = 'otp' | 'urgent' | 'chat';

/** `armed → cancelled | claimed → submitted → delivered | failed | unknown`. A claim that cannot be sent goes to `failed`. */
export type FallbackState = 'armed' | 'cancelled' | 'claimed' | 'submitted' | 'delivered' | 'failed' | 'unknown';

/** The text as the sender sealed it (suite `hpke-1`); base64url without padding. Nothing in the engine can open it. */
export interface SealedText {
  keyId: string;
  enc: string;
  ciphertext: string;
  /** RFC 3339 with milliseconds and `Z`, exactly as sealed: it is part of the AAD. Wall clock. */
  expiresAt: string;
}

/** A fallback as it stands. Instants are milliseconds; `…At` but for `expiresAt` are the partner's domain time. */
export interface Fallback {
  id: string;
  state: FallbackState;
  /** Why it ended: `acked`, `line-changed`, `expired`, or what the bridge gave. */
  reason: string | undefined;
  messageId: string;
  clientMsgId: string;
  mode: FallbackMode;
  class: FallbackClass;
  /** Four Crockford characters, shared by the app copy and the SMS. */
  ref: string;
  partnerId: string;
  market: string;
  subscriptionId: string | undefined;
  /** The recipient's. */
  msisdn: string;
  lineEpoch: number;
  /** Of the request that armed it; absent when that came over the stream. */
  correlator: string | undefined;
  senderAccountId: string;
  senderDeviceId: string;
  senderName: string | undefined;
  /** BCP 47, of the recipient's account. */
  language: string | undefined;
  /** Absent for `notice`, and once the text is of no more use (acked, expired, submitted, or dropped by the bridge). */
  sealed: SealedText | undefined;
  smsId: string | undefined;
  segments: number | undefined;
  price: Money | undefined;
  armedAt: number;
  dueAt: number;
  /** Wall clock: the message's, or the sealed text's when that is sooner. Nothing is claimed after it. */
  expiresAt: number;
  claimedAt: number | undefined;
  submittedAt: number | undefined;
  settledAt: number | undefined;
  /** When it last stepped. */
  updatedAt: number;
}

/** What the bridge works on. `smsId` was stored at the claim, so a restart continues with the same one. */
export interface ClaimedFallback extends Fallback {
  state: 'claimed';
  smsId: string;
  claimedAt: number;
}

export interface ClaimDue {
  partnerId: string;
  /** Domain time of the partner. */
  now: number;
  /** 1 to 200. */
  limit: number;
  /** Chooses the id of the SMS; asked once per candidate, and the answer counts only when the claim wins. */
  smsIdFor: (fallback: Fallback) => string;
  /**
   * Looks at what is due before it is claimed, and answers what to claim now. What it leaves out it has put off or cancelled
   * itself, or it is due again at once.
   */
  screen?: ((due: readonly Fallback[]) => Promise<readonly Fallback[]>) | undefined;
}

/** What was armed in one day of a market, in one mode, for a forecast. */
export interface FallbackDay {
  /** Days since 1970 in the market's time. */
  day: number;
  mode: FallbackMode;
  armed: number;
  /** Those that went to SMS. */
  claimed: number;
  /** Those of `claimed` that caps by number and by pair of sender and number would have let through. */
  withinCaps: number;
  /** The segments of those whose count is known, and how many those are. */
  segments: number;
  measured: number;
}

export interface Advance {
  id: string;
  /** The states in which this step applies; in any other it does nothing. */
  from: readonly FallbackState[];
  to: Exclude<FallbackState, 'armed'>;
  /** `^[A-Za-z0-9_.:-]{1,64}$`: a code, not a sentence. */
  reason?: string | undefined;
  /** Domain time of the partner, milliseconds. */
  at: number;
  smsId?: string | undefined;
  segments?: number | undefined;
  price?: Money | undefined;
}

export interface Fallbacks {
  /**
   * Claims what is due: state `armed`, `dueAt <= now`, no device has acknowledged the message, and the line's epoch is
   * the one at arming. What is due but has a changed line or has expired is cancelled instead (`line-changed`,
   * `expired`). A claim and an ack update the same row on a condition: exactly one wins. Oldest first.
   */
  claimDue(asked: ClaimDue): Promise<ClaimedFallback[]>;
  /** All that are claimed and not advanced: what a restart picks up. Oldest first, at most 1,000. */
  pendingClaims(): Promise<ClaimedFallback[]>;
  /**
   * One conditional step. The update, the fact for the event log and the status in the sender's queue are one commit.
   * Any `to` but `claimed` deletes the sealed text. Repeating it is harmless: it answers false and writes nothing.
   *
   * @returns whether this call made the step.
   */
  advance(step: Advance): Promise<boolean>;
  /** Deletes the sealed text of a fallback whose text the bridge has taken over or will never need. */
  dropSealed(id: string): Promise<void>;
  /** undefined when there is none, and for another partner's. */
  get(id: string, partnerId: string): Promise<Fallback | undefined>;
  /**
   * Puts off what is armed and due, until an instant of the partner's domain time: it stays armed, and an ack still cancels it.
   *
   * @param reason a code that says why, until it is claimed.
   */
  defer(put: { id: string; until: number; reason: string; at: number }): Promise<void>;
  /** Newest first. `after` is the last id of the page before; `markets` and `state` undefined = all. */
  list(asked: {
    partnerId: string;
    state?: FallbackState | undefined;
    markets?: readonly string[] | undefined;
    after?: string | undefined;
    limit: number;
  }): Promise<Fallback[]>;
  /** How many were armed for a market since a point of the partner's domain time: for caps. */
  countArmedSince(asked: { partnerId: string; market: string; since: number }): Promise<number>;
  /** How many went to SMS for each of these numbers since a point of the partner's domain time, by the account that wrote. */
  claimedByPair(asked: {
    partnerId: string;
    msisdns: readonly string[];
    since: number;
  }): Promise<{ msisdn: string; senderAccountId: string; n: number }[]>;
  /** How many of a mode went to SMS in a market since a point of the partner's domain time. */
  countClaimedSince(asked: { partnerId: string; market: string; mode: FallbackMode; since: number }): Promise<number>;
  /**
   * What was armed in a market from an instant until another, by day and mode.
   *
   * @param utcOffsetMs of the market's time.
   */
  history(asked: {
    partnerId: string;
    market: string;
    since: number;
    until: number;
    utcOffsetMs: number;
    perRecipientPerDay: number;
    perPairPerDay: number;
  }): Promise<FallbackDay[]>;
  /** When a device acknowledged the message of each of these, wall clock; those that nobody did are not there. */
  acknowledgedAt(ids: readonly string[]): Promise<ReadonlyMap<string, number>>;
}
