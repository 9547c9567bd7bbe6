import smpp, { type Pdu } from 'smpp';

export interface Concatenation {
  ref: number;
  total: number;
  seq: number;
}

/** One part as it was submitted. */
export interface ShortMessage {
  text: string;
  concatenation?: Concatenation;
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value);

/** The package decodes the text; what it leaves as octets (8-bit data, unknown alphabets) becomes hexadecimal digits. */
function readBody(field: unknown): { text: string; udh: unknown } | undefined {
  if (typeof field !== 'object' || field === null || !('message' in field)) return undefined;
  const { message } = field;
  const text = Buffer.isBuffer(message) ? message.toString('hex') : typeof message === 'string' ? message : '';
  return { text, udh: 'udh' in field ? field.udh : undefined };
}

/** Concatenation elements of a user data header: 3GPP TS 23.040 §9.2.3.24.1 (8-bit) and §9.2.3.24.8 (16-bit reference). */
function fromUserDataHeader(udh: unknown): Concatenation | undefined {
  for (const element of Array.isArray(udh) ? udh : []) {
    if (!Buffer.isBuffer(element)) continue;
    if (element[0] === 0x00 && element[1] === 3 && element.length === 5) {
      return { ref: element.readUInt8(2), total: element.readUInt8(3), seq: element.readUInt8(4) };
    }
    if (element[0] === 0x08 && element[1] === 4 && element.length === 6) {
      return { ref: element.readUInt16BE(2), total: element.readUInt8(4), seq: element.readUInt8(5) };
    }
  }
  return undefined;
}

function fromSegmentTlvs(pdu: Pdu): Concatenation | undefined {
  const { sar_msg_ref_num: ref, sar_total_segments: total, sar_segment_seqnum: seq } = pdu;
  return isCount(ref) && isCount(total) && isCount(seq) ? { ref, total, seq } : undefined;
}

/** Reads text and place of a `submit_sm`; undefined when its body ends before the message. */
export function readShortMessage(pdu: Pdu): ShortMessage | undefined {
  const short = readBody(pdu.short_message);
  const payload = readBody(pdu.message_payload);
  const body = short && short.text !== '' ? short : (payload ?? short);
  if (!body) return undefined;
  const found = fromUserDataHeader(body.udh) ?? fromUserDataHeader(short?.udh) ?? fromSegmentTlvs(pdu);
  const isPlace = found && found.total > 1 && found.seq >= 1 && found.seq <= found.total;
  return isPlace ? { text: body.text, concatenation: found } : { text: body.text };
}

const EXTENDED = new Set('\f^{}\\[~]|€');
const SEPTETS = { single: 160, part: 153 };
const UCS2_UNITS = { single: 70, part: 67 };

/** A handset's message cut into the bodies of its parts (3GPP TS 23.040): GSM alphabet when the text allows it, else UCS-2. */
export function splitText(text: string): { dataCoding: 0 | 8; parts: string[] } {
  const isGsm = !text.includes('\x1B') && smpp.encodings.ASCII.match(text);
  const bound = isGsm ? SEPTETS : UCS2_UNITS;
  const width = (character: string) => (isGsm ? (EXTENDED.has(character) ? 2 : 1) : character.length);
  const parts: string[] = [];
  let part = '';
  let used = 0;
  let whole = 0;
  for (const character of text) {
    const units = width(character);
    whole += units;
    if (used + units > bound.part) {
      parts.push(part);
      part = '';
      used = 0;
    }
    part += character;
    used += units;
  }
  parts.push(part);
  return { dataCoding: isGsm ? 0 : 8, parts: whole <= bound.single ? [text] : parts };
}
