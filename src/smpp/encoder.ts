import { GatewayError } from '../kernel/errors.js';
import { type CommandName, type CommandSpec, commandSpec, isResponseId } from './commands.js';
import type { FieldIo } from './field-io.js';
import { HEADER_OCTETS, PDU_OCTETS_MAX } from './framer.js';
import type { Header } from './layouts.js';
import type { AnyFields, OutgoingPdu } from './pdu.js';
import { isTlvLengthValid, NO_TLVS, type Tlv } from './tlvs.js';

/** A growing run of encoded PDUs, so that many leave in one write. */
export interface Encoder {
  /** Appends one PDU, given its header and its fields. @throws as `append`. */
  put(command: CommandName, sequence: number, commandStatus: number, given: AnyFields): void;
  /** Appends one PDU. @throws GatewayError `SMPP.BAD_PDU` naming the field that is out of its bounds; nothing is appended then. */
  append(pdu: OutgoingPdu): void;
  readonly length: number;
  /** What was appended since the last take. Nothing writes into it any more. */
  take(): Buffer;
}

export const createEncoder = (): Encoder => new FieldWriter();

/** One PDU alone, in a buffer of its own. @throws GatewayError `SMPP.BAD_PDU` naming the field that is out of its bounds. */
export function encodePdu(pdu: OutgoingPdu): Buffer {
  const encoder = createEncoder();
  encoder.append(pdu);
  return encoder.take();
}

/** §5.2.21; SMPP 5.0 allows 255, which we read and do not write. */
const SHORT_MESSAGE_OCTETS_MAX = 254;
/** §5.2.24 number_of_dests; a count takes one octet. */
const LIST_ITEMS_MAX = 254;
/** Memory is taken in slabs, from which one batch after the other is cut: for a session that rests, and for one that works. */
const SLAB_OCTETS_MIN = 4_096;
const SLAB_OCTETS_MAX = 65_536;

class FieldWriter implements FieldIo, Encoder {
  #slab = Buffer.allocUnsafe(SLAB_OCTETS_MIN);
  /** Where the batch begins, and where the next octet goes. */
  #start = 0;
  #at = 0;

  get length(): number {
    return this.#at - this.#start;
  }

  take(): Buffer {
    const taken = this.#slab.subarray(this.#start, this.#at);
    this.#start = this.#at;
    return taken;
  }

  append(pdu: OutgoingPdu): void {
    this.put(pdu.command, pdu.sequence, pdu.commandStatus ?? 0, pdu);
  }

  put(command: CommandName, sequence: number, commandStatus: number, given: AnyFields): void {
    const spec = commandSpec(command);
    const before = this.length;
    const tlvs = given.tlvs ?? NO_TLVS;
    try {
      this.#ensure(HEADER_OCTETS);
      this.#at += HEADER_OCTETS;
      if (commandStatus === 0 || !isBodyLeftOut(spec, given)) {
        spec.layout(this, NO_HEADER, given as Record<string, never>);
        for (const parameter of tlvs) this.#putTlv(parameter);
      }
      const octets = this.length - before;
      if (octets > PDU_OCTETS_MAX) throw badField('the PDU', `is longer than ${PDU_OCTETS_MAX} octets`);
      const from = this.#at - octets;
      this.#slab.writeUInt32BE(octets, from);
      this.#slab.writeUInt32BE(spec.id, from + 4);
      this.#slab.writeUInt32BE(commandStatus >>> 0, from + 8);
      this.#slab.writeUInt32BE(sequence >>> 0, from + 12);
    } catch (failure) {
      this.#at = this.#start + before;
      throw failure;
    }
  }

