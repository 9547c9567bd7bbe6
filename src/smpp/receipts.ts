import { type DeliverSm, ESM_CLASS } from './pdu.js';
import { type DefaultAlphabet, messageContent, messageText } from './text.js';
import { readTlv } from './tlvs.js';

/** message_state (SMPP 3.4 §5.2.28) in words; `skipped` and `scheduled` are SMPP 5.0's. */
export type MessageState =
  | 'scheduled' | 'enroute' | 'delivered' | 'expired' | 'deleted' | 'undeliverable' | 'accepted' | 'unknown' | 'rejected' | 'skipped'; // biome-ignore format: one glance

export interface Receipt {
  /** `intermediate` says how far a message is; a `receipt` may still say `enroute` where an SMSC misuses it. */
  readonly kind: 'receipt' | 'intermediate';
  /** What the SMSC calls the message, the likeliest first: the parameter, then the text's id where it differs. May be empty. */
  readonly messageIds: readonly string[];
  readonly state: MessageState;
  /** The parameter holds where it and the text disagree; `none` when neither names a state that we know. */
  readonly stateFrom: 'tlv' | 'text' | 'none';
  /** network_error_code, or the text's `err`. */
  readonly error: { readonly networkType?: number; readonly code: string } | undefined;
  /** `done date` as written, YYMMDDhhmm or with seconds, in the SMSC's own time zone. */
  readonly doneDate: string | undefined;
  readonly doneAs: { readonly sub?: number; readonly delivered?: number };
}

const STATE_BY_NUMBER: readonly MessageState[] =
  ['scheduled', 'enroute', 'delivered', 'expired', 'deleted', 'undeliverable', 'accepted', 'unknown', 'rejected', 'skipped']; // biome-ignore format: one glance

/** Appendix B's seven letters, the words that vendors write out, and Kannel's list of "still on its way". */
const STATE_BY_WORD = new Map<string, MessageState>([
  ['DELIVRD', 'delivered'], ['DELIVERED', 'delivered'], ['DELIVERD', 'delivered'], ['EXPIRED', 'expired'], ['DELETED', 'deleted'],
  ['UNDELIV', 'undeliverable'], ['UNDELIVERABLE', 'undeliverable'], ['UNDELIVERED', 'undeliverable'], ['UNDELIVRD', 'undeliverable'],
  ['FAILED', 'undeliverable'], ['ACCEPTD', 'accepted'], ['ACCEPTED', 'accepted'], ['UNKNOWN', 'unknown'], ['REJECTD', 'rejected'],
  ['REJECTED', 'rejected'], ['ENROUTE', 'enroute'], ['ACKED', 'enroute'], ['BUFFRED', 'enroute'], ['BUFFERD', 'enroute'],
  ['BUFFERED', 'enroute'], ['SCHEDULED', 'scheduled'], ['SKIPPED', 'skipped'],
]); // biome-ignore format: one glance, one list

/**
 * Reads a delivery receipt (SMPP 3.4 §4.6, §5.2.12 and Appendix B): optional parameters first, then the text, tolerant of
 * case, order, separators and missing keys.
 *
 * A deliver_sm is a receipt by its esm_class or by receipted_message_id, which only the network writes; text alone never
 * makes one, or a subscriber could forge it.
 *
 * @returns undefined for anything that is not a receipt.
 */
