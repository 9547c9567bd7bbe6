import { type CommandName, type CommandSpec, commandById, isResponseId } from './commands.js';
import type { FieldIo } from './field-io.js';
import { HEADER_OCTETS, PDU_OCTETS_MAX } from './framer.js';
import type { Header } from './layouts.js';
import { wrongMeaning } from './meaning.js';
import type { Pdu } from './pdu.js';
import { STATUS, type StatusName } from './statuses.js';
import { isTlvLengthValid, NO_TLVS, type Tlv } from './tlvs.js';

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
  const known = commandById(commandId);
  if (known === undefined) return { kind: 'unknown-command', commandId, sequence };
  const command = known.name;
  const headerStatus = frame.readUInt32BE(8);
  const pdu = reader.read(frame, known.spec, { command, commandStatus: headerStatus, sequence, tlvs: NO_TLVS });
  const wrong = reader.wrong ?? wrongMeaning(pdu);
  if (wrong !== undefined) return { kind: 'bad-body', command, headerStatus, sequence, commandStatus: STATUS[wrong] };
  return { kind: 'pdu', pdu };
}

/** What a layout is handed to look into while reading: the fields come from the octets. */
const NOTHING_GIVEN: Record<string, never> = Object.freeze({});

/** Reads the parameters of one PDU after the other. Past the first wrong one it gives empty values and stands still. */
class FieldReader implements FieldIo {
  wrong: StatusName | undefined;
  #frame: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;
  #isBodyLeftOut = false;

  read(frame: Buffer, { id, layout }: CommandSpec, header: Header): Pdu {
    this.#frame = frame;
    this.#at = HEADER_OCTETS;
    this.#end = frame.length;
    this.#isBodyLeftOut = this.#end === HEADER_OCTETS && isResponseId(id);
    this.wrong = undefined;
    const pdu = layout(this, header, NOTHING_GIVEN) as { tlvs: readonly Tlv[] };
    if (this.#at < this.#end) pdu.tlvs = this.#readTlvs();
    return pdu as unknown as Pdu;
  }

  cString(_name: string, _given: string | undefined, octetsMax: number, wrong: StatusName): string {
    const frame = this.#frame;
    const from = this.#at;
    const stop = Math.min(this.#end, from + octetsMax);
    let nul = from;
    while (nul < stop && frame[nul] !== 0) nul++;
    if (nul >= stop) {
      this.#fail(from >= this.#end ? 'ESME_RINVCMDLEN' : wrong);
      return '';
    }
    this.#at = nul + 1;
    return nul === from ? '' : frame.toString('latin1', from, nul);
  }

  uint8(): number {
    if (this.#at < this.#end) return this.#frame[this.#at++] ?? 0;
    this.#fail('ESME_RINVCMDLEN');
    return 0;
  }

  uint32(): number {
    const from = this.#at;
    if (from + 4 > this.#end) {
      this.#fail('ESME_RINVCMDLEN');
      return 0;
    }
    this.#at = from + 4;
    return this.#frame.readUInt32BE(from);
  }

  octets(_name: string, _given: Buffer | undefined, wrong: StatusName): Buffer {
    const length = this.uint8();
    const from = this.#at;
    if (from + length > this.#end) {
      this.#fail(wrong);
      return NO_OCTETS;
    }
    this.#at = from + length;
    return length === 0 ? NO_OCTETS : this.#frame.subarray(from, from + length);
  }

  list<T>(
    _name: string,
    _given: unknown,
    countMin: 0 | 1,
    wrong: StatusName,
    each: (io: FieldIo, given: T | undefined) => T,
  ): readonly T[] {
    const count = this.uint8();
    const items: T[] = [];
    if (count < countMin) this.#fail(wrong);
    for (let i = 0; i < count && this.wrong === undefined; i++) items.push(each(this, undefined));
    return items;
  }

  refuse<T>(_name: string, _why: string, wrong: StatusName, fallback: T): T {
    this.#fail(wrong);
    return fallback;
  }

  #fail(status: StatusName): void {
    if (this.#isBodyLeftOut) return;
    this.wrong ??= status;
    this.#at = this.#end;
  }

  #readTlvs(): readonly Tlv[] {
    const frame = this.#frame;
    const tlvs: Tlv[] = [];
    while (this.#at < this.#end) {
      const from = this.#at + 4;
      if (from > this.#end) {
        this.#fail('ESME_RINVOPTPARSTREAM');
        break;
      }
      const tag = frame.readUInt16BE(from - 4);
      const to = from + frame.readUInt16BE(from - 2);
      if (to > this.#end) this.#fail('ESME_RINVOPTPARSTREAM');
      else if (!isTlvLengthValid(tag, to - from)) this.#fail('ESME_RINVPARLEN');
      else {
        tlvs.push({ tag, value: frame.subarray(from, to) });
        this.#at = to;
      }
    }
    return tlvs;
  }
}

const NO_OCTETS = Buffer.alloc(0);
/** Decoding does not yield, so that one reader serves every session. */
const reader = new FieldReader();
