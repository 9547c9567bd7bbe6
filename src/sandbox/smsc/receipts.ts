import type { Instant } from '../../kernel/clock.js';
import type { DeliverFields } from './deliveries.js';
import type { MessageIdForm, Personality, SubmittedPart } from './types.js';

/** What an SMSC is asked for by name. `standard` is the default; `hexdec` has the habit that most often breaks matching. */
export const PERSONALITIES = {
  standard: { messageIdForm: 'decimal', receiptIdForm: 'decimal', tlvs: true },
  hexdec: { messageIdForm: 'hex', receiptIdForm: 'decimal', tlvs: false },
} as const satisfies Record<string, Personality>;

/** SMPP 3.4 §5.2.28 message_state, and the word and error code of the text form. */
const STATES = {
  delivered: { stat: 'DELIVRD', err: '000', dlvrd: '001', state: 2 },
  expired: { stat: 'EXPIRED', err: '002', dlvrd: '000', state: 3 },
  undeliverable: { stat: 'UNDELIV', err: '001', dlvrd: '000', state: 5 },
} as const;

/** esm_class of an SMSC delivery receipt (SMPP 3.4 §5.2.12). */
const ESM_CLASS_RECEIPT = 0x04;

/** @param id decimal digits, as the SMSC counts. */
export function formatMessageId(id: string, form: MessageIdForm): string {
  return form === 'hex' ? BigInt(id).toString(16) : id;
}

/** YYMMDDhhmm in UTC, as appendix B of SMPP 3.4 writes dates. */
function receiptDate(at: Instant): string {
  return new Date(at).toISOString().replace(/\D/g, '').slice(2, 12);
}

/** Whether `registered_delivery` (SMPP 3.4 §5.2.17) asks for a receipt of this outcome: 1 always, 2 on failure, 3 on success (5.0). */
export function wantsReceipt(registeredDelivery: number, outcome: SubmittedPart['outcome']): boolean {
  const asked = registeredDelivery & 0x03;
  if (asked === 2) return outcome !== 'delivered';
  if (asked === 3) return outcome === 'delivered';
  return asked === 1;
}

/** The receipt for one accepted part, in the text form of SMPP 3.4 appendix B. The text of the message is never echoed. */
export function receiptFor(part: SubmittedPart, doneAt: Instant, personality: Personality): DeliverFields {
  const { stat, err, dlvrd, state } = STATES[part.outcome];
  const id = formatMessageId(part.smscMessageId, personality.receiptIdForm);
  const dates = `submit date:${receiptDate(part.submittedAt)} done date:${receiptDate(doneAt)}`;
  return {
    from: part.to,
    to: part.from,
    esmClass: ESM_CLASS_RECEIPT,
    dataCoding: 0,
    text: `id:${id} sub:001 dlvrd:${dlvrd} ${dates} stat:${stat} err:${err} text:`,
    ...(personality.tlvs && { receipt: { messageId: formatMessageId(part.smscMessageId, personality.messageIdForm), state } }),
  };
}
