import { toUSVString } from 'node:util';
import { GatewayError } from '../kernel/errors.js';
import { concatElement, sarTlvs } from './concatenation.js';
import type { NationalLanguage } from './national-tables.js';
import { ESM_CLASS } from './pdu.js';
import type { DefaultAlphabet } from './text.js';
import { type Tlv, tlv } from './tlvs.js';
import type { Transliteration } from './transliterate.js';
import { type InformationElement, type Ports, portsElement, shiftElements, udhOctets, writeUdh } from './udh.js';
import { chooseWriting } from './writing.js';

/** How the parts of a long message find each other: a user data header, SAR parameters, or no parts at all (message_payload). */
export type LongMessageMethod = 'udh8' | 'udh16' | 'sar' | 'payload';

interface Addressing {
  /** What the link wants for a message that does not fit in one; `udh8` unless told otherwise. */
  readonly method?: LongMessageMethod;
  /** Reference of the concatenation: 16 bits, of which `udh8` sends the low 8. The caller chooses one not in use to that number. */
  readonly reference?: number;
  /** Bound on the number of parts, 1 to 255; 255 unless told otherwise. */
  readonly segmentsMax?: number;
  /** The programs at both ends; undefined for a message to a person. */
  readonly ports?: Ports;
}

export interface SegmentOptions extends Addressing {
  /** What the SMSC takes data_coding 0 for; `gsm0338` unless told otherwise. */
  readonly defaultAlphabet?: DefaultAlphabet;
  /** Languages whose national tables may be used where that saves segments; only with `udh8` and `udh16`. */
  readonly nationalShift?: readonly NationalLanguage[];
  /** What may be written otherwise where that saves segments; `off` unless told otherwise. */
  readonly transliterate?: Transliteration;
  /** Shown at once and not kept: message class 0 (3GPP TS 23.038 §4). */
  readonly isFlash?: boolean;
}

/** What to put into one submit_sm. */
export interface Segment {
  readonly esmClass: number;
  readonly dataCoding: number;
  readonly shortMessage: Buffer;
  readonly tlvs: readonly Tlv[];
}

export interface SegmentedMessage {
  readonly encoding: 'gsm0338' | 'ucs2' | 'binary';
  /** Septets of GSM text, UTF-16 units, or octets, without headers. */
  readonly units: number;
  /** Parts as the radio network counts and charges them; with `payload` more than there are PDUs. */
  readonly count: number;
  readonly segments: readonly Segment[];
}

export interface SegmentedText extends SegmentedMessage {
  readonly encoding: 'gsm0338' | 'ucs2';
  /** What the handset will show. Other signs or letters than were given, where transliterating saved a segment. */
  readonly text: string;
  readonly isTransliterated: boolean;
}

const SEGMENTS_MAX = 255;
const EMPTY = Buffer.alloc(0);

/**
 * Cuts `text` into the bodies of one MT, in order, at least one, in the way that takes the fewest (src/smpp/writing.ts says how
 * it is chosen): data_coding 0 for GSM 7-bit, unpacked, else 8 for UCS-2; 0xf0 and 0x18 for class 0. No surrogate pair, no escape
 * sequence and, where a part has room for it, no grapheme is cut in two; a lone surrogate becomes U+FFFD.
 *
 * @throws GatewayError `SMS.TOO_LONG` past `segmentsMax` parts.
 */
export function segments(text: string, options: SegmentOptions = {}): SegmentedText {
  const { method = 'udh8', isFlash = false, ports } = options;
  const hasOwnHeader = method === 'udh8' || method === 'udh16';
  const writing = chooseWriting(toUSVString(text), {
    ...options,
    // Class 0 is said in a data_coding of TS 23.038, whose default alphabet is GSM's at every SMSC.
    defaultAlphabet: isFlash ? 'gsm0338' : (options.defaultAlphabet ?? 'gsm0338'),
    nationalShift: hasOwnHeader ? (options.nationalShift ?? []) : [],
    headerOctets: headerOctets(method, ports),
    isCutBySmsc: method === 'payload',
  });
  const { encoding, units, encode, shift, isTransliterated } = writing;
  const dataCoding = encoding === 'ucs2' ? (isFlash ? 0x18 : 0x08) : isFlash ? 0xf0 : 0x00;
  const parts = writing.parts.map(encode);
  const bodies = segmentsOf(parts, dataCoding, shiftElements(shift), options);
  return { encoding, units, count: parts.length, segments: bodies, text: writing.text, isTransliterated };
}

/**
 * Cuts octets that are no text, for a program on the handset or the SIM; data_coding 4, "octet unspecified" (SMPP 3.4 §5.2.19),
 * unless told otherwise.
 *
 * @throws GatewayError `SMS.TOO_LONG` past `segmentsMax` parts.
 */
export function binarySegments(octets: Buffer, options: Addressing & { readonly dataCoding?: number } = {}): SegmentedMessage {
  const { method = 'udh8', ports, dataCoding = 0x04 } = options;
  const header = headerOctets(method, ports);
  const capacity = octets.length <= 140 - header.single ? 140 : 140 - header.part;
  const parts = Array.from({ length: Math.max(1, Math.ceil(octets.length / capacity)) }, (_, index) =>
    octets.subarray(index * capacity, (index + 1) * capacity),
  );
  const bodies = segmentsOf(parts, dataCoding, [], options);
  return { encoding: 'binary', units: octets.length, count: parts.length, segments: bodies };
}

/** What concatenation and ports take of each part, whoever writes the header: with SAR and message_payload the SMSC does, with an 8-bit reference. */
function headerOctets(method: LongMessageMethod, ports: Ports | undefined): { single: number; part: number } {
  const own = ports ? [portsElement(ports)] : [];
  const concat = concatElement(method === 'udh16' ? 'udh16' : 'udh8', 0, 1, 1);
  return { single: udhOctets(own), part: udhOctets([concat, ...own]) };
}

function segmentsOf(
  parts: readonly Buffer[],
  dataCoding: number,
  shift: readonly InformationElement[],
  { method = 'udh8', reference = 0, segmentsMax = SEGMENTS_MAX, ports }: Addressing,
): Segment[] {
  const count = parts.length;
  if (count > Math.min(segmentsMax, SEGMENTS_MAX)) {
    throw new GatewayError('SMS.TOO_LONG', { detail: `The text needs ${count} segments; at most ${segmentsMax} are allowed.` });
  }
  if (method === 'payload' || method === 'sar') {
    const portTlvs = ports ? [tlv('source_port', ports.source), tlv('destination_port', ports.destination)] : [];
    if (method === 'payload' && count > 1) {
      const tlvs = [...portTlvs, tlv('message_payload', Buffer.concat(parts))];
      return [{ esmClass: 0, dataCoding, shortMessage: EMPTY, tlvs }];
    }
    return parts.map((shortMessage, index) => {
      const tlvs = count > 1 ? [...portTlvs, ...sarTlvs(reference, count, index + 1)] : portTlvs;
      return { esmClass: 0, dataCoding, shortMessage, tlvs };
    });
  }
  return parts.map((content, index) => {
    const concat = count > 1 ? [concatElement(method, reference, count, index + 1)] : [];
    const header = writeUdh([...concat, ...(ports ? [portsElement(ports)] : []), ...shift]);
    const esmClass = header.length > 0 ? ESM_CLASS.udhi : 0;
    return { esmClass, dataCoding, shortMessage: Buffer.concat([header, content]), tlvs: [] };
  });
}
