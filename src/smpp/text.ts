import { decodeGsm } from './gsm0338.js';
import { type DeliverSm, ESM_CLASS, type SubmitSm } from './pdu.js';
import { readTlv } from './tlvs.js';
import { type ConcatInfo, concatFromUdh, IE_CONCAT_8, IE_CONCAT_16, type InformationElement, isPartSound, parseUdh } from './udh.js';

/** What a link means by data_coding 0, "SMSC default alphabet" (SMPP 3.4 §5.2.19). */
export type DefaultAlphabet = 'gsm0338' | 'latin1';

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

/** The text of `octets`, or undefined when data_coding says that they are not text. It never throws. */
export function decodeText(octets: Buffer, dataCoding: number, defaultAlphabet: DefaultAlphabet = 'gsm0338'): string | undefined {
  const alphabet = alphabetOf(dataCoding);
  if (alphabet === 'binary') return undefined;
  if (alphabet === 'ucs2') return decodeUcs2(octets);
  if (alphabet === 'default' && defaultAlphabet === 'gsm0338') return decodeGsm(octets);
  return octets.toString('latin1');
}

/** The message as the radio carries it: the user data header apart from the content, and its place in a longer message. */
export interface MessageContent {
  /** Views of the PDU, not copies. */
  readonly octets: Buffer;
  readonly elements: readonly InformationElement[];
  readonly concat: ConcatInfo | undefined;
}

/** Takes short_message, or message_payload where that is empty (SMPP 3.4 §5.3.2.32), apart. */
export function messageContent(pdu: SubmitSm | DeliverSm): MessageContent {
  const whole = pdu.shortMessage.length > 0 ? pdu.shortMessage : (readTlv(pdu.tlvs, 'message_payload') ?? pdu.shortMessage);
  const userData = (pdu.esmClass & ESM_CLASS.udhi) !== 0 ? parseUdh(whole) : undefined;
  const elements = userData?.elements ?? [];
  return { octets: userData?.content ?? whole, elements, concat: concatFromUdh(elements) ?? concatFromSar(pdu) };
}

function concatFromSar({ tlvs }: SubmitSm | DeliverSm): ConcatInfo | undefined {
  if (tlvs.length === 0) return undefined;
  const reference = readTlv(tlvs, 'sar_msg_ref_num');
  const total = readTlv(tlvs, 'sar_total_segments');
  const part = readTlv(tlvs, 'sar_segment_seqnum');
  if (reference === undefined || total === undefined || part === undefined) return undefined;
  return isPartSound({ total, part }) ? { method: 'sar', reference, total, part } : undefined;
}

/** The text of one PDU, header removed, or undefined for binary content. */
export function messageText(pdu: SubmitSm | DeliverSm, defaultAlphabet: DefaultAlphabet = 'gsm0338'): string | undefined {
  return decodeText(messageContent(pdu).octets, pdu.dataCoding, defaultAlphabet);
}

/**
 * What the parts of one long message have in common: sender, receiver, method, reference, total and the other elements of
 * the header. Two long messages that happen to share a reference seldom share all of it. Undefined for a single message.
 */
export function reassemblyKey(pdu: DeliverSm): string | undefined {
  const { concat, elements } = messageContent(pdu);
  if (!concat || concat.total === 1) return undefined;
  const others = elements
    .filter(({ id }) => id !== IE_CONCAT_8 && id !== IE_CONCAT_16)
    .map(({ id, data }) => `${id}=${data.toString('hex')}`);
  const key = [pdu.sourceAddr, pdu.destinationAddr, concat.method, concat.reference, concat.total, ...others];
  return JSON.stringify(key);
}
