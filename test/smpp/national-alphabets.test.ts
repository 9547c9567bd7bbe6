import fc from 'fast-check';
import smpp from 'smpp';
import { describe, expect, test } from 'vitest';
import { shiftedAlphabet, shiftsOf } from '../../src/smpp/national-alphabets.js';
import { NATIONAL_LANGUAGES, type NationalLanguage } from '../../src/smpp/national-tables.js';
import { shiftElements, shiftFromUdh, writeUdh } from '../../src/smpp/udh.js';
import { hex } from './pdus.js';

const LANGUAGES = Object.keys(NATIONAL_LANGUAGES) as NationalLanguage[];
const locking = (language: NationalLanguage) => shiftedAlphabet({ locking: NATIONAL_LANGUAGES[language], single: 0 });
const single = (language: NationalLanguage) => shiftedAlphabet({ locking: 0, single: NATIONAL_LANGUAGES[language] });
const codes = Array.from({ length: 0x80 }, (_, code) => code).filter((code) => code !== 0x1b);

/** Characters by code, as a handset would show them. */
const lockingCells = (language: NationalLanguage) => codes.map((code) => locking(language).decode(Buffer.from([code])));
const singleCells = (language: NationalLanguage) => codes.map((code) => single(language).decode(Buffer.from([0x1b, code])));

const SCRIPTS: Record<string, RegExp> = {
  bn: /\p{Script_Extensions=Bengali}/u, gu: /\p{Script_Extensions=Gujarati}/u, hi: /[\u0900-\u097f]/u, kn: /\p{Script_Extensions=Kannada}/u,
  ml: /\p{Script_Extensions=Malayalam}/u, or: /\p{Script_Extensions=Oriya}/u, pa: /\p{Script_Extensions=Gurmukhi}/u, ta: /\p{Script_Extensions=Tamil}/u,
  te: /\p{Script_Extensions=Telugu}/u, ur: /\p{Script_Extensions=Arabic}/u,
}; // biome-ignore format: a table
const INDIC = (Object.keys(SCRIPTS) as NationalLanguage[]).filter((language) => language !== 'ur');