  cString(name: string, given: string | undefined, octetsMax: number): string {
    const text = given ?? '';
    if (text.length >= octetsMax) throw badField(name, `is longer than ${octetsMax - 1} characters`);
    this.#ensure(text.length + 1);
    const slab = this.#slab;
    let at = this.#at;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit === 0 || unit > 0xff) throw badField(name, 'has a character that one octet cannot hold');
      slab[at++] = unit;
    }
    slab[at++] = 0;
    this.#at = at;
    return text;
  }

  uint8(name: string, given: number | undefined): number {
    const integer = given ?? 0;
    if ((integer & 0xff) !== integer) throw badField(name, 'is not an integer from 0 to 255');
    this.#ensure(1);
    this.#slab[this.#at++] = integer;
    return integer;
  }

  uint32(name: string, given: number | undefined): number {
    const integer = given ?? 0;
    if (integer >>> 0 !== integer) throw badField(name, 'is not an integer from 0 to 4294967295');
    this.#ensure(4);
    this.#at = this.#slab.writeUInt32BE(integer, this.#at);
    return integer;
  }

  octets(name: string, given: Buffer | undefined): Buffer {
    const value = given ?? NO_OCTETS;
    if (value.length > SHORT_MESSAGE_OCTETS_MAX) throw badField(name, `is longer than ${SHORT_MESSAGE_OCTETS_MAX} octets`);
    this.#ensure(value.length + 1);
    this.#slab[this.#at++] = value.length;
    this.#putOctets(value);
    return value;
  }

  list<T>(
    name: string,
    given: readonly T[] | undefined,
    countMin: 0 | 1,
    _wrong: string,
    each: (io: FieldIo, given: T | undefined) => T,
  ): readonly T[] {
    const items = given ?? [];
    if (items.length < countMin || items.length > LIST_ITEMS_MAX) throw badField(name, `has not ${countMin} to ${LIST_ITEMS_MAX} items`);
    this.uint8(name, items.length);
    for (const item of items) each(this, item);
    return items;
  }

  refuse(name: string, why: string): never {
    throw badField(name, why);
  }

  /** What was taken of a slab that is full stays as it is; the batch moves to a larger one, up to a bound that only a larger batch passes. */
  #ensure(octets: number): void {
    if (this.#at + octets <= this.#slab.length) return;
    const batch = this.length;
    const likely = Math.min(Math.max(SLAB_OCTETS_MIN, this.#slab.length * 2), SLAB_OCTETS_MAX);
    const next = Buffer.allocUnsafe(Math.max(likely, (batch + octets) * 2));
    this.#slab.copy(next, 0, this.#start, this.#at);
    this.#slab = next;
    this.#start = 0;
    this.#at = batch;
  }

  #putOctets(value: Buffer): void {
    this.#slab.set(value, this.#at);
    this.#at += value.length;
  }

  #putTlv({ tag, value }: Tlv): void {
    if (tag >>> 0 !== tag || tag > 0xffff) throw badField(`TLV ${tag}`, 'has a tag that is not an integer from 0 to 65535');
    if (value.length > 0xffff || !isTlvLengthValid(tag, value.length))
      throw badField(`TLV 0x${tag.toString(16).padStart(4, '0')}`, 'has a length that is not allowed');
    this.#ensure(value.length + 4);
    this.#at = this.#slab.writeUInt16BE(tag, this.#at);
    this.#at = this.#slab.writeUInt16BE(value.length, this.#at);
    this.#putOctets(value);
  }
}

/** A layout makes a PDU of what it walked, which is of no use here. */
const NO_HEADER: Header = { command: '', commandStatus: 0, sequence: 0, tlvs: NO_TLVS };
const NO_OCTETS = Buffer.alloc(0);
const IN_HEADER: ReadonlySet<string> = new Set(['command', 'commandStatus', 'sequence']);

/** A response that refuses has no body (§4.1.2, §4.4.2), unless its sender has something to say in it. */
const isBodyLeftOut = ({ id }: CommandSpec, given: object): boolean =>
  isResponseId(id) && Object.entries(given).every(([name, value]) => IN_HEADER.has(name) || isEmpty(value));

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === '' || value === 0 || (Array.isArray(value) && value.length === 0);

const badField = (name: string, why: string): GatewayError => new GatewayError('SMPP.BAD_PDU', { detail: `${name} ${why}.` });
