import smpp, { type Pdu } from 'smpp';
import type { Clock, Timer } from '../../kernel/clock.js';
import { behaviourOf, dialable, type MagicName } from '../magic-numbers.js';
import { readAddress } from './addresses.js';
import type { OwedDelivery } from './deliveries.js';
import type { AcceptedPart } from './handset-memory.js';
import { formatMessageId, receiptFor, wantsReceipt } from './receipts.js';
import type { AnswerSubmit, SmscSession } from './session.js';
import { readShortMessage, type ShortMessage } from './short-message.js';
import type { Personality, SubmittedPart } from './types.js';

export interface SubmitDesk {
  onSubmit(session: SmscSession, pdu: Pdu, answer: AnswerSubmit): void;
  close(): void;
}

export interface SubmitDeskOptions {
  clock: Clock;
  personality: Personality;
  nextId(): string;
  /** Makes the part, and the receipts it will get, durable; `via` sends them before this returns. */
  keep(part: AcceptedPart, receipts: OwedDelivery[], via?: SmscSession): void;
}

const RECEIPT_DELAY_MS = 500;
const SLOW_RESPONSE_MS = 15_000;
const SLOW_RESPONSES_MAX = 1_000;
const REFUSED_NUMBERS_MAX = 10_000;

const error = (name: string): number => smpp.errors[name] ?? 0xff;

/** Refusals that pass: how often before a message is let in, and with what. */
const PASSING: Partial<Record<MagicName, { status: number; times: number }>> = {
  throttled: { status: error('ESME_RTHROTTLED'), times: 2 },
  queueFull: { status: error('ESME_RMSGQFUL'), times: 1 },
};

function outcomeOf(behaviour: MagicName): SubmittedPart['outcome'] {
  return behaviour === 'undeliverable' || behaviour === 'expired' ? behaviour : 'delivered';
}

/** Decides over each `submit_sm` by its destination (magic-numbers.ts) and answers it. */
export function createSubmitDesk(options: SubmitDeskOptions): SubmitDesk {
  const { clock, personality } = options;
  const refusals = new Map<string, number>();
  const slow = new Set<Timer>();

  /** The first part decides for a long message, so that its other parts are not refused once it is in. */
  function passingRefusal(behaviour: MagicName, to: string, message: ShortMessage): number {
    const rule = PASSING[behaviour];
    if (!rule || (message.concatenation && message.concatenation.seq > 1)) return 0;
    const count = refusals.get(to) ?? 0;
    refusals.delete(to);
    if (count >= rule.times) return 0;
    refusals.set(to, count + 1);
    if (refusals.size > REFUSED_NUMBERS_MAX) refusals.clear();
    return rule.status;
  }

  function receiptsFor(part: AcceptedPart, behaviour: MagicName, registeredDelivery: unknown): OwedDelivery[] {
    const asked = typeof registeredDelivery === 'number' ? registeredDelivery : 0;
    if (behaviour === 'noReceipt' || !wantsReceipt(asked, part.outcome)) return [];
    const dueAt = part.submittedAt + RECEIPT_DELAY_MS;
    const times = behaviour === 'receiptTwice' ? [dueAt, dueAt + RECEIPT_DELAY_MS / 2] : [dueAt];
    const parts = [receiptFor(part, dueAt, personality)];
    return times.map((at) => ({ deliveryId: options.nextId(), systemId: part.partnerSystemId, kind: 'receipt', dueAt: at, parts }));
  }

  function later(answer: () => void) {
    const timer = clock.setTimer(SLOW_RESPONSE_MS, () => {
      slow.delete(timer);
      answer();
    });
    slow.add(timer);
  }

  return {
    onSubmit(session, pdu, answer) {
      const systemId = session.bound()?.systemId ?? '';
      const to = readAddress(pdu.dest_addr_ton, pdu.destination_addr);
      const from = readAddress(pdu.source_addr_ton, pdu.source_addr);
      if (to === undefined || !dialable(to)) return answer(error('ESME_RINVDSTADR'));
      if (from === undefined) return answer(error('ESME_RINVSRCADR'));
      const message = readShortMessage(pdu);
      if (!message) return answer(error('ESME_RINVMSGLEN'));
      const behaviour = behaviourOf(to);
      if (behaviour === 'rejected') return answer(error('ESME_RINVDSTADR'));
      const refusal = passingRefusal(behaviour, to, message);
      if (refusal !== 0) return answer(refusal);
      if (behaviour === 'slowResponse' && slow.size >= SLOW_RESPONSES_MAX) return answer(error('ESME_RTHROTTLED'));

      const smscMessageId = options.nextId();
      const outcome = outcomeOf(behaviour);
      const part: AcceptedPart = { smscMessageId, partnerSystemId: systemId, from, to, outcome, submittedAt: clock.now(), ...message };
      options.keep(
        part,
        receiptsFor(part, behaviour, pdu.registered_delivery),
        behaviour === 'receiptBeforeResponse' ? session : undefined,
      );
      const accept = () => answer(0, formatMessageId(smscMessageId, personality.messageIdForm));
      if (behaviour === 'linkDrop') session.destroy();
      else if (behaviour === 'slowResponse') later(accept);
      else accept();
    },
    close() {
      for (const timer of slow) timer.cancel();
      slow.clear();
    },
  };
}
