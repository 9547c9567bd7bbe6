import { TLVS } from '../../src/smpp/tlvs.js';

/**
 * A second opinion on what the decoder says: whether octets are a sound PDU, read off the standard's tables anew and
 * slowly, with nothing of the codec but the lengths of the TLVs.
 */
export interface Verdict {
  /** `submit_sm`; undefined for a command_id that SMPP 3.4 does not have. */
  readonly command: string | undefined;
  readonly isSound: boolean;
  readonly sequence: number;
  readonly isResponse: boolean;
}

/**
 * Mandatory parameters in wire order: `b` one octet, `w` four, `z21` a C-Octet String of at most 21 octets with its NUL,
 * `Z21` one that may not be empty, `t` a time, `s` octets behind their length, `d` dest_addresses, `u` unsuccess_smes,
 * `e` esm_class.
 */
const BODIES: Readonly<Record<string, readonly [id: number, body: string]>> = {
  generic_nack: [0x8000_0000, ''],
  bind_receiver: [0x01, 'z16 z9 z13 b b b z41'],
  bind_receiver_resp: [0x8000_0001, 'z16'],
  bind_transmitter: [0x02, 'z16 z9 z13 b b b z41'],
  bind_transmitter_resp: [0x8000_0002, 'z16'],
  query_sm: [0x03, 'Z65 b b z21'],
  query_sm_resp: [0x8000_0003, 'z65 z17 b b'],
  submit_sm: [0x04, 'z6 b b z21 b b Z21 e b b t t b b b b s'],
  submit_sm_resp: [0x8000_0004, 'z65'],
  deliver_sm: [0x05, 'z6 b b z21 b b z21 e b b z17 z17 b b b b s'],
  deliver_sm_resp: [0x8000_0005, 'z65'],
  unbind: [0x06, ''],
  unbind_resp: [0x8000_0006, ''],
  replace_sm: [0x07, 'Z65 b b z21 t t b b s'],
  replace_sm_resp: [0x8000_0007, ''],
  cancel_sm: [0x08, 'z6 z65 b b z21 b b z21'],
  cancel_sm_resp: [0x8000_0008, ''],
  bind_transceiver: [0x09, 'z16 z9 z13 b b b z41'],
  bind_transceiver_resp: [0x8000_0009, 'z16'],
  outbind: [0x0b, 'z16 z9'],
  enquire_link: [0x15, ''],
  enquire_link_resp: [0x8000_0015, ''],
  submit_multi: [0x21, 'z6 b b z21 d e b b t t b b b b s'],
  submit_multi_resp: [0x8000_0021, 'z65 u'],
  alert_notification: [0x0102, 'b b z65 b b z65'],
  data_sm: [0x0103, 'z6 b b z65 b b Z65 e b b'],
  data_sm_resp: [0x8000_0103, 'z65'],
};
const BY_ID = new Map(
  Object.entries(BODIES).map(([command, [id, body]]) => [id, { command, parameters: body === '' ? [] : body.split(' ') }]),
);

/** Judges the octets of one PDU, whose command_length is theirs. */
export function judge(octets: Buffer): Verdict {
  const id = octets.readUInt32BE(4);
  const sequence = octets.readUInt32BE(12);
  const isResponse = id >= 0x8000_0000;
  const known = BY_ID.get(id);
  if (!known) return { command: undefined, isSound: false, sequence, isResponse };
  const isEmptyResponse = isResponse && octets.length === 16;
  const isSound = isEmptyResponse || isBodySound(octets.subarray(16), known.parameters);
  return { command: known.command, isSound, sequence, isResponse };
}

const TIME = /^([0-9]{15}[-+R])?$/;

function isBodySound(body: Buffer, parameters: readonly string[]): boolean {
  let rest = body;
  let esmClass = 0;
  let content = Buffer.alloc(0);

  const octet = (): number | undefined => {
    const [first] = rest;
    rest = rest.subarray(1);
    return first;
  };
  const text = (octetsMax: number): string | undefined => {
    const nul = rest.subarray(0, octetsMax).indexOf(0);
    if (nul < 0) return undefined;
    const read = rest.subarray(0, nul).toString('latin1');
    rest = rest.subarray(nul + 1);
    return read;
  };
  const address = (): boolean => octet() !== undefined && octet() !== undefined && text(21) !== undefined;
  const destination = (): boolean => {
    const flag = octet();
    if (flag === 2) return !['', undefined].includes(text(21));
    return flag === 1 && octet() !== undefined && octet() !== undefined && !['', undefined].includes(text(21));
  };
  const unsuccess = (): boolean => {
    if (!address() || rest.length < 4) return false;
    rest = rest.subarray(4);
    return true;
  };
  const times = (count: number | undefined, least: number, each: () => boolean): boolean => {
    if (count === undefined || count < least) return false;
    for (let i = 0; i < count; i++) if (!each()) return false;
    return true;
  };
  const parameter = (kind: string): boolean => {
    const octetsMax = Number(kind.slice(1));
    switch (kind[0]) {
      case 'b':
        return octet() !== undefined;
      case 'e': {
        const read = octet();
        esmClass = read ?? 0;
        return read !== undefined;
      }
      case 'z':
        return text(octetsMax) !== undefined;
      case 'Z':
        return !['', undefined].includes(text(octetsMax));
      case 't': {
        const read = text(17);
        return read !== undefined && TIME.test(read);
      }
      case 's': {
        const length = octet();
        if (length === undefined || rest.length < length) return false;
        content = Buffer.from(rest.subarray(0, length));
        rest = rest.subarray(length);
        return true;
      }
      case 'd':
        return times(octet(), 1, destination);
      default:
        return times(octet(), 0, unsuccess);
    }
  };

  if (!parameters.every(parameter)) return false;
  while (rest.length > 0) {
    if (rest.length < 4) return false;
    const tag = rest.readUInt16BE(0);
    const length = rest.readUInt16BE(2);
    if (rest.length < 4 + length || !isLengthAllowed(tag, length)) return false;
    if (tag === 0x0424 && content.length === 0) content = Buffer.from(rest.subarray(4, 4 + length));
    rest = rest.subarray(4 + length);
  }
  // UDHI, on a message that is no receipt or acknowledgement.
  return (esmClass & 0x40) === 0 || (esmClass & 0x3c) !== 0 || hasHeader(content);
}

function isLengthAllowed(tag: number, length: number): boolean {
  const spec = Object.values(TLVS).find((each) => each.tag === tag);
  return !spec || (length >= spec.min && length <= spec.max);
}

/** A user data header whose elements end where it does (3GPP TS 23.040 §9.2.3.24). */
function hasHeader(content: Buffer): boolean {
  const length = content[0] ?? 0;
  if (length === 0 || length >= content.length) return false;
  let at = 1;
  while (at < 1 + length) at += 2 + (at === length ? 0xff : (content[at + 1] ?? 0xff));
  return at === 1 + length;
}

/** The PDUs that a stream is made of, and how it ends: whole, broken by a command_length, or in the middle of a PDU. */
export function judgeStream(octets: Buffer): { readonly pdus: readonly Verdict[]; readonly end: 'whole' | 'broken' | 'partial' } {
  const pdus: Verdict[] = [];
  let at = 0;
  while (at < octets.length) {
    if (at + 4 > octets.length) return { pdus, end: 'partial' };
    const length = octets.readUInt32BE(at);
    if (length < 16 || length > 65_536) return { pdus, end: 'broken' };
    if (at + length > octets.length) return { pdus, end: 'partial' };
    pdus.push(judge(octets.subarray(at, at + length)));
    at += length;
  }
  return { pdus, end: 'whole' };
}
