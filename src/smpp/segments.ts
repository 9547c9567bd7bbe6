import { toUSVString } from 'node:util';
import { GatewayError } from '../kernel/errors.js';
import { encodeGsm, gsmSeptets, gsmSeptetsOfUnit } from './gsm0338.js';
import { ESM_CLASS } from './pdu.js';
import { encodeUcs2 } from './text.js';
import { type Tlv, tlv } from './tlvs.js';
import { concatUdh } from './udh.js';

/** How the parts of a long message find each other: a user data header, SAR parameters, or no parts at all (message_payload). */
export type LongMessageMethod = 'udh8' | 'udh16' | 'sar' | 'payload';

export interface SegmentOptions {
  /** What the link wants for a text that does not fit in one; `udh8` unless told otherwise. */
  readonly method?: LongMessageMethod;
  /** Reference of the concatenation: 16 bits, of which `udh8` sends the low 8. The caller chooses one not in use to that number. */
  readonly reference?: number;
  /** `auto` takes GSM 7-bit when the whole text is in it, else UCS-2. */
  readonly encoding?: 'auto' | 'ucs2';
  /** Bound on the number of parts, 1 to 255; 255 unless told otherwise. */
  readonly segmentsMax?: number;
}

/** What to put into one submit_sm. */
export interface Segment {
  readonly esmClass: number;
  readonly dataCoding: number;
  readonly shortMessage: Buffer;
  readonly tlvs: readonly Tlv[];
}

export interface SegmentedText {
  readonly encoding: 'gsm0338' | 'ucs2';
  /** Septets of GSM text, or UTF-16 units, without headers. */
  readonly units: number;
  /** Parts as the radio network counts and charges them; with `payload` more than there are PDUs. */
  readonly count: number;
  readonly segments: readonly Segment[];
}

/**
 * What fits: TP-UD holds 140 octets (3GPP TS 23.040 §9.2.3.16). A header of 6 octets leaves 153 septets or 67 UCS-2 units,
 * the 7 octets of a 16-bit reference leave 152 or 66. With SAR and message_payload the SMSC writes an 8-bit header.
 */
const CAPACITY = {
  gsm0338: { single: 160, udh8: 153, udh16: 152, sar: 153, payload: 153 },
  ucs2: { single: 70, udh8: 67, udh16: 66, sar: 67, payload: 67 },
} as const;

const SEGMENTS_MAX = 255;

/**
 * Splits `text` into the bodies of one MT, in order, at least one.
 *
 * GSM 7-bit (unpacked, data_coding 0) when every character is in the default alphabet or its extension table
 * (TS 23.038 §6.2.1), else UCS-2 (data_coding 8). No surrogate pair and no escape sequence is ever cut in two;
 * a lone surrogate becomes U+FFFD.
 *
 * @throws GatewayError `SMS.TOO_LONG` past `segmentsMax` parts.
 */
export function segments(text: string, options: SegmentOptions = {}): SegmentedText {
  const { method = 'udh8', reference = 0, segmentsMax = SEGMENTS_MAX } = options;
  const whole = toUSVString(text);
  const septets = options.encoding === 'ucs2' ? undefined : gsmSeptets(whole);
  const encoding = septets === undefined ? 'ucs2' : 'gsm0338';
  const units = septets ?? whole.length;
  const capacity = CAPACITY[encoding];
  const dataCoding = encoding === 'ucs2' ? 8 : 0;
  const encode = (part: string): Buffer => (encoding === 'ucs2' ? encodeUcs2(part) : (encodeGsm(part) ?? EMPTY));
  if (units <= capacity.single) {
    return { encoding, units, count: 1, segments: [{ esmClass: 0, dataCoding, shortMessage: encode(whole), tlvs: [] }] };
  }
  const parts = split(whole, capacity[method], encoding === 'ucs2');
  if (parts.length > Math.min(segmentsMax, SEGMENTS_MAX)) {
    throw new GatewayError('SMS.TOO_LONG', { detail: `The text needs ${parts.length} segments; at most ${segmentsMax} are allowed.` });
  }
  const count = parts.length;
  if (method === 'payload') {
    const body = { esmClass: 0, dataCoding, shortMessage: EMPTY, tlvs: [tlv('message_payload', encode(whole))] };
    return { encoding, units, count, segments: [body] };
  }
  const build = (part: string, index: number): Segment => {
    const content = encode(part);
    if (method === 'sar') return { esmClass: 0, dataCoding, shortMessage: content, tlvs: sarTlvs(reference, count, index + 1) };
    const shortMessage = Buffer.concat([concatUdh(method, reference, count, index + 1), content]);
    return { esmClass: ESM_CLASS.udhi, dataCoding, shortMessage, tlvs: [] };
  };
  return { encoding, units, count, segments: parts.map(build) };
}

/** SMPP 3.4 §5.3.2.22 to §5.3.2.24. */
const sarTlvs = (reference: number, total: number, part: number): Tlv[] => [
  tlv('sar_msg_ref_num', reference & 0xffff),
  tlv('sar_total_segments', total),
  tlv('sar_segment_seqnum', part),
];

function split(text: string, capacity: number, isUcs2: boolean): string[] {
  const parts: string[] = [];
  let from = 0;
  let used = 0;
  for (let i = 0; i < text.length; ) {
    const unit = text.charCodeAt(i);
    const step = isUcs2 && unit >= 0xd800 && unit <= 0xdbff ? 2 : 1;
    const cost = isUcs2 ? step : gsmSeptetsOfUnit(unit);
    if (used + cost > capacity) {
      parts.push(text.slice(from, i));
      from = i;
      used = 0;
    }
    used += cost;
    i += step;
  }
  parts.push(text.slice(from));
  return parts;
}

const EMPTY = Buffer.alloc(0);
