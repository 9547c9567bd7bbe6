import type { Instant } from '../../kernel/clock.js';
import type { Money } from '../../kernel/money.js';
import type { Partner } from '../../partners/index.js';
import type { SmsClass } from '../message.js';
import type { NewTextSms } from '../outbound/queue.js';

/** An SMS that somebody wants to have sent in a partner's name. */
export interface AskedSms {
  /** `sms_…` from `newId`. */
  id: string;
  partner: Partner;
  /** Where the asker may send; undefined: in every market of the partner. */
  markets: readonly string[] | undefined;
  /** E.164 with `+`. */
  to: string;
  text: string;
  class: SmsClass;
  /** An address of the inventory; the best that may carry the message when left out. */
  sender?: string | undefined;
  /** Where the number is; known from the number or its line when left out. */
  market?: string | undefined;
  /** How long it is worth delivering. */
  validForMs: number;
  /** Domain time; at once when left out. */
  sendAt?: Instant | undefined;
  /** The API client, or `esme:<systemId>`. */
  clientId: string;
  externalId?: string | undefined;
  correlator: string;
  /** An answer to what the subscriber has just written: no opt-out, quiet hour or cap of hers is in its way. */
  isAnswer?: boolean | undefined;
}

/** What will happen to it, decided and not yet stored. */
export interface Decided {
  sms: NewTextSms;
  /** Segments as the operator counts them, and what they cost by the agreement, where it has a price. */
  segments: number;
  price: Money | undefined;
  /** The account of the app that gets it first. */
  inApp: string | undefined;
  /** What the decision has taken of caps and counts is given back, or is no longer needed since the row counts. */
  settle(isStored: boolean): void;
}

/** How long a message waits for the app to take it. */
export const IN_APP_MS: Readonly<Record<SmsClass, number>> = { otp: 30_000, urgent: 60_000, chat: 300_000, notice: 300_000 };

/** How long a message is worth delivering unless the asker says. */
export const VALIDITY_MS: Readonly<Record<SmsClass, number>> = {
  otp: 600_000,
  urgent: 3_600_000,
  chat: 86_400_000,
  notice: 259_200_000,
};
