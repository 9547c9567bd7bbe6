import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeGsm, encodeGsm, gsmSeptets } from '../../src/smpp/gsm0338.js';
import {
  alphabetOf,
  decodeText,
  decodeUcs2,
  encodeUcs2,
  joinText,
  messageClassOf,
  messageContent,
  messageText,
} from '../../src/smpp/text.js';
import { tlv } from '../../src/smpp/tlvs.js';
import { hex } from './pdus.js';

const GSM = Array.from('@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./09:;<=>?¡AZÄÖÑÜ§¿azäöñüà\f^{}\\[~]|€');
const gsmText = fc.string({ unit: fc.constantFrom(...GSM), maxLength: 700 });
const anyText = fc.string({ unit: 'grapheme', maxLength: 500 });

describe('GSM 03.38', () => {
  // Codes read from the tables of 3GPP TS 23.038 §6.2.1 and §6.2.1.1.
  test.each([
    ['@£$¥èéùìòÇ', '00010203040506070809'],
    ['ΔΦΓΛΩΠΨΣΘΞ', '10121314151617181 91a'],
    ['ÆæßÉ¤¡ÄÖÑÜ§¿äöñüà', '1c1d1e1f24405b5c5d5e5f607b7c7d7e7f'],
    ['\f^{}\\[~]|€', '1b0a1b141b281b291b2f1b3c1b3d1b3e1b401b65'],
    ['Az09 _', '417a30392011'],
  ])('%j is %s', (text, codes) => {
    expect(encodeGsm(text)?.toString('hex')).toBe(hex(codes).toString('hex'));
    expect(decodeGsm(hex(codes))).toBe(text);
  });

  test('decode gives back every text of the alphabet, in as many octets as it has septets', () => {
    fc.assert(
      fc.property(gsmText, (text) => {
        const octets = encodeGsm(text) ?? Buffer.alloc(0);
        expect(decodeGsm(octets)).toBe(text);
        expect(octets.length).toBe(gsmSeptets(text));
      }),
      { seed: 38 },
    );
  });

  test.each(['ç', '“', '\u001b', '🙂', 'Ā', '\t'])('%j is not in the alphabet, and nothing is put in its place', (text) => {
    expect(encodeGsm(text)).toBeUndefined();
    expect(gsmSeptets(`a${text}`)).toBeUndefined();
  });

  test('any octets decode: a pair without a meaning shows its second half, a lone escape a space', () => {
    expect(decodeGsm(hex('1b41 61 1b1b 62 1b'))).toBe('Aa b ');
    expect(decodeGsm(hex('80ff'))).toBe('\ufffd\ufffd');
  });
});

describe('data_coding', () => {
  test.each([
    [0x00, 'default'], [0x01, 'ascii'], [0x03, 'latin1'], [0x04, 'binary'], [0x08, 'ucs2'], [0x10, 'default'], [0x18, 'ucs2'],
    [0x14, 'binary'], [0xf0, 'default'], [0xf5, 'binary'], [0xe0, 'ucs2'], [0xc8, 'default'], [0x20, 'binary'], [0x80, 'binary'],
  ])('0x%s is %s', (dataCoding, alphabet) => {
    expect(alphabetOf(dataCoding)).toBe(alphabet);
  }); // biome-ignore format: a table

  test('text by alphabet; binary is not text', () => {
    expect(decodeText(hex('00'), 0)).toBe('@');
    expect(decodeText(hex('e7'), 0, 'latin1')).toBe('ç');
    expect(decodeText(hex('0041d83dde4200'), 8)).toBe('A🙂');
    expect(decodeText(hex('00'), 4)).toBeUndefined();
  });

  test('UCS-2 gives back every text', () => {
    fc.assert(
      fc.property(anyText, (text) => decodeUcs2(encodeUcs2(text)) === text),
      { seed: 38 },
    );
  });
});

test("the class of a message: 0 is shown at once; SMPP's own values have none", () => {
  expect([0x00, 0x08, 0x10, 0x18, 0xf0, 0xf1, 0xf6, 0x11, 0xc8].map(messageClassOf)).toEqual([
    undefined, undefined, 0, 0, 0, 1, 2, 1, undefined,
  ]); // biome-ignore format: a list
});

