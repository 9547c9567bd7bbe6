import type { StatusName } from './statuses.js';

/**
 * Walks the mandatory parameters of a PDU in wire order. A layout calls it once for each: the decoder's gives back what it
 * read, the encoder's writes what it was given. So a layout is stated once, for both ways and for the tests' generator.
 * `wrong` is the status that answers a parameter which is out of its bounds.
 */
export interface FieldIo {
  /** A C-Octet String (SMPP 3.4 §3.1) as Latin-1 text without its NUL; `octetsMax` counts the NUL. */
  cString(name: string, given: string | undefined, octetsMax: number, wrong: StatusName): string;
  uint8(name: string, given: number | undefined): number;
  uint32(name: string, given: number | undefined): number;
  /** Octets behind a length of one octet (sm_length, §5.2.21). */
  octets(name: string, given: Buffer | undefined, wrong: StatusName): Buffer;
  /** Items behind a count of one octet. */
  list<T>(
    name: string,
    given: readonly T[] | undefined,
    countMin: 0 | 1,
    wrong: StatusName,
    each: (io: FieldIo, given: T | undefined) => T,
  ): readonly T[];
  /** Told by a layout whose parameter has a value that no bound covers. Returns `fallback`, for a value to go on with. */
  refuse<T>(name: string, why: string, wrong: StatusName, fallback: T): T;
}
