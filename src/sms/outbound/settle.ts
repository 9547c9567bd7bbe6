import { newId } from '../../kernel/ids.js';
import type { SmsContext } from '../context.js';
import { isFromEsme } from '../esme/account.js';
import { FINAL_STATES, type SmsMessage, type SmsState } from '../message.js';
import { changeSms, markTold } from '../operations.js';
import { readSms, type WholeSms } from '../read-sms.js';
import { smsEvent } from '../report.js';
import type { Pricing } from './price.js';
import { type Truth, truthOf } from './truth.js';

export interface Settler {
  /**
   * Brings a message's row to what its parts and receipts say, with the event and the price in the same commit, and tells
   * the engine. Repeating it changes nothing.
   *
   * @param isOver whether the attempt that a `submitting` message is in has ended; asked of the row as it was read, since a
   *   new attempt may begin meanwhile, here or at another node.
   * @returns the message as it then is.
   */
  settle(smsId: string, isOver?: (message: SmsMessage) => boolean): Promise<SmsMessage | undefined>;
  /** Ends a message that will not be submitted (again). */
  end(smsId: string, state: 'expired' | 'rejected' | 'cancelled', reason: string): Promise<SmsMessage | undefined>;
  /** Ends the wait for receipts: what is `submitted` may have arrived. */
  giveUp(smsId: string): Promise<SmsMessage | undefined>;
}

/** Past its validity an SMSC has an hour to tell how a message ended. */
const RECEIPT_GRACE_MS = 3_600_000;

/** How the engine's words name each state. */
const FALLBACK_STATES: Partial<Record<SmsState, 'submitted' | 'delivered' | 'failed' | 'unknown'>> = {
  submitted: 'submitted',
  delivered: 'delivered',
  undelivered: 'failed',
  expired: 'failed',
  rejected: 'failed',
  cancelled: 'failed',
  unknown: 'unknown',
};

export function createSettler(context: SmsContext, pricing: Pricing): Settler {
  const { store, clock, domainClock, engine, serial, tellEsme, wakeOutbox } = context;

  function apply(smsId: string, decide: (sms: WholeSms) => Truth): Promise<SmsMessage | undefined> {
    return serial.run(smsId, async () => {
      for (;;) {
        const sms = await readSms(store, smsId);
        if (!sms) return undefined;
        if (sms.message.isUntold) await tell(sms.message);
        const truth = decide(sms);
        if (truth.state === sms.message.state && truth.reason === sms.message.reason) return sms.message;
        // One step at a time, each with its event: the next round tells the engine, and looks whether there is a further one.
        await change(sms, truth);
      }
    });
  }

  async function change(before: WholeSms, truth: Truth): Promise<void> {
    const { message } = before;
    const wallNow = clock.now();
    const now = domainClock.now(message.partnerId);
    const isFirst = truth.state !== message.state;
    const wasSubmitted = message.submittedAt !== undefined;
    const isSubmitted = truth.state === 'submitted' || truth.state === 'delivered' || truth.state === 'undelivered';
    const price = pricing(before, truth.state);
    const next: SmsMessage = {
      ...message,
      ...truth,
      resends: message.resends + (truth.isResend ? 1 : 0),
      price,
      submittedAt: !wasSubmitted && isSubmitted ? now : message.submittedAt,
      finalAt: FINAL_STATES.includes(truth.state) ? (message.finalAt ?? now) : undefined,
      updatedAt: now,
      notBefore: wallNow + (truth.retryInMs ?? 0),
      waitsFor: truth.retryInMs ? 'next-try' : undefined,
      receiptDueAt: isSubmitted ? Math.max(message.expiresAt, wallNow) + RECEIPT_GRACE_MS : message.receiptDueAt,
      isUntold: isFromEsme(message) || (message.fallbackId !== undefined && FALLBACK_STATES[truth.state] !== undefined),
    };
    const event = isFirst ? smsEvent({ ...before, message: next }, message.state, now, wallNow) : undefined;
    const made = await store.run(changeSms, {
      id: message.id,
      version: message.version,
      changeId: newId('req', wallNow),
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
    });
    // Not made when another change was first; the next round sees it.
    if (made && event) wakeOutbox();
  }

  async function tell(message: SmsMessage): Promise<void> {
    const to = FALLBACK_STATES[message.state];
    if (message.fallbackId !== undefined && to !== undefined) {
      const { reason, segmentCount, price } = message;
      await engine.fallbacks.advance({
        id: message.fallbackId,
        from: to === 'submitted' ? ['claimed'] : to === 'unknown' ? ['claimed', 'submitted'] : ['claimed', 'submitted', 'unknown'],
        to,
        at: message.updatedAt,
        smsId: message.id,
        ...(reason !== undefined && { reason }),
        ...(segmentCount !== undefined && { segments: segmentCount }),
        ...(price && { price }),
      });
    }
    if (isFromEsme(message)) await tellEsme(message);
    await store.run(markTold, { id: message.id, version: message.version });
  }

  return {
    settle: (smsId, isOver = () => false) =>
      apply(smsId, ({ message, parts, receipts }) => truthOf(message, parts, receipts, isOver(message))),
    end: (smsId, state, reason) =>
      apply(smsId, ({ message }) => (message.state === 'queued' ? { state, reason } : { state: message.state, reason: message.reason })),
    giveUp: (smsId) =>
      apply(smsId, ({ message }) =>
        message.state === 'submitted' ? { state: 'unknown', reason: 'no-receipt' } : { state: message.state, reason: message.reason },
      ),
  };
}