export function parseReceipt(pdu: DeliverSm, defaultAlphabet: DefaultAlphabet = 'gsm0338'): Receipt | undefined {
  const type = pdu.esmClass & ESM_CLASS.messageTypeMask;
  const tlvId = readTlv(pdu.tlvs, 'receipted_message_id')?.trim();
  const isMarked = type === ESM_CLASS.deliveryReceipt || type === ESM_CLASS.intermediateNotification;
  if (!isMarked && !(type === 0 && tlvId)) return undefined;

  const text = readText(receiptText(pdu, defaultAlphabet));
  const tlvState = STATE_BY_NUMBER[readTlv(pdu.tlvs, 'message_state') ?? -1];
  const textState = STATE_BY_WORD.get(text.stat?.toUpperCase() ?? '');
  const messageIds = [tlvId, text.id].filter((id): id is string => id !== undefined && id !== '');
  return {
    kind: type === ESM_CLASS.intermediateNotification ? 'intermediate' : 'receipt',
    messageIds: [...new Set(messageIds)],
    state: tlvState ?? textState ?? 'unknown',
    stateFrom: tlvState ? 'tlv' : textState ? 'text' : 'none',
    error: networkError(pdu) ?? (text.err === undefined ? undefined : { code: text.err }),
    doneDate: text.doneDate,
    doneAs: { ...counted('sub', text.sub), ...counted('delivered', text.dlvrd) },
  };
}

function receiptText(pdu: DeliverSm, defaultAlphabet: DefaultAlphabet): string {
  const { octets } = messageContent(pdu);
  return messageText(pdu, { defaultAlphabet }) ?? octets.toString('latin1');
}

interface ReceiptWords {
  id?: string;
  sub?: string;
  dlvrd?: string;
  doneDate?: string;
  stat?: string;
  err?: string;
}

const KEYS = {
  id: /(?:^|\s)(?:message[ _]?)?id\s*[:=]\s*([^\s,;]+)/i,
  sub: /(?:^|\s)sub\s*[:=]\s*(\d{1,5})/i,
  dlvrd: /(?:^|\s)dlvrd\s*[:=]\s*(\d{1,5})/i,
  doneDate: /(?:^|\s)done[ _]?date\s*[:=]\s*(\d{6,14})/i,
  stat: /(?:^|\s)stat(?:us|e)?\s*[:=]\s*([A-Za-z]+)/i,
  err: /(?:^|\s)err(?:or)?\s*[:=]\s*([0-9A-Za-z]{1,16})/i,
} as const satisfies Record<keyof ReceiptWords, RegExp>;

/** Looks only before `text:`, which repeats what the user wrote and could say anything. */
function readText(whole: string): ReceiptWords {
  const head = whole.slice(0, 512).split(/(?:^|\s)text\s*[:=]/i, 1)[0] ?? '';
  const words: ReceiptWords = {};
  for (const key of Object.keys(KEYS) as (keyof ReceiptWords)[]) {
    const found = KEYS[key].exec(head)?.[1];
    if (found !== undefined) words[key] = found;
  }
  return words;
}

const counted = <K extends string>(key: K, digits: string | undefined): { [P in K]?: number } =>
  digits === undefined ? {} : ({ [key]: Number(digits) } as { [P in K]?: number });

/** §5.3.2.31: one octet of network type and a 16-bit code; or, as some SMSCs have it, three ASCII digits. */
function networkError({ tlvs }: DeliverSm): Receipt['error'] {
  const octets = readTlv(tlvs, 'network_error_code');
  if (!octets) return undefined;
  const digits = octets.toString('latin1');
  if (/^\d{3}$/.test(digits)) return { code: digits };
  return { networkType: octets.readUInt8(0), code: String(octets.readUInt16BE(1)) };
}

/**
 * The forms one message id takes between submit_sm_resp and receipt: other case, leading zeros dropped, decimal for
 * hexadecimal and back. Candidates for a look-up, the id itself first; two messages may share a later one.
 */
export function messageIdVariants(id: string): string[] {
  const plain = id.trim();
  const variants = new Set([plain, plain.toLowerCase(), plain.toUpperCase()]);
  const bare = plain.toLowerCase().replace(/^0x/, '').replace(/^0+(?=.)/, ''); // biome-ignore format: one step a word
  variants.add(bare);
  variants.add(bare.toUpperCase());
  if (bare.length <= 32 && /^\d+$/.test(bare)) variants.add(BigInt(bare).toString(16)).add(BigInt(bare).toString(16).toUpperCase());
  if (bare.length <= 32 && /^[0-9a-f]+$/.test(bare)) variants.add(BigInt(`0x${bare}`).toString());
  return [...variants];
}
