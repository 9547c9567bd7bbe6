import type { SmsContext } from '../context.js';
import { isFromEsme } from '../esme/account.js';
import type { SmsMessage } from '../message.js';
import { changeSms, markTold } from '../operations.js';
import { readSms, type WholeSms } from '../read-sms.js';
import { type ChangeOf, FALLBACK_STATES } from './change-of.js';
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
  end(smsId: string, state: 'expired' | 'rejected' | 'cancelled' | 'deliveredInApp', reason: string): Promise<SmsMessage | undefined>;
  /** Ends the wait for receipts: what is `submitted` may have arrived. */
  giveUp(smsId: string): Promise<SmsMessage | undefined>;
}

export function createSettler(context: SmsContext, changeOf: ChangeOf): Settler {
  const { store, engine, partners, serial, tellEsme, wakeOutbox } = context;
  const rulesOf = ({ partnerId, linkId }: SmsMessage) => partners.get(partnerId)?.smpp.links.find(({ id }) => id === linkId)?.retry;

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
    const { row } = changeOf(before, truth);
    const isMade = await store.run(changeSms, row);
    // Not made when another change was first; the next round sees it.
    if (isMade && row.event !== null) wakeOutbox();
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
      apply(smsId, ({ message, parts, receipts }) => truthOf(message, parts, receipts, isOver(message), rulesOf(message))),
    end: (smsId, state, reason) =>
      apply(smsId, ({ message }) => (message.state === 'queued' ? { state, reason } : { state: message.state, reason: message.reason })),
    giveUp: (smsId) =>
      apply(smsId, ({ message }) =>
        message.state === 'submitted' ? { state: 'unknown', reason: 'no-receipt' } : { state: message.state, reason: message.reason },
      ),
  };
}
