import { GatewayError } from '../kernel/errors.js';
import { COMMANDS, type CommandName, type CommandSpec, commandName, ESM_CLASS, isResponseId, type OutgoingPdu, type Pdu } from './pdu.js';
import { STATUS, type StatusName } from './statuses.js';
import { isTlvLengthValid, TLVS, type Tlv } from './tlvs.js';
import { parseUdh } from './udh.js';

/** command_length, command_id, command_status, sequence_number: four octets each (SMPP 3.4 §3.2). */
export const HEADER_OCTETS = 16;
/** Our bound on command_length; the standard has none. */
export const PDU_OCTETS_MAX = 65_536;
/** §5.2.21; SMPP 5.0 allows 255, which we read and do not write. */
const SHORT_MESSAGE_OCTETS_MAX = 254;

/**
 * What came out of the octets of one PDU.
 * - `pdu`: well-formed in every bound.
 * - `bad-body`: the header is sound, the rest is not; the stream goes on after it. `commandStatus` is what to answer with.
 * - `unknown-command`: answer generic_nack ESME_RINVCMDID, unless it is a response.
 * - `bad-length`: framing is lost; answer generic_nack ESME_RINVCMDLEN and close.
 */
export type Decoded =
  | { readonly kind: 'pdu'; readonly pdu: Pdu }
  | {
      readonly kind: 'bad-body';
      readonly command: CommandName;
      readonly headerStatus: number;
      readonly sequence: number;
      readonly commandStatus: number;
    }
  | { readonly kind: 'unknown-command'; readonly commandId: number; readonly sequence: number }
  | { readonly kind: 'bad-length'; readonly sequence: number };

/**
 * Decodes exactly one PDU, as the framer cut it. It never throws and never reads past `frame`, whatever the octets are.
 * Octet fields and TLVs are views of `frame`, not copies.
 */
export function decodePdu(frame: Buffer): Decoded {
  if (frame.length < HEADER_OCTETS) return { kind: 'bad-length', sequence: 0 };
  const sequence = frame.readUInt32BE(12);
  if (frame.readUInt32BE(0) !== frame.length || frame.length > PDU_OCTETS_MAX) return { kind: 'bad-length', sequence };
  const commandId = frame.readUInt32BE(4);
  const command = commandName(commandId);
  if (command === undefined) return { kind: 'unknown-command', commandId, sequence };
  const headerStatus = frame.readUInt32BE(8);
  const tlvs: Tlv[] = [];
  // A copy of the blank has its shape from the start, which is several times faster than adding a field at a time.
  const pdu: Record<string, unknown> = { ...BLANKS[command] };
  pdu['commandStatus'] = headerStatus;
  pdu['sequence'] = sequence;
  pdu['tlvs'] = tlvs;
  const wrong = readBody(frame, command, pdu, tlvs) ?? checkMeaning(pdu as unknown as Pdu);
  if (wrong !== undefined) return { kind: 'bad-body', command, headerStatus, sequence, commandStatus: STATUS[wrong] };
  return { kind: 'pdu', pdu: pdu as unknown as Pdu };
}

const BLANKS: Partial<Record<string, Record<string, unknown>>> = {};
for (const [command, { fields }] of Object.entries(COMMANDS)) {
  const empty = Object.fromEntries(fields.map((field) => [field.name, field.kind === 'uint8' ? 0 : '']));
  BLANKS[command] = { command, commandStatus: 0, sequence: 0, tlvs: [], ...empty };
}

function readBody(frame: Buffer, command: CommandName, into: Record<string, unknown>, tlvs: Tlv[]): StatusName | undefined {
  const { fields, id }: CommandSpec = COMMANDS[command];
  const end = frame.length;
  if (end === HEADER_OCTETS && isResponseId(id)) return undefined;
  let at = HEADER_OCTETS;
  for (const field of fields) {
    if (field.kind === 'uint8') {
      if (at >= end) return 'ESME_RINVCMDLEN';
      into[field.name] = frame[at++];
    } else if (field.kind === 'cstring') {
      const stop = Math.min(end, at + field.octetsMax);
      let nul = at;
      while (nul < stop && frame[nul] !== 0) nul++;
      if (nul === stop) return at >= end ? 'ESME_RINVCMDLEN' : field.wrong;
      into[field.name] = nul === at ? '' : frame.toString('latin1', at, nul);
      at = nul + 1;
    } else {
      if (at >= end) return 'ESME_RINVCMDLEN';
      const stop = at + 1 + (frame[at] ?? 0);
      if (stop > end) return field.wrong;
      into[field.name] = frame.subarray(at + 1, stop);
      at = stop;
    }
  }
  return at === end ? undefined : readTlvs(frame, at, tlvs);
}

function readTlvs(frame: Buffer, from: number, tlvs: Tlv[]): StatusName | undefined {
  let at = from;
  while (at < frame.length) {
    if (at + 4 > frame.length) return 'ESME_RINVOPTPARSTREAM';
    const tag = frame.readUInt16BE(at);
    const length = frame.readUInt16BE(at + 2);
    at += 4;
    if (at + length > frame.length) return 'ESME_RINVOPTPARSTREAM';
    if (!isTlvLengthValid(tag, length)) return 'ESME_RINVPARLEN';
    tlvs.push({ tag, value: frame.subarray(at, at + length) });
    at += length;
  }
  return undefined;
}

