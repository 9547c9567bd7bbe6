/**
 * What may be done to a text so that it fits the GSM alphabet. `signs` writes typographic signs as keyboards have them, which no
 * reader notices. `accents` also writes letters without an accent that GSM lacks, which readers of most languages do.
 */
export type Transliteration = 'off' | 'signs' | 'accents';

/** Signs that mean the same; spaces of any width are one, and what only tells where a line may break is left out. */
const SIGNS = new Map<string, string>([
  ...pairs('‘’‚‛′‹›`´ʼ', "'"),
  ...pairs('“”„‟″«»', '"'),
  ...pairs('‐‑‒–—―−', '-'),
  ...pairs('\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000', ' '),
  ...pairs('\u00ad\u200b\u2060\ufeff', ''),
  ...pairs('\u2028\u2029\u0085', '\n'),
  ...pairs('•‣◦', '-'),
  ['…', '...'], ['×', 'x'], ['™', '(TM)'], ['©', '(c)'], ['®', '(R)'], ['№', 'No.'], ['ﬁ', 'fi'], ['ﬂ', 'fl'],
]); // biome-ignore format: one glance, one list

/** Letters that are written so where there is no other way, and that no accent explains. */
const LETTERS = new Map([['œ', 'oe'], ['Œ', 'OE'], ['ł', 'l'], ['Ł', 'L'], ['đ', 'd'], ['Đ', 'D']]); // biome-ignore format: one list

/**
 * One ASCII letter with one mark of those that European alphabets write: grave, acute, circumflex, tilde, macron, breve, dot, diaeresis,
 * ring, double acute, caron, comma, cedilla, ogonek. Two marks, as in Vietnamese, tell words apart, and so does the missing dot of ı.
 */
const ACCENTED = /^([A-Za-z])[\u0300-\u0304\u0306-\u0308\u030a-\u030c\u0326-\u0328]$/;

function pairs(characters: string, replacement: string): [string, string][] {
  return Array.from(characters, (character) => [character, replacement]);
}

/** @param isKept whether a character can stay as it is. @returns undefined when a character that cannot has nothing that means the same. */
export function transliterate(
  text: string,
  how: Exclude<Transliteration, 'off'>,
  isKept: (character: string) => boolean,
): string | undefined {
  let written = '';
  for (const character of text) {
    const next = isKept(character) ? character : (SIGNS.get(character) ?? (how === 'accents' ? withoutAccent(character) : undefined));
    if (next === undefined) return undefined;
    written += next;
  }
  return written;
}

const withoutAccent = (character: string): string | undefined => LETTERS.get(character) ?? ACCENTED.exec(character.normalize('NFD'))?.[1];
