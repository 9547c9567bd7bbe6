/** command_length, command_id, command_status, sequence_number: four octets each (SMPP 3.4 §3.2). */
export const HEADER_OCTETS = 16;
/** Our bound on command_length; the standard has none. */
export const PDU_OCTETS_MAX = 65_536;

/** Cuts a byte stream into PDUs by command_length (SMPP 3.4 §3.2). */
export interface Framer {
  /** Takes what the socket read. */
  push(chunk: Buffer): void;
  /**
   * The next whole PDU, or undefined when more octets are needed. A PDU that lies whole in one chunk is a view of it;
   * only one that spans chunks is copied.
   */
  next(): Buffer | undefined;
  /** Set once command_length is out of bounds; nothing after it can be trusted. `sequence` is 0 when the header is not whole. */
  readonly broken: { readonly commandLength: number; readonly sequence: number } | undefined;
  /** Octets of a PDU that is not whole yet. */
  readonly partialOctets: number;
}

/** command_length is judged as soon as its four octets are in: 16 to `octetsMax`, anything else breaks the stream. */
export function createFramer(octetsMax: number = PDU_OCTETS_MAX): Framer {
  let chunk: Buffer = EMPTY;
  let at = 0;
  /** The beginning of a PDU whose rest has not come; it grows with what arrives, never with what is announced. */
  let partial: Buffer = EMPTY;
  let held = 0;
  let broken: Framer['broken'];

  function judge(source: Buffer, from: number, available: number): number | undefined {
    const commandLength = source.readUInt32BE(from);
    if (commandLength >= HEADER_OCTETS && commandLength <= octetsMax) return commandLength;
    broken = { commandLength, sequence: available >= HEADER_OCTETS ? source.readUInt32BE(from + 12) : 0 };
    chunk = EMPTY;
    partial = EMPTY;
    at = 0;
    held = 0;
    return undefined;
  }

  /** Moves up to `octets` of the chunk behind what is held. */
  function hold(octets: number): void {
    const moved = Math.min(octets, chunk.length - at);
    if (held + moved > partial.length) {
      const larger = Buffer.allocUnsafe(Math.min(octetsMax, Math.max(256, partial.length * 2, held + moved)));
      partial.copy(larger, 0, 0, held);
      partial = larger;
    }
    chunk.copy(partial, held, at, at + moved);
    held += moved;
    at += moved;
  }

  function nextFromPartial(): Buffer | undefined {
    // The whole header where it is here already, so that a refusal can name the sequence; four octets are enough to judge.
    if (held < HEADER_OCTETS) hold(HEADER_OCTETS - held);
    if (held < 4) return undefined;
    const commandLength = judge(partial, 0, held);
    if (commandLength === undefined) return undefined;
    hold(commandLength - held);
    if (held < commandLength) return undefined;
    const frame = partial.subarray(0, commandLength);
    partial = EMPTY;
    held = 0;
    return frame;
  }

  return {
    push(octets) {
      if (broken) return;
      chunk = at < chunk.length ? Buffer.concat([chunk.subarray(at), octets]) : octets;
      at = 0;
    },
    next() {
      if (broken) return undefined;
      if (held > 0) return nextFromPartial();
      const available = chunk.length - at;
      if (available === 0) return undefined;
      if (available >= 4) {
        const commandLength = judge(chunk, at, available);
        if (commandLength === undefined) return undefined;
        if (commandLength <= available) {
          const frame = chunk.subarray(at, at + commandLength);
          at += commandLength;
          return frame;
        }
      }
      hold(available);
      chunk = EMPTY;
      at = 0;
      return undefined;
    },
    get broken() {
      return broken;
    },
    get partialOctets() {
      return held;
    },
  };
}

const EMPTY: Buffer = Buffer.alloc(0);
