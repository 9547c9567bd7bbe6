import type { Money } from '../kernel/money.js';
import type { FallbackClass, FallbackMode, FallbackState } from './fallbacks/types.js';

/**
 * The outbox topic in messages.db under which the engine reports what happened, as an EngineFact in JSON. The engine
 * knows nothing of the partners' event format: whoever embeds it maps facts to events. The outbox row's id is the
 * fact's id (`evt_…`), so a fact that is relayed twice is recognised.
 */
export const ENGINE_TOPIC = 'engine';

/** The bus subject on which the engine hints that it has put facts into the outbox of messages.db. */
export const OUTBOX_HINT = 'outbox.messages';

/** The bus subject on which the engine hints that a device acknowledged a notice of the gateway; the payload is the notice's id. */
export const NOTICE_DELIVERED = 'notice.delivered';

interface FactBase {
  /** `evt_…`. */
  id: string;
  /** Milliseconds, domain time of the partner. */
  at: number;
  partnerId: string;
  market: string;
}

/** A number's holder registered. Only numbers of a known line are reported. */
export interface AccountRegistered extends FactBase {
  kind: 'account.registered';
  accountId: string;
  msisdn: string;
  /** False when the account was there and got a new device. */
  isNewAccount: boolean;
}

/** A line got another holder, which ended the account on it. */
export interface AccountEnded extends FactBase {
  kind: 'account.ended';
  accountId: string;
  msisdn: string;
  /** Provisioning's word for what happened to the line. */
  cause: string;
}

/** A fallback as it stood right after the step that the fact is about; nulls where there is nothing yet. */
export interface FallbackSnapshot {
  id: string;
  state: FallbackState;
  reason: string | null;
  messageId: string;
  mode: FallbackMode;
  class: FallbackClass;
  ref: string;
  msisdn: string;
  subscriptionId: string | null;
  /** Of the request that armed it. */
  correlator: string | null;
  smsId: string | null;
  segments: number | null;
  price: Money | null;
  armedAt: number;
  dueAt: number;
  claimedAt: number | null;
  submittedAt: number | null;
  settledAt: number | null;
  updatedAt: number;
}

export interface FallbackStepped extends FactBase {
  kind: `fallback.${FallbackState}`;
  fallback: FallbackSnapshot;
}

/** Everything that the engine reports. Nothing of a message's content is ever in it. */
export type EngineFact = AccountRegistered | AccountEnded | FallbackStepped;
