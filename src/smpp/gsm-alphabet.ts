/** A 7-bit alphabet of 3GPP TS 23.038: a table that is written with one septet a character, and one behind the escape. */
export interface GsmAlphabet {
  /** Septets that one UTF-16 unit takes: 1, 2 with the escape, or 0 when it is in neither table. */
  septetsOfUnit(unit: number): 0 | 1 | 2;
  /** Septets that `text` takes, or undefined when a character is in neither table. */
  septets(text: string): number | undefined;
  /**
   * `text` unpacked, one septet an octet with bit 7 clear, as short_message carries it.
   * @returns undefined when a character is in neither table; nothing is ever replaced silently.
   */
  encode(text: string): Buffer | undefined;
  /**
   * Reads unpacked septets. A pair that the second table lacks shows the first one's character, an escape before another
   * escape or at the end shows a space (§6.2.1 note 1, §6.2.1.1 and A.1), and what has no meaning at all shows U+FFFD.
   */
  decode(octets: Buffer): string;
}

export const ESCAPE = 0x1b;
const NONE = 0xffff;
const EXTENDED = 0x80;
const SPACE = 0x20;
const REPLACEMENT = 0xfffd;

/** Every character of every table is in the Basic Multilingual Plane, the last of them ∞ (U+221E). */
const UNITS = 0x2220;

/** Where a text is put together: one string made at the end, since one grown by characters is a rope of as many pieces. */
const SCRATCH = new Uint16Array(1_024);

/** Characters by code, from 0x00 to 0x7f; undefined where the table is empty. */
export type SeptetTable = readonly (string | undefined)[];

/** @param basic the default alphabet or a locking shift table. @param extension the escape's table, or a single shift table. */
export function createGsmAlphabet(basic: SeptetTable, extension: SeptetTable): GsmAlphabet {
  /** By UTF-16 unit: the septet, `EXTENDED` set where the escape goes before it, or `NONE`. */
  const codeOf = new Uint16Array(UNITS).fill(NONE);
  // The shortest way to write a character wins, and the first where a table has it twice.
  for (let code = 0x7f; code >= 0; code--) put(extension[code], EXTENDED | code);
  for (let code = 0x7f; code >= 0; code--) if (code !== ESCAPE) put(basic[code], code);

  function put(character: string | undefined, code: number): void {
    if (character !== undefined) codeOf[character.charCodeAt(0)] = code;
  }

  /** Octets that mean the same character in this alphabet and in ASCII: most of most texts. */
  const isAscii = new Uint8Array(256);
  for (let code = 0; code < 0x80; code++) if (code !== ESCAPE && basic[code]?.charCodeAt(0) === code) isAscii[code] = 1;

  function isPlain(octets: Buffer): boolean {
    for (let i = 0; i < octets.length; i++) if (isAscii[octets[i] ?? 0] === 0) return false;
    return true;
  }

  /** UTF-16 units by octet, and by the octet behind an escape. */
  const basicUnits = Uint16Array.from({ length: 0x100 }, (_, octet) => basic[octet]?.charCodeAt(0) ?? REPLACEMENT);
  const escapedUnits = Uint16Array.from({ length: 0x80 }, (_, octet) => (extension[octet] ?? basic[octet])?.charCodeAt(0) ?? REPLACEMENT);
  escapedUnits[ESCAPE] = SPACE;

  const septetsOfUnit = (unit: number): 0 | 1 | 2 => {
    const code = codeOf[unit] ?? NONE;
    return code === NONE ? 0 : code >= EXTENDED ? 2 : 1;
  };

  function septets(text: string): number | undefined {
    let sum = 0;
    for (let i = 0; i < text.length; i++) {
      const each = septetsOfUnit(text.charCodeAt(i));
      if (each === 0) return undefined;
      sum += each;
    }
    return sum;
  }

  function encodeWithEscapes(text: string): Buffer | undefined {
    const length = septets(text);
    if (length === undefined) return undefined;
    const octets = Buffer.allocUnsafe(length);
    let at = 0;
    for (let i = 0; i < text.length; i++) {
      const code = codeOf[text.charCodeAt(i)] ?? NONE;
      if (code & EXTENDED) octets[at++] = ESCAPE;
      octets[at++] = code & 0x7f;
    }
    return octets;
  }

  return {
    septetsOfUnit,
    septets,
    encode(text) {
      const octets = Buffer.allocUnsafe(text.length);
      for (let i = 0; i < text.length; i++) {
        const code = codeOf[text.charCodeAt(i)] ?? NONE;
        if (code >= EXTENDED) return code === NONE ? undefined : encodeWithEscapes(text);
        octets[i] = code;
      }
      return octets;
    },
    decode(octets) {
      if (isPlain(octets)) return octets.toString('latin1');
      const units = octets.length <= SCRATCH.length ? SCRATCH : new Uint16Array(octets.length);
      let length = 0;
      for (let i = 0; i < octets.length; i++) {
        const octet = octets[i] ?? 0;
        if (octet !== ESCAPE) {
          units[length++] = basicUnits[octet] ?? REPLACEMENT;
          continue;
        }
        const next = octets[i + 1] ?? NONE;
        units[length++] = escapedUnits[next] ?? SPACE;
        if (next < escapedUnits.length) i++;
      }
      return Buffer.from(units.buffer, 0, length * 2).toString('utf16le');
    },
  };
}
