import { createGsmAlphabet, ESCAPE, type GsmAlphabet, type SeptetTable } from './gsm-alphabet.js';
import { DEFAULT_TABLE, EXTENSION, GSM, tableOf } from './gsm0338.js';
import {
  LETTER_OFFSETS,
  LOCKING_COMMON,
  LOCKING_INDIC,
  LOCKING_LATIN,
  LOCKING_URDU,
  NATIONAL_LANGUAGES,
  type NationalLanguage,
  SINGLE_COMMON,
  SINGLE_INDIC,
  SINGLE_LATIN,
} from './national-tables.js';

/** The national tables that a text is written with, by their identifiers in the user data header; 0 is the default alphabet's. */
export interface Shift {
  readonly locking: number;
  readonly single: number;
}

export const NO_SHIFT: Shift = { locking: 0, single: 0 };

const made = new Map<number, GsmAlphabet>();

/** The alphabet of these two tables; an identifier that nobody defined counts as 0 (3GPP TS 23.040 §9.2.3.24.15 and 16). */
export function shiftedAlphabet({ locking, single }: Shift): GsmAlphabet {
  const [basic, extension] = [LANGUAGE_OF[locking], LANGUAGE_OF[single]];
  if (basic === undefined && extension === undefined) return GSM;
  const key = (basic === undefined ? 0 : locking) * 16 + (extension === undefined ? 0 : single);
  const known = made.get(key);
  if (known) return known;
  const alphabet = createGsmAlphabet(lockingTable(basic), singleTable(extension));
  made.set(key, alphabet);
  return alphabet;
}

/** The ways in which a text may use the tables of a language, the one that costs the least header first. */
export function shiftsOf(language: NationalLanguage): Shift[] {
  const id = NATIONAL_LANGUAGES[language];
  const single = { locking: 0, single: id };
  // A.3.2: Spanish has no locking shift table.
  return language === 'es' ? [single] : [single, { locking: id, single: 0 }, { locking: id, single: id }];
}

const LANGUAGE_OF: readonly (NationalLanguage | undefined)[] = [undefined, ...(Object.keys(NATIONAL_LANGUAGES) as NationalLanguage[])];

function lockingTable(language: NationalLanguage | undefined): SeptetTable {
  if (language === undefined || language === 'es') return DEFAULT_TABLE;
  if (language === 'tr' || language === 'pt') return tableOf(changed(DEFAULT_TABLE, LOCKING_LATIN[language]));
  if (language === 'ur') return filled(LOCKING_COMMON, LOCKING_URDU.split(' ').map(characterAt));
  const { block, without, last } = LOCKING_INDIC[language];
  const absent = new Set(without.split(' '));
  const letters = LETTER_OFFSETS.split(' ').map((offset) =>
    absent.has(offset) ? undefined : String.fromCharCode(block + Number.parseInt(offset, 16)),
  );
  return filled(LOCKING_COMMON, [...letters, ...last.split(' ').map(characterAt)]);
}

function singleTable(language: NationalLanguage | undefined): SeptetTable {
  if (language === undefined) return tableOf(EXTENSION);
  if (language === 'tr' || language === 'es' || language === 'pt') return tableOf(changed(tableOf(EXTENSION), SINGLE_LATIN[language]));
  return filled(SINGLE_COMMON, SINGLE_INDIC[language].split(' ').map(characterAt));
}

/** The cells of `table`, and those of `cells` in their place: `04€` is € at 0x04. */
function changed(table: SeptetTable, cells: string): Map<number, string> {
  const all = new Map<number, string>();
  for (const [code, character] of table.entries()) if (character !== undefined) all.set(code, character);
  for (const cell of cells.split(' ')) all.set(Number.parseInt(cell.slice(0, 2), 16), cell.slice(2));
  return all;
}

const NAMED: Readonly<Record<string, string | undefined>> = {
  SP: ' ',
  LF: '\n',
  CR: '\r',
  FF: '\f',
  ESC: String.fromCharCode(ESCAPE),
  '--': undefined,
};

/** `common` with the characters of a language where it has `..`, in code order. */
function filled(common: string, own: readonly (string | undefined)[]): SeptetTable {
  let next = 0;
  return common.split(' ').map((cell) => (cell === '..' ? own[next++] : cell in NAMED ? NAMED[cell] : cell));
}

const characterAt = (hex: string): string | undefined => (hex === '..' ? undefined : String.fromCharCode(Number.parseInt(hex, 16)));