describe('cells read from the tables of 3GPP TS 23.038', () => {
  const characters = (codePoints: string): string =>
    codePoints
      .split(' ')
      .map((each) => String.fromCharCode(Number.parseInt(each, 16)))
      .join('');

  // Annex A.3: where each script leaves the order of the others, its first and last letters, and its own at 0x60 and 0x7b to 0x7f.
  test.each([
    ['tr', '04 07 0b 0c 1c 1d 40 60 7b', '20ac 0131 011e 011f 015e 015f 0130 00e7 00e4'],
    ['pt', '04 12 15 16 17 18 1a 24 40 5b 5d 60 7d', '00ea 00aa 221e 005e 005c 20ac 007c 00ba 00cd 00c3 00da 007e 0060'],
    ['bn', '00 0b 10 13 1e 3d 44 46 4a 5f 60 7b 7f', '0981 098c 0990 0993 099d 09aa 09b0 09b2 09b6 09cd 09ce 09d7 09f1'],
    ['gu', '00 0c 11 13 43 57 5b 60 7f', '0a81 0a8d 0a91 0a93 0aaf 0ac5 0ac9 0ad0 0af1'],
    ['hi', '00 0c 0e 12 22 29 3c 45 56 5f 60 7b 7f', '0901 090d 090e 0912 091f 0028 0929 0931 0944 094d 0950 0972 097f'],
    ['kn', '01 0e 12 24 45 4e 58 60 7b 7f', '0c82 0c8e 0c92 0ca1 0cb1 0cbc 0cc6 0cd5 0cd6 0ce3'],
    ['ml', '01 0e 22 45 48 58 5e 60 7b 7f', '0d02 0d0e 0d1f 0d31 0d34 0d46 0d4c 0d57 0d60 0d79'],
    ['or', '00 0f 13 22 2f 47 4e 59 60 7b 7f', '0b01 0b0f 0b13 0b1f 0b28 0b33 0b3c 0b47 0b56 0b57 0b63'],
    ['pa', '00 0f 13 1a 2f 4a 4c 54 59 60 7f', '0a01 0a0f 0a13 0a1a 0a28 0a36 0a38 0a42 0a47 0a51 0a74'],
    ['ta', '01 02 13 19 1d 1f 22 26 2f 3c 42 48 54 60 7c 7f', '0b82 0b83 0b93 0b99 0b9c 0b9e 0b9f 0ba3 0ba8 0ba9 0bae 0bb4 0bc2 0bd0 0bf0 0bf9'],
    ['te', '00 0e 12 22 3d 45 4f 58 60 7c 7f', '0c01 0c0e 0c12 0c1f 0c2a 0c31 0c3d 0c46 0c55 0c60 0c63'],
    ['ur', '00 06 0f 10 1f 22 25 2a 2d 3c 40 4d 50 59 5f 60 7c 7f', '0627 06a6 067c 062b 068a 068f 0631 0699 0696 069a 0635 0644 06ba 06cc 0657 0654 0651 0670'],
  ] as [NationalLanguage, string, string][])('locking shift of %s', (language, at, codePoints) => {
    expect(locking(language).decode(hex(at))).toBe(characters(codePoints));
    expect(locking(language).encode(characters(codePoints))?.toString('hex')).toBe(hex(at).toString('hex'));
  }); // biome-ignore format: a table

  // Annex A.2.
  test.each([
    ['tr', '47 49 53 63 67 69 73 65 14', '011e 0130 015e 00e7 011f 0131 015f 20ac 005e'],
    ['es', '09 41 49 4f 55 61 69 6f 75 65', '00e7 00c1 00cd 00d3 00da 00e1 00ed 00f3 00fa 20ac'],
    ['pt', '05 09 0b 0f 12 15 1f 41 4f 5b 5c 61 6f 7b 7c 7f', '00ea 00e7 00d4 00e1 03a6 03a9 00ca 00c0 00d3 00c3 00d5 00c2 00f3 00e3 00f5 00e2'],
    ['bn', '19 1a 1c 23 24 2a 2b 30 34', '09e6 09e7 09e8 09ef 09df 09e3 09f2 09f6 09fa'],
    ['gu', '19 1a 1c 25 05 40 41 5a 65', '0964 0965 0ae6 0aef 0022 007c 0041 005a 20ac'],
    ['hi', '19 1c 25 26 2a 2c 34 35 3a', '0964 0966 096f 0951 0953 0958 095f 0960 0971'],
    ['kn', '1a 1c 25 26 27 2a', '0965 0ce6 0cef 0cde 0cf1 0cf2'],
    ['ml', '1c 26 2a 2e 30 34', '0d66 0d70 0d72 0d7a 0d7b 0d7f'],
    ['or', '1c 20 26 27 2a 2b 2c', '0b66 0b6a 0b5c 0b5d 0b5f 0b70 0b71'],
    ['pa', '1c 26 2a 2b 2c 2d', '0a66 0a59 0a5b 0a5c 0a5e 0a75'],
    ['ta', '1c 24 25 26 2a 2e', '0be6 0bee 0bef 0bf3 0bf5 0bfa'],
    ['te', '1c 1f 20 26 2a 2e 30 32', '0c66 0c69 0c6a 0c58 0c78 0c7c 0c7d 0c7f'],
    ['ur', '19 1a 1c 20 26 2a 30 32 34 3b 3f', '0600 0601 06f0 06f4 060c 060e 0613 061b 0640 06cd 06d4'],
  ] as [NationalLanguage, string, string][])('single shift of %s', (language, at, codePoints) => {
    const escaped = Buffer.from([...hex(at)].flatMap((code) => [0x1b, code]));
    expect(single(language).decode(escaped)).toBe(characters(codePoints));
    const own = characters(codePoints).replace(/[\u00c0-\u03ff"|A-Z^]/g, '');
    expect(single(language).decode(single(language).encode(own) ?? Buffer.alloc(0))).toBe(own);
  }); // biome-ignore format: a table

  test('words, as a phone writes them', () => {
    expect(locking('hi').encode('नमस्ते')?.toString('hex')).toBe('2f424c5f2759');
    expect(locking('ta').encode('வணக்கம்')?.toString('hex')).toBe('4926155f15425f');
    expect(locking('ur').encode('سلام')?.toString('hex')).toBe('3d4d004e');
    expect(locking('tr').encode('çığlık')?.toString('hex')).toBe('60070c6c076b');
  });
});

describe('laws of every table', () => {
  test.each(LANGUAGES)('%s: what is encoded decodes to itself, in as many octets as it has septets', (language) => {
    for (const shift of shiftsOf(language)) {
      const alphabet = shiftedAlphabet(shift);
      const characters = [
        ...new Set(codes.flatMap((code) => [alphabet.decode(Buffer.from([code])), alphabet.decode(Buffer.from([0x1b, code]))])),
      ];
      const own = characters.filter((character) => character !== '\ufffd');
      expect(own.length).toBeGreaterThan(100);
      fc.assert(
        fc.property(fc.string({ unit: fc.constantFrom(...own), maxLength: 300 }), (text) => {
          const octets = alphabet.encode(text) ?? Buffer.alloc(0);
          expect(alphabet.decode(octets)).toBe(text);
          expect(octets.length).toBe(alphabet.septets(text));
        }),
        { numRuns: 50, seed: 25 },
      );
    }
  });

  test.each(Object.entries(SCRIPTS))('%s: its own cells are of its script, and none is there twice', (name, script) => {
    const language = name as NationalLanguage;
    const isOwn = (character: string) => character > '\u05ff' && !'€\ufffd'.includes(character);
    const letters = lockingCells(language).filter(isOwn);
    expect(new Set(letters).size).toBe(letters.length);
    for (const letter of letters) expect(letter).toMatch(script);
    for (const character of singleCells(language).filter(isOwn)) expect(character).toMatch(script);
  });

  test.each(INDIC)('%s: letters stand in the order of their block, as ISCII had them', (language) => {
    const letters = lockingCells(language)
      .slice(0, -5)
      .filter((character) => character > '\u05ff' && character !== '\ufffd')
      .slice(0, -1);
    expect(letters.length).toBeGreaterThan(45);
    expect(letters).toEqual([...letters].sort());
  });

  test.each(INDIC)('%s: the ten digits are there, in order', (language) => {
    const digits = singleCells(language).filter((character) => /\p{Nd}/u.test(character) && character > '9');
    expect(digits).toHaveLength(10);
    expect(digits.map((digit) => digit.charCodeAt(0) & 0xf)).toEqual([6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
  });
});

describe('beside an implementation that shares no code with ours', () => {
  // The `smpp` package has these three; its Turkish and Portuguese always use both tables.
  test.each([
    ['es', 2, { locking: 0, single: 2 }, 'ÁÍÓÚáíóúçñü¿¡€ [~]abc'],
    ['tr', 1, { locking: 1, single: 1 }, 'ĞğİıŞşçÇöüé€ abc'],
    ['pt', 3, { locking: 3, single: 3 }, 'ÀÁÂÃÇÉÊÍÓÔÕÚàáâãçéêíóôõúºª abc'],
  ] as const)('%s', (_language, table, shift, text) => {
    const ours = shiftedAlphabet(shift);
    expect(ours.encode(text)?.toString('hex')).toBe(smpp.gsmCoder.encode(text, table).toString('hex'));
    expect(smpp.gsmCoder.decode(ours.encode(text) ?? Buffer.alloc(0), table)).toBe(text);
  });
});

describe('the header that names the tables', () => {
  test('single shift is element 0x24 and locking shift 0x25, one octet each (TS 23.040 §9.2.3.24.15 and 16)', () => {
    expect(writeUdh(shiftElements({ locking: 6, single: 6 })).toString('hex')).toBe('06240106250106');
    expect(
      shiftFromUdh([
        { id: 0x24, data: hex('01') },
        { id: 0x25, data: hex('03') },
      ]),
    ).toEqual({ locking: 3, single: 1 });
    expect(shiftFromUdh([])).toEqual({ locking: 0, single: 0 });
  });

  test.each([0x0e, 0x7f, 0xff])('a language that nobody defined (%i) is the default alphabet', (language) => {
    expect(shiftedAlphabet({ locking: language, single: language }).decode(hex('00 1b65'))).toBe('@€');
  });

  test('Spanish has no locking shift table: the default one holds', () => {
    expect(shiftedAlphabet({ locking: 2, single: 2 }).decode(hex('00 1b61'))).toBe('@á');
  });
});

describe('escapes', () => {
  test("a pair that the single shift table lacks shows the locking table's character, a lone escape a space", () => {
    const hindi = shiftedAlphabet({ locking: 6, single: 6 });
    expect(hindi.decode(hex('1b61 1b7b 1b1b 61 1b'))).toBe('aॲ a ');
    expect(single('tr').decode(hex('1b61 1b0d'))).toBe('a\r');
  });

  test('an empty cell shows U+FFFD', () => {
    expect(locking('ta').decode(hex('00'))).toBe('\ufffd');
  });
});
