import { newId } from '../../kernel/ids.js';
import type { SmsContext } from '../context.js';
import { isFromEsme } from '../esme/account.js';
import { FINAL_STATES, type SmsMessage, type SmsState } from '../message.js';
import type { SmsChange } from '../operations.js';
import type { WholeSms } from '../read-sms.js';
import { smsEvent } from '../report.js';
import type { Pricing } from './price.js';
import type { Truth } from './truth.js';

/** How the engine's words name each state. */
export const FALLBACK_STATES: Partial<Record<SmsState, 'submitted' | 'delivered' | 'failed' | 'unknown'>> = {
  submitted: 'submitted',
  delivered: 'delivered',
  undelivered: 'failed',
  expired: 'failed',
  rejected: 'failed',
  cancelled: 'failed',
  unknown: 'unknown',
};

/** Past its validity an SMSC has an hour to tell how a message ended. */
const RECEIPT_GRACE_MS = 3_600_000;

/** A step of a message from one state to the next, with what it costs and the event that tells of it. */
export interface Change {
  /** The message after it. */
  next: SmsMessage;
  row: SmsChange;
}

export type ChangeOf = (before: WholeSms, truth: Truth) => Change;

export function createChangeOf({ clock, domainClock }: Pick<SmsContext, 'clock' | 'domainClock'>, pricing: Pricing): ChangeOf {
  return (before, truth) => {
    const { message } = before;
    const wallNow = clock.now();
    const now = domainClock.now(message.partnerId);
    const isSubmitted = truth.state === 'submitted' || truth.state === 'delivered' || truth.state === 'undelivered';
    const price = pricing(before, truth.state);
    const next: SmsMessage = {
      ...message,
      state: truth.state,
      reason: truth.reason,
      resends: message.resends + (truth.isResend ? 1 : 0),
      price,
      submittedAt: message.submittedAt === undefined && isSubmitted ? now : message.submittedAt,
      finalAt: FINAL_STATES.includes(truth.state) ? (message.finalAt ?? now) : undefined,
      updatedAt: now,
      notBefore: wallNow + (truth.retryInMs ?? 0),
      waitsFor: truth.retryInMs ? 'next-try' : undefined,
      receiptDueAt: isSubmitted ? Math.max(message.expiresAt, wallNow) + RECEIPT_GRACE_MS : message.receiptDueAt,
      wrapped: truth.state === 'queued' ? message.wrapped : undefined,
      isUntold: isFromEsme(message) || (message.fallbackId !== undefined && FALLBACK_STATES[truth.state] !== undefined),
      version: message.version + 1,
    };
    const isStep = truth.state !== message.state;
    const event = isStep ? smsEvent({ ...before, message: next }, message.state, now, wallNow) : undefined;
    const row: SmsChange = {
      id: message.id,
      version: message.version,
      // An event tells of one change only.
      changeId: event?.id ?? newId('req', wallNow),
      state: next.state,
      reason: next.reason ?? null,
      resends: next.resends,
      priceMinor: price?.amountMinor ?? null,
      priceCurrency: price?.currency ?? null,
      submittedAt: next.submittedAt ?? null,
      finalAt: next.finalAt ?? null,
      updatedAt: now,
      notBefore: next.notBefore,
      waitsFor: next.waitsFor ?? null,
      receiptDueAt: next.receiptDueAt ?? null,
      untold: next.isUntold ? 1 : 0,
      eventId: event?.id ?? null,
      event: event ? JSON.stringify(event) : null,
      wallNow,
    };
    return { next, row };
  };
}
