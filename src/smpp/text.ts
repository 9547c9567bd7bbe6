import { type ConcatInfo, concatFromSar, concatFromUdh } from './concatenation.js';
import { NO_SHIFT, type Shift, shiftedAlphabet } from './national-alphabets.js';
import { unpackSeptets } from './packed-septets.js';
import { ESM_CLASS } from './pdu.js';
import { readTlv, type Tlv } from './tlvs.js';
import { type InformationElement, type Ports, parseUdh, portsFromUdh, shiftFromUdh } from './udh.js';

/** What a link means by data_coding 0, "SMSC default alphabet" (SMPP 3.4 §5.2.19). */
export type DefaultAlphabet = 'gsm0338' | 'latin1' | 'ascii';

/** How a link writes the default alphabet. */
export interface WireText {
  /** `gsm0338` unless told otherwise. */
  readonly defaultAlphabet?: DefaultAlphabet;
  /** GSM septets come packed, eight to seven octets, as the radio carries them. */
  readonly isPacked?: boolean;
}

/** What submit_sm, deliver_sm and data_sm have in common; data_sm has its content in message_payload alone. */
export interface MessagePdu {
  readonly esmClass: number;
  readonly dataCoding: number;
  readonly shortMessage?: Buffer;
  readonly tlvs: readonly Tlv[];
}

/** UTF-16 big-endian, which is what handsets show for UCS-2 (3GPP TS 23.038 §6.2.3). */
export function encodeUcs2(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16();
}

/** Reads UTF-16 big-endian. A last odd octet is dropped. */
export function decodeUcs2(octets: Buffer): string {
  return Buffer.from(octets.subarray(0, octets.length & ~1))
    .swap16()
    .toString('utf16le');
}

type Alphabet = 'default' | 'ascii' | 'latin1' | 'ucs2' | 'binary';

/**
 * The alphabet behind a data_coding. 0x00 to 0x0f are SMPP's own values (3.4 §5.2.19); from 0x10 on the octet is read as
 * TP-DCS (TS 23.038 §4), which is what SMSCs mean by 0x10, 0x18 or 0xf0.
 */
export function alphabetOf(dataCoding: number): Alphabet {
  if (dataCoding < 0x10) {
    if (dataCoding === 0) return 'default';
    if (dataCoding === 1) return 'ascii';
    if (dataCoding === 3) return 'latin1';
    return dataCoding === 8 ? 'ucs2' : 'binary';
  }
  const group = dataCoding >> 4;
  if (group === 0xf) return dataCoding & 0x04 ? 'binary' : 'default';
  if (group === 0xc || group === 0xd) return 'default';
  if (group === 0xe) return 'ucs2';
  if (group >= 8 || (dataCoding & 0x20) !== 0) return 'binary';
  return (['default', 'binary', 'ucs2', 'binary'] as const)[(dataCoding >> 2) & 3] ?? 'binary';
}

/** The message class of a TP-DCS (TS 23.038 §4), 0 is shown at once and not kept; undefined for SMPP's own values, which have none. */
export function messageClassOf(dataCoding: number): 0 | 1 | 2 | 3 | undefined {
  const group = dataCoding >> 4;
  const hasClass = group === 0xf || (group < 8 && (dataCoding & 0x10) !== 0);
  return hasClass ? ((dataCoding & 3) as 0 | 1 | 2 | 3) : undefined;
}

const isGsm = (alphabet: Alphabet, { defaultAlphabet = 'gsm0338' }: WireText): boolean =>
  alphabet === 'default' && defaultAlphabet === 'gsm0338';

/** The text of `octets`, or undefined when data_coding says that they are not text. It never throws. */
export function decodeText(
  octets: Buffer,
  dataCoding: number,
  defaultAlphabet: DefaultAlphabet = 'gsm0338',
  shift: Shift = NO_SHIFT,
): string | undefined {
  const alphabet = alphabetOf(dataCoding);
  if (alphabet === 'binary') return undefined;
  if (alphabet === 'ucs2') return decodeUcs2(octets);
  if (isGsm(alphabet, { defaultAlphabet })) return shiftedAlphabet(shift).decode(octets);
  return octets.toString('latin1');
}

/** A message's content, or that of one part of it, with all that it takes to read it. */
export interface PartContent {
  /** GSM septets are one an octet. */
  readonly octets: Buffer;
  readonly dataCoding: number;
  /** The national tables that the header names. */
  readonly shift: Shift;
}

/** The message as the radio carries it: the user data header apart from the content, and its place in a longer message. */
export interface MessageContent extends PartContent {
  /** Views of the PDU, not copies, but for septets that came packed. */
  readonly octets: Buffer;
  readonly elements: readonly InformationElement[];
  readonly concat: ConcatInfo | undefined;
  readonly ports: Ports | undefined;
}

/** Takes short_message, or message_payload where that is empty (SMPP 3.4 §5.3.2.32), apart. */
export function messageContent(pdu: MessagePdu, wire: WireText = {}): MessageContent {
  const { esmClass, dataCoding, shortMessage = EMPTY, tlvs } = pdu;
  const whole = shortMessage.length > 0 ? shortMessage : (readTlv(tlvs, 'message_payload') ?? shortMessage);
  // A receipt may have the flag of its original, and no header: then the whole is content.
  const userData = (esmClass & ESM_CLASS.udhi) !== 0 ? parseUdh(whole) : undefined;
  const elements = userData?.elements ?? [];
  const content = userData?.content ?? whole;
  const isPacked = wire.isPacked === true && isGsm(alphabetOf(dataCoding), wire);
  return {
    octets: isPacked ? unpackSeptets(content, whole.length - content.length) : content,
    dataCoding,
    shift: shiftFromUdh(elements),
    elements,
    concat: concatFromUdh(elements) ?? concatFromSar(tlvs),
    ports: portsFromUdh(elements) ?? portsFromTlvs(tlvs),
  };
}

/** SMPP 3.4 §5.3.2.20 and §5.3.2.21. */
function portsFromTlvs(tlvs: readonly Tlv[]): Ports | undefined {
  if (tlvs.length === 0) return undefined;
  const destination = readTlv(tlvs, 'destination_port');
  return destination === undefined ? undefined : { destination, source: readTlv(tlvs, 'source_port') ?? 0 };
}

/** The text of one PDU, header removed, or undefined for binary content. */
export function messageText(pdu: MessagePdu, wire: WireText = {}): string | undefined {
  const { octets, dataCoding, shift } = messageContent(pdu, wire);
  return decodeText(octets, dataCoding, wire.defaultAlphabet, shift);
}

/**
 * The text of a long message from its parts in order, or undefined when a part is binary. Parts may be of different alphabets; where
 * they are of one, a character or an escape sequence that was cut in two is whole again.
 */
export function joinText(parts: readonly PartContent[], defaultAlphabet: DefaultAlphabet = 'gsm0338'): string | undefined {
  let text = '';
  for (let from = 0; from < parts.length; ) {
    const first = parts[from];
    if (!first) break;
    let to = from + 1;
    while (to < parts.length && isAlike(first, parts[to])) to++;
    const run = Buffer.concat(parts.slice(from, to).map(({ octets }) => octets));
    const read = decodeText(run, first.dataCoding, defaultAlphabet, first.shift);
    if (read === undefined) return undefined;
    text += read;
    from = to;
  }
  return text;
}

const isAlike = (a: PartContent, b: PartContent | undefined): boolean =>
  a.dataCoding === b?.dataCoding && a.shift.locking === b.shift.locking && a.shift.single === b.shift.single;

const EMPTY = Buffer.alloc(0);
