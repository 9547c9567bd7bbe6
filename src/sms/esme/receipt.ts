import type { Instant } from '../../kernel/clock.js';
import { ESM_CLASS, type MessageFields, type Tlv, tlv } from '../../smpp/index.js';
import type { SmsMessage, SmsState } from '../message.js';
import { receiptDate } from './smpp-time.js';

/** How an ESME is told that a message is where it is: message_state (SMPP 3.4 §5.2.28) and the word of Appendix B. */
export interface ToldState {
  readonly number: number;
  readonly word: 'ENROUTE' | 'DELIVRD' | 'EXPIRED' | 'DELETED' | 'UNDELIV' | 'UNKNOWN' | 'REJECTD';
}

const ENROUTE: ToldState = { number: 1, word: 'ENROUTE' };

const TOLD: Readonly<Record<SmsState, ToldState>> = {
  queued: ENROUTE,
  submitting: ENROUTE,
  submitted: ENROUTE,
  delivered: { number: 2, word: 'DELIVRD' },
  deliveredInApp: { number: 2, word: 'DELIVRD' },
  expired: { number: 3, word: 'EXPIRED' },
  cancelled: { number: 4, word: 'DELETED' },
  undelivered: { number: 5, word: 'UNDELIV' },
  unknown: { number: 7, word: 'UNKNOWN' },
  rejected: { number: 8, word: 'REJECTD' },
};

export const toldState = (state: SmsState): ToldState => TOLD[state];

/** A delivery receipt or an intermediate notification as it waits for its ESME. */
export interface ReceiptFields {
  readonly messageId: string;
  /** As the ESME wrote them; the receipt goes the other way. */
  readonly source: Address;
  readonly destination: Address;
  readonly state: ToldState;
  readonly isIntermediate: boolean;
  /** Of the network, where it told one. */
  readonly error: number | undefined;
  readonly acceptedAt: Instant;
  readonly doneAt: Instant;
}

export interface Address {
  readonly ton: number;
  readonly npi: number;
  readonly address: string;
}

/** registered_delivery (§5.2.17): bits 1 and 0 ask for receipts, bit 4 for intermediate notifications. */
const RECEIPT_BITS = 0x03;
const INTERMEDIATE_BIT = 0x10;
const WHICH = ['none', 'all', 'failure', 'success'] as const;

/** Whether an ESME that asked so is told of this state, and how. */
export function tellsOf(registeredDelivery: number, state: SmsState): 'receipt' | 'intermediate' | undefined {
  if (state === 'queued' || state === 'submitting') return undefined;
  if (state === 'submitted') return registeredDelivery & INTERMEDIATE_BIT ? 'intermediate' : undefined;
  const which = WHICH[registeredDelivery & RECEIPT_BITS];
  const isAsked = which === 'all' || which === (state === 'delivered' ? 'success' : 'failure');
  return isAsked ? 'receipt' : undefined;
}

/** The network's error behind a state, as the receipt of the SMSC told it. */
export function networkErrorOf({ reason }: Pick<SmsMessage, 'reason'>): number | undefined {
  const code = /^receipt-[a-z]+:(\d{1,5})$/.exec(reason ?? '')?.[1];
  return code === undefined || Number(code) > 0xffff ? undefined : Number(code);
}

/** network_error_code's octet for GSM (§5.3.2.31). */
const GSM = 3;

/**
 * A receipt's deliver_sm: the text of Appendix B, whose `text:` stays empty since no text is kept, and the parameters that
 * say the same.
 *
 * @param hasTlvs a bind of an ESME older than 3.4 takes no optional parameters (§3.2.4).
 * @param messageId as the account's ESME reads it in receipts.
 */
export function receiptPdu(
  { source, destination, state, isIntermediate, error, acceptedAt, doneAt }: ReceiptFields,
  messageId: string,
  hasTlvs: boolean,
): MessageFields {
  const isDelivered = state.word === 'DELIVRD';
  const words = [
    `id:${messageId} sub:001 dlvrd:${isDelivered ? '001' : '000'}`,
    `submit date:${receiptDate(acceptedAt)} done date:${receiptDate(doneAt)}`,
    // Three digits is all that Appendix B has room for; the parameter has the whole.
    `stat:${state.word} err:${error === undefined || error > 999 ? '000' : String(error).padStart(3, '0')} text:`,
  ];
  return {
    sourceAddrTon: destination.ton,
    sourceAddrNpi: destination.npi,
    sourceAddr: destination.address,
    destAddrTon: source.ton,
    destAddrNpi: source.npi,
    destinationAddr: source.address,
    esmClass: isIntermediate ? ESM_CLASS.intermediateNotification : ESM_CLASS.deliveryReceipt,
    dataCoding: 0,
    shortMessage: Buffer.from(words.join(' '), 'latin1'),
    tlvs: hasTlvs ? receiptTlvs(messageId, state, error) : [],
  };
}

function receiptTlvs(messageId: string, { number }: ToldState, error: number | undefined): Tlv[] {
  const own = [tlv('receipted_message_id', messageId), tlv('message_state', number)];
  return error === undefined ? own : [...own, tlv('network_error_code', Buffer.from([GSM, error >> 8, error & 0xff]))];
}