/** What the layout alone cannot tell: a message needs a destination, and a user data header that is announced must be there. */
function checkMeaning(pdu: Pdu): StatusName | undefined {
  if (pdu.command !== 'submit_sm' && pdu.command !== 'deliver_sm') return undefined;
  if (pdu.command === 'submit_sm' && pdu.destinationAddr === '') return 'ESME_RINVDSTADR';
  // Some SMSCs repeat the UDHI bit of the original in its receipt, whose text has no header.
  const isPlain = (pdu.esmClass & ESM_CLASS.messageTypeMask) === 0;
  if ((pdu.esmClass & ESM_CLASS.udhi) === 0 || !isPlain) return undefined;
  const octets = pdu.shortMessage.length > 0 ? pdu.shortMessage : pdu.tlvs.find(({ tag }) => tag === TLVS.message_payload.tag)?.value;
  return octets !== undefined && parseUdh(octets) !== undefined ? undefined : 'ESME_RINVESMCLASS';
}

/** A growing run of encoded PDUs, so that many leave in one write. */
export interface Encoder {
  /** Appends one PDU. @throws GatewayError `SMPP.BAD_PDU` when a field is out of its bounds; nothing is appended then. */
  append(pdu: OutgoingPdu): void;
  readonly length: number;
  /** What was appended since the last take. The caller owns it. */
  take(): Buffer;
}

export function createEncoder(): Encoder {
  let buffer = Buffer.allocUnsafe(512);
  let at = 0;

  function ensure(octets: number): void {
    if (at + octets <= buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, at + octets));
    buffer.copy(larger, 0, 0, at);
    buffer = larger;
  }

  function putCString(text: string, octetsMax: number, name: string): void {
    if (text.length >= octetsMax) throw badField(name, `is longer than ${octetsMax - 1} characters`);
    ensure(text.length + 1);
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit === 0 || unit > 0xff) throw badField(name, 'has a character that one octet cannot hold');
      buffer[at++] = unit;
    }
    buffer[at++] = 0;
  }

  function putOctets(value: Buffer, name: string): void {
    if (value.length > SHORT_MESSAGE_OCTETS_MAX) throw badField(name, `is longer than ${SHORT_MESSAGE_OCTETS_MAX} octets`);
    ensure(value.length + 1);
    buffer[at++] = value.length;
    buffer.set(value, at);
    at += value.length;
  }

  function putTlv({ tag, value }: Tlv): void {
    if (value.length > 0xffff || !isTlvLengthValid(tag, value.length))
      throw badField(`TLV 0x${tag.toString(16)}`, 'has a length that is not allowed');
    ensure(value.length + 4);
    at = buffer.writeUInt16BE(tag, at);
    at = buffer.writeUInt16BE(value.length, at);
    buffer.set(value, at);
    at += value.length;
  }

  function putBody(spec: CommandSpec, given: Record<string, unknown>): void {
    for (const field of spec.fields) {
      const value = given[field.name];
      if (field.kind === 'uint8') {
        const integer = typeof value === 'number' ? value : 0;
        if (!Number.isInteger(integer) || integer < 0 || integer > 0xff) throw badField(field.name, 'is not an integer from 0 to 255');
        ensure(1);
        buffer[at++] = integer;
      } else if (field.kind === 'cstring') putCString(typeof value === 'string' ? value : '', field.octetsMax, field.name);
      else putOctets(Buffer.isBuffer(value) ? value : EMPTY, field.name);
    }
  }

  function append(pdu: OutgoingPdu): void {
    const spec: CommandSpec = COMMANDS[pdu.command];
    const start = at;
    const status = pdu.commandStatus ?? 0;
    try {
      ensure(HEADER_OCTETS);
      at += HEADER_OCTETS;
      if (!isBodyLeftOut(spec, status, pdu)) {
        putBody(spec, pdu);
        for (const parameter of pdu.tlvs ?? []) putTlv(parameter);
      }
      if (at - start > PDU_OCTETS_MAX) throw badField('the PDU', `is longer than ${PDU_OCTETS_MAX} octets`);
      buffer.writeUInt32BE(at - start, start);
      buffer.writeUInt32BE(spec.id, start + 4);
      buffer.writeUInt32BE(status >>> 0, start + 8);
      buffer.writeUInt32BE(pdu.sequence >>> 0, start + 12);
    } catch (failure) {
      at = start;
      throw failure;
    }
  }

  return {
    append,
    get length() {
      return at;
    },
    take() {
      const taken = buffer.subarray(0, at);
      // The socket keeps what it was given until it is written, so the next run starts in fresh memory of a likely size.
      buffer = Buffer.allocUnsafe(Math.max(512, Math.min(at * 2, PDU_OCTETS_MAX)));
      at = 0;
      return taken;
    },
  };
}

const EMPTY = Buffer.alloc(0);

/** A response that refuses has no body (§4.1.2, §4.4.2), unless its sender has something to say in it. */
function isBodyLeftOut(spec: CommandSpec, status: number, pdu: OutgoingPdu): boolean {
  if (status === 0 || !isResponseId(spec.id) || (pdu.tlvs?.length ?? 0) > 0) return false;
  const given: Record<string, unknown> = pdu;
  return spec.fields.every((field) => given[field.name] === undefined || given[field.name] === '');
}

/** One PDU alone, in a buffer of its own. @throws GatewayError `SMPP.BAD_PDU` when a field is out of its bounds. */
export function encodePdu(pdu: OutgoingPdu): Buffer {
  const encoder = createEncoder();
  encoder.append(pdu);
  return encoder.take();
}

const badField = (name: string, why: string): GatewayError => new GatewayError('SMPP.BAD_PDU', { detail: `${name} ${why}.` });
