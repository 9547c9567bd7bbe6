import type { GsmAlphabet } from './gsm-alphabet.js';
import { GSM } from './gsm0338.js';
import { NO_SHIFT, type Shift, shiftedAlphabet, shiftsOf } from './national-alphabets.js';
import type { NationalLanguage } from './national-tables.js';
import { splitText } from './split-text.js';
import { type DefaultAlphabet, encodeUcs2 } from './text.js';
import { type Transliteration, transliterate } from './transliterate.js';
import { shiftElements, udhOctets } from './udh.js';

export interface WritingOptions {
  /** What the SMSC takes data_coding 0 for; `gsm0338` unless told otherwise. */
  readonly defaultAlphabet?: DefaultAlphabet;
  /** Languages whose national tables the handsets of the link read; none unless told otherwise. */
  readonly nationalShift?: readonly NationalLanguage[];
  readonly transliterate?: Transliteration;
  /** Octets of the header that a message of one part, and each of several, has in any case. */
  readonly headerOctets: { readonly single: number; readonly part: number };
  /** The SMSC cuts the text, not we: then nobody keeps graphemes together. */
  readonly isCutBySmsc: boolean;
}

/** A text as it will be written: alphabet, national tables, and where it is cut. */
export interface Writing {
  readonly encoding: 'gsm0338' | 'ucs2';
  readonly shift: Shift;
  /** As written: other signs or letters than given where transliterating saved a part. */
  readonly text: string;
  readonly isTransliterated: boolean;
  /** Septets or UTF-16 units, without headers. */
  readonly units: number;
  readonly parts: readonly string[];
  encode(part: string): Buffer;
}

/** TP-UD holds 140 octets (3GPP TS 23.040 §9.2.3.16). */
const USER_DATA_OCTETS = 140;

const septetsLeft = (headerOctets: number): number => Math.floor(((USER_DATA_OCTETS - headerOctets) * 8) / 7);
const unitsLeft = (headerOctets: number): number => Math.floor((USER_DATA_OCTETS - headerOctets) / 2);

/**
 * Chooses how to write a well-formed text: in the fewest parts, and of ways that take as many in the one that most handsets read and
 * that changes least. So: the GSM alphabet when it has every character; else UCS-2; else, where they need fewer parts, the same text
 * composed (NFC), national tables, and a transliteration.
 */
export function chooseWriting(text: string, options: WritingOptions): Writing {
  const plain = gsm(text, NO_SHIFT, options);
  if (plain) return plain;
  let best = ucs2(text, options);
  for (const offer of offers(text, options)) if (offer && offer.parts.length < best.parts.length) best = offer;
  return best;
}

function* offers(text: string, options: WritingOptions): Generator<Writing | undefined> {
  const { nationalShift = [], transliterate: how = 'off' } = options;
  const composed = text.normalize('NFC');
  if (composed !== text) yield gsm(composed, NO_SHIFT, options) ?? ucs2(composed, options);
  for (const language of nationalShift) {
    for (const shift of shiftsOf(language))
      yield gsm(text, shift, options) ?? (composed === text ? undefined : gsm(composed, shift, options));
  }
  if (how === 'off') return;
  const written = transliterate(composed, how, (character) => character.length === 1 && isWritable(character, GSM, options));
  const plain = written === undefined ? undefined : gsm(written, NO_SHIFT, options);
  yield plain && { ...plain, isTransliterated: true };
}

function gsm(text: string, shift: Shift, options: WritingOptions): Writing | undefined {
  const alphabet = shiftedAlphabet(shift);
  const units = alphabet.septets(text);
  if (units === undefined || !isWritable(text, alphabet, options)) return undefined;
  const { headerOctets, defaultAlphabet = 'gsm0338' } = options;
  const shiftOctets = udhOctets(shiftElements(shift));
  const isShifted = shiftOctets > 0;
  // The elements share one length octet with those that are there anyway.
  const beside = (octets: number): number => octets + (isShifted ? shiftOctets - (octets > 0 ? 1 : 0) : 0);
  const costOf = alphabet.septetsOfUnit;
  const cut = { capacity: septetsLeft(beside(headerOctets.part)), costOf, keepsGraphemes: isShifted && !options.isCutBySmsc };
  const parts = units <= septetsLeft(beside(headerOctets.single)) ? [text] : splitText(text, cut);
  const encode = (part: string): Buffer =>
    defaultAlphabet === 'gsm0338' ? (alphabet.encode(part) ?? Buffer.alloc(0)) : Buffer.from(part, 'latin1');
  return { encoding: 'gsm0338', shift, text, isTransliterated: false, units, parts, encode };
}

function ucs2(text: string, { headerOctets, isCutBySmsc }: WritingOptions): Writing {
  const cut = { capacity: unitsLeft(headerOctets.part), costOf: () => 1, keepsGraphemes: !isCutBySmsc };
  const parts = text.length <= unitsLeft(headerOctets.single) ? [text] : splitText(text, cut);
  return { encoding: 'ucs2', shift: NO_SHIFT, text, isTransliterated: false, units: text.length, parts, encode: encodeUcs2 };
}

/**
 * Whether the link can say this with data_coding 0. An SMSC whose default alphabet is another one turns it into GSM's for the radio, so that only
 * what is in both arrives.
 */
function isWritable(text: string, alphabet: GsmAlphabet, { defaultAlphabet = 'gsm0338' }: WritingOptions): boolean {
  if (alphabet.septets(text) === undefined) return false;
  if (defaultAlphabet === 'gsm0338') return true;
  const last = defaultAlphabet === 'ascii' ? 0x7f : 0xff;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > last) return false;
  return alphabet === GSM;
}
