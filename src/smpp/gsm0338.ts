/** GSM 7-bit default alphabet in code order (3GPP TS 23.038 §6.2.1); 0x1b is the escape to the extension table. */
const DEFAULT_ALPHABET =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u001bÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';

/** Extension table (TS 23.038 §6.2.1.1): each of these takes the escape and one more septet. */
const EXTENSION: readonly (readonly [code: number, character: string])[] = [
  [0x0a, '\f'], [0x14, '^'], [0x28, '{'], [0x29, '}'], [0x2f, '\\'], [0x3c, '['], [0x3d, '~'], [0x3e, ']'], [0x40, '|'], [0x65, '€'],
]; // biome-ignore format: one glance, one list

export const ESCAPE = 0x1b;
const NONE = 0xff;
const EXTENDED = 0x80;

/** By UTF-16 unit: the septet, `EXTENDED` set where the escape goes before it, or `NONE`. Every character of both tables is below U+2100. */
const CODE_OF = new Uint8Array(0x2100).fill(NONE);
const EXTENSION_OF = new Map<number, string>(EXTENSION);
for (let code = 0; code < DEFAULT_ALPHABET.length; code++) if (code !== ESCAPE) CODE_OF[DEFAULT_ALPHABET.charCodeAt(code)] = code;
for (const [code, character] of EXTENSION) CODE_OF[character.charCodeAt(0)] = EXTENDED | code;

/** Octets that mean the same character in this alphabet and in ASCII: most of most texts. */
const IS_ASCII = new Uint8Array(256);
for (let code = 0; code < 0x80; code++) if (code !== ESCAPE && DEFAULT_ALPHABET.charCodeAt(code) === code) IS_ASCII[code] = 1;

function isPlain(octets: Buffer): boolean {
  for (let i = 0; i < octets.length; i++) if (IS_ASCII[octets[i] ?? 0] === 0) return false;
  return true;
}

const codeOf = (unit: number): number => CODE_OF[unit] ?? NONE;

/** Septets that one UTF-16 unit takes in this alphabet: 1, 2 with the escape, or 0 when it is not in it. */
export const gsmSeptetsOfUnit = (unit: number): 0 | 1 | 2 => {
  const code = codeOf(unit);
  return code === NONE ? 0 : code & EXTENDED ? 2 : 1;
};

/** Septets that `text` takes, or undefined when a character is in neither table. */
export function gsmSeptets(text: string): number | undefined {
  let septets = 0;
  for (let i = 0; i < text.length; i++) {
    const each = gsmSeptetsOfUnit(text.charCodeAt(i));
    if (each === 0) return undefined;
    septets += each;
  }
  return septets;
}

/**
 * `text` unpacked, one septet an octet with bit 7 clear, as short_message carries data_coding 0.
 * @returns undefined when a character is in neither table; nothing is ever replaced silently.
 */
export function encodeGsm(text: string): Buffer | undefined {
  const octets = Buffer.allocUnsafe(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = codeOf(text.charCodeAt(i));
    if (code >= EXTENDED) return code === NONE ? undefined : encodeWithEscapes(text);
    octets[i] = code;
  }
  return octets;
}

function encodeWithEscapes(text: string): Buffer | undefined {
  const septets = gsmSeptets(text);
  if (septets === undefined) return undefined;
  const octets = Buffer.allocUnsafe(septets);
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const code = codeOf(text.charCodeAt(i));
    if (code & EXTENDED) octets[at++] = ESCAPE;
    octets[at++] = code & 0x7f;
  }
  return octets;
}

/**
 * Reads unpacked septets. A pair that the extension table lacks shows the default table's character, an escape before
 * another escape or at the end shows a space (TS 23.038 §6.2.1 note 1 and §6.2.1.1), and an octet above 0x7f shows U+FFFD.
 */
export function decodeGsm(octets: Buffer): string {
  if (isPlain(octets)) return octets.toString('latin1');
  let text = '';
  for (let i = 0; i < octets.length; i++) {
    const octet = octets[i] ?? 0;
    if (octet !== ESCAPE) {
      text += octet > 0x7f ? '\ufffd' : DEFAULT_ALPHABET[octet];
      continue;
    }
    const next = octets[i + 1];
    if (next === undefined || next > 0x7f) text += ' ';
    else {
      text += next === ESCAPE ? ' ' : (EXTENSION_OF.get(next) ?? DEFAULT_ALPHABET[next]);
      i++;
    }
  }
  return text;
}