/** Packs septets as TS 23.038 §6.1.2.1 draws them, bit by bit. */
function pack(septets: Buffer, fillBits: number): Buffer {
  const bits = [
    ...Array<string>(fillBits).fill('0'),
    ...[...septets].flatMap((septet) => septet.toString(2).padStart(7, '0').split('').reverse()),
  ];
  while (bits.length % 8 !== 0) bits.push('0');
  return Buffer.from(
    Array.from({ length: bits.length / 8 }, (_, at) =>
      Number.parseInt(
        bits
          .slice(at * 8, at * 8 + 8)
          .reverse()
          .join(''),
        2,
      ),
    ),
  );
}

describe('packed septets', () => {
  const packedPdu = (text: string, header: Buffer) => {
    const content = pack(encodeGsm(text) ?? Buffer.alloc(0), (7 - ((header.length * 8) % 7)) % 7);
    return { esmClass: header.length > 0 ? 0x40 : 0, dataCoding: 0, shortMessage: Buffer.concat([header, content]), tlvs: [] };
  };

  // The example that every PDU tutorial has: "hellohello".
  test('are taken apart', () => {
    expect(messageText({ esmClass: 0, dataCoding: 0, shortMessage: hex('e8329bfd4697d9ec37'), tlvs: [] }, { isPacked: true })).toBe(
      'hellohello',
    );
  });

  test('whatever their number and the header before them', () => {
    const headers = [
      Buffer.alloc(0),
      hex('05 0003 07 02 01'),
      hex('06 0804 0007 02 01'),
      hex('03 2401 01'),
      hex('0b 0504 0b84 23f0 0003 07 02 01'),
    ];
    fc.assert(
      // A last @ is what padding looks like.
      fc.property(
        gsmText.filter((text) => !text.endsWith('@')),
        fc.constantFrom(...headers),
        (text, header) => {
          expect(messageText(packedPdu(text, header), { isPacked: true })).toBe(text);
        },
      ),
      { seed: 39 },
    );
  });

  test('other alphabets are never packed', () => {
    const pdu = { esmClass: 0, dataCoding: 8, shortMessage: hex('00410042'), tlvs: [] };
    expect(messageText(pdu, { isPacked: true })).toBe('AB');
    expect(messageText({ ...pdu, dataCoding: 0, shortMessage: Buffer.from('AB') }, { isPacked: true, defaultAlphabet: 'latin1' })).toBe(
      'AB',
    );
  });
});

describe('one message from its parts', () => {
  const part = (octets: Buffer, dataCoding = 0, shift = { locking: 0, single: 0 }) => ({ octets, dataCoding, shift });

  test('a character or an escape sequence that was cut is whole again', () => {
    expect(joinText([part(hex('611b')), part(hex('6562'))])).toBe('a€b');
    expect(joinText([part(hex('0061d8'), 8), part(hex('3dde42'), 8)])).toBe('a🙂');
  });

  test('parts of different alphabets and tables are read each in its own', () => {
    const parts = [part(hex('6100')), part(hex('0439'), 8), part(hex('1b73'), 0, { locking: 0, single: 1 }), part(hex('e7'), 3)];
    expect(joinText(parts)).toBe('a@йşç');
  });

  test('a binary part makes it binary', () => {
    expect(joinText([part(hex('61')), part(hex('00'), 4)])).toBeUndefined();
  });
});

describe('what a PDU holds', () => {
  test('ports come from the header or from parameters', () => {
    const content = messageContent({ esmClass: 0x40, dataCoding: 4, shortMessage: hex('06 0504 0b84 23f0 aabb'), tlvs: [] });
    expect(content).toMatchObject({ ports: { destination: 2948, source: 9200 }, octets: hex('aabb') });
    const tlvs = [tlv('destination_port', 2948), tlv('message_payload', hex('aabb'))];
    expect(messageContent({ esmClass: 0, dataCoding: 4, tlvs })).toMatchObject({
      ports: { destination: 2948, source: 0 },
      octets: hex('aabb'),
    });
  });
});
