import { ESM_CLASS } from './pdu.js';
import { type ReceiptText, readReceiptText } from './receipt-text.js';
import { type MessagePdu, messageContent, messageText, type WireText } from './text.js';
import { readTlv } from './tlvs.js';

/** message_state (SMPP 3.4 §5.2.28) in words; `skipped` and `scheduled` are SMPP 5.0's. */
export type MessageState =
  | 'scheduled' | 'enroute' | 'delivered' | 'expired' | 'deleted' | 'undeliverable' | 'accepted' | 'unknown' | 'rejected' | 'skipped'; // biome-ignore format: one glance

/** What a receipt calls its message, and where it says so: many an SMSC writes the two in different forms. */
export interface ReceiptId {
  readonly id: string;
  readonly from: 'tlv' | 'text';
}

export interface Receipt {
  /** `intermediate` says how far a message is; a `receipt` may still say `enroute` where an SMSC misuses it. */
  readonly kind: 'receipt' | 'intermediate';
  /** What the SMSC calls the message, the likeliest first: the parameter's, then the text's. May be empty. */
  readonly messageIds: readonly ReceiptId[];
  readonly state: MessageState;
  /** The parameter holds where it and the text disagree; `none` when neither names a state that we know. */
  readonly stateFrom: 'tlv' | 'text' | 'none';
  /** network_error_code, or the text's `err`. */
  readonly error: { readonly networkType?: number; readonly code: string } | undefined;
  /** `done date` in digits, YYMMDDhhmm, with seconds or with the century, in the SMSC's own time zone. */
  readonly doneDate: string | undefined;
  readonly doneAs: { readonly sub?: number; readonly delivered?: number };
}

const STATE_BY_NUMBER: readonly MessageState[] =
  ['scheduled', 'enroute', 'delivered', 'expired', 'deleted', 'undeliverable', 'accepted', 'unknown', 'rejected', 'skipped']; // biome-ignore format: one glance

/** Appendix B's seven letters, the words that vendors write out, and Kannel's list of "still on its way". */
const STATE_BY_WORD = new Map<string, MessageState>([
  ['DELIVRD', 'delivered'], ['DELIVERED', 'delivered'], ['DELIVERD', 'delivered'], ['DELIVERY', 'delivered'], ['DELVRD', 'delivered'],
  ['EXPIRED', 'expired'], ['EXPIRD', 'expired'], ['DELETED', 'deleted'], ['CANCELLED', 'deleted'], ['CANCELED', 'deleted'],
  ['UNDELIV', 'undeliverable'], ['UNDELIVERABLE', 'undeliverable'], ['UNDELIVERED', 'undeliverable'], ['UNDELIVRD', 'undeliverable'],
  ['UNDELIVERD', 'undeliverable'], ['UNDLVRD', 'undeliverable'], ['FAILED', 'undeliverable'], ['ACCEPTD', 'accepted'],
  ['ACCEPTED', 'accepted'], ['UNKNOWN', 'unknown'], ['UNKNOWND', 'unknown'], ['REJECTD', 'rejected'], ['REJECTED', 'rejected'],
  ['REJECT', 'rejected'], ['ENROUTE', 'enroute'], ['ACKED', 'enroute'], ['BUFFRED', 'enroute'], ['BUFFERD', 'enroute'],
  ['BUFFERED', 'enroute'], ['QUEUED', 'enroute'], ['PENDING', 'enroute'], ['SUBMITD', 'enroute'], ['SUBMITTED', 'enroute'],
  ['SENT', 'enroute'], ['SCHEDULED', 'scheduled'], ['SKIPPED', 'skipped'],
]); // biome-ignore format: one glance, one list

/**
 * Reads a delivery receipt (SMPP 3.4 §4.6, §4.7, §5.2.12 and Appendix B), which deliver_sm and data_sm bring: optional parameters first,
 * then the text.
 *
 * A message is a receipt by its esm_class or by receipted_message_id, which only the network writes; text alone never
 * makes one, or a subscriber could forge it.
 *
 * @returns undefined for anything that is not a receipt.
 */
export function parseReceipt(pdu: MessagePdu, wire: WireText = {}): Receipt | undefined {
  const type = pdu.esmClass & ESM_CLASS.messageTypeMask;
  const tlvId = readTlv(pdu.tlvs, 'receipted_message_id')?.trim();
  const isMarked = type === ESM_CLASS.deliveryReceipt || type === ESM_CLASS.intermediateNotification;
  if (!isMarked && !(type === 0 && tlvId)) return undefined;

  const [asSaid, asAscii] = readings(pdu, wire);
  const text = { ...asAscii, ...asSaid };
  const tlvState = STATE_BY_NUMBER[readTlv(pdu.tlvs, 'message_state') ?? -1];
  const textState = stateOf(text.state);
  return {
    kind: type === ESM_CLASS.intermediateNotification ? 'intermediate' : 'receipt',
    messageIds: idsOf(tlvId, [asSaid.id, asAscii.id]),
    state: tlvState ?? textState ?? 'unknown',
    stateFrom: tlvState ? 'tlv' : textState ? 'text' : 'none',
    error: networkError(pdu) ?? (text.error === undefined ? undefined : { code: text.error }),
    doneDate: text.doneDate,
    doneAs: {
      ...(text.sub !== undefined && { sub: Number(text.sub) }),
      ...(text.delivered !== undefined && { delivered: Number(text.delivered) }),
    },
  };
}

/**
 * The text as data_coding has it, and as ASCII where that is something else: an SMSC that writes `_` or `@` of an id in ASCII says data_coding
 * 0 all the same.
 */
function readings(pdu: MessagePdu, wire: WireText): [asSaid: ReceiptText, asAscii: ReceiptText] {
  const ascii = messageContent(pdu, wire).octets.toString('latin1');
  const said = messageText(pdu, wire) ?? ascii;
  const asSaid = readReceiptText(said);
  return [asSaid, said === ascii ? asSaid : readReceiptText(ascii)];
}

const stateOf = (word: string | undefined): MessageState | undefined =>
  word !== undefined && /^[1-8]$/.test(word) ? STATE_BY_NUMBER[Number(word)] : STATE_BY_WORD.get(word?.toUpperCase() ?? '');

function idsOf(tlvId: string | undefined, textIds: readonly (string | undefined)[]): ReceiptId[] {
  const fromTlv = tlvId ? [{ id: tlvId, from: 'tlv' } as const] : [];
  const fromText = [...new Set(textIds)].flatMap((id) => (id === undefined || id === tlvId ? [] : [{ id, from: 'text' } as const]));
  return [...fromTlv, ...fromText];
}

/** §5.3.2.31: one octet of network type and a 16-bit code; or, as some SMSCs have it, three ASCII digits. */
function networkError({ tlvs }: MessagePdu): Receipt['error'] {
  const octets = readTlv(tlvs, 'network_error_code');
  if (!octets) return undefined;
  const digits = octets.toString('latin1');
  if (/^\d{3}$/.test(digits)) return { code: digits };
  return { networkType: octets.readUInt8(0), code: String(octets.readUInt16BE(1)) };
}
