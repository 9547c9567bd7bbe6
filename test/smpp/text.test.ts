import { toUSVString } from 'node:util';
import fc from 'fast-check';
import { SegmentedMessage } from 'sms-segments-calculator';
import { describe, expect, test } from 'vitest';
import { decodeGsm, encodeGsm, gsmSeptets } from '../../src/smpp/gsm0338.js';
import { type LongMessageMethod, type Segment, segments } from '../../src/smpp/segments.js';
import { alphabetOf, decodeText, decodeUcs2, encodeUcs2 } from '../../src/smpp/text.js';
import { readTlv } from '../../src/smpp/tlvs.js';
import { concatFromUdh, parseUdh } from '../../src/smpp/udh.js';
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

const contentOf = ({ shortMessage, esmClass, dataCoding, tlvs }: Segment): { octets: number; text: string } => {
  const whole = readTlv(tlvs, 'message_payload') ?? shortMessage;
  const content = esmClass & 0x40 ? (parseUdh(whole)?.content ?? Buffer.alloc(0)) : whole;
  const units = dataCoding === 8 ? whole.length : Math.ceil((content.length * 7) / 8) + whole.length - content.length;
  return { octets: units, text: decodeText(content, dataCoding) ?? '' };
};

describe('segments', () => {
  test.each([
    ['a', 'udh8', 160, 1], ['a', 'udh8', 161, 2], ['a', 'udh8', 306, 2], ['a', 'udh8', 307, 3],
    ['a', 'udh16', 304, 2], ['a', 'udh16', 305, 3], ['a', 'sar', 306, 2], ['a', 'sar', 307, 3],
    ['€', 'udh8', 80, 1], ['€', 'udh8', 81, 2], ['€', 'udh8', 152, 2], ['€', 'udh8', 153, 3],
    ['ж', 'udh8', 70, 1], ['ж', 'udh8', 71, 2], ['ж', 'udh8', 134, 2], ['ж', 'udh8', 135, 3],
    ['ж', 'udh16', 132, 2], ['ж', 'udh16', 133, 3], ['🙂', 'udh8', 35, 1], ['🙂', 'udh8', 36, 2], ['🙂', 'udh8', 66, 2], ['🙂', 'udh8', 67, 3],
  ] satisfies [string, LongMessageMethod, number, number][])('%s by %s: %i of them take %i', (character, method, times, count) => {
    expect(segments(character.repeat(times), { method }).count).toBe(count);
  }); // biome-ignore format: a table

  const method = fc.constantFrom<LongMessageMethod>('udh8', 'udh16', 'sar', 'payload');

  test('the parts join back to the text, each fits 140 octets on the radio, and none begins or ends inside a pair', () => {
    fc.assert(
      fc.property(fc.oneof(gsmText, anyText), method, (text, by) => {
        const { segments: parts, count, encoding } = segments(text, { method: by, reference: 0x1234 });
        const contents = parts.map(contentOf);
        expect(contents.map((part) => part.text).join('')).toBe(text);
        if (by !== 'payload') {
          expect(parts.length).toBe(count);
          for (const part of contents) expect(part.octets).toBeLessThanOrEqual(140);
        }
        for (const part of contents) expect(toUSVString(part.text)).toBe(part.text);
        if (encoding === 'gsm0338') for (const part of parts) expect(part.shortMessage.at(-1)).not.toBe(0x1b);
      }),
      { numRuns: 400, seed: 40 },
    );
  });

  test('parts are numbered from 1, share the reference and are marked for the handset', () => {
    const concat = ({ esmClass, shortMessage }: Segment) => [esmClass, concatFromUdh(parseUdh(shortMessage)?.elements ?? [])];
    const parts = (by: LongMessageMethod) => segments('x'.repeat(400), { method: by, reference: 0x1234 }).segments;
    expect(parts('udh8').map(concat)).toEqual([1, 2, 3].map((part) => [0x40, { method: 'udh8', reference: 0x34, total: 3, part }]));
    expect(parts('udh16').map(concat)).toEqual([1, 2, 3].map((part) => [0x40, { method: 'udh16', reference: 0x1234, total: 3, part }]));
    const sar = parts('sar').map(({ tlvs }) => [
      readTlv(tlvs, 'sar_msg_ref_num'),
      readTlv(tlvs, 'sar_total_segments'),
      readTlv(tlvs, 'sar_segment_seqnum'),
    ]);
    expect(sar).toEqual([1, 2, 3].map((part) => [0x1234, 3, part]));
  });

  test('255 parts go, 256 do not, and a lower bound holds', () => {
    expect(segments('a'.repeat(153 * 255)).count).toBe(255);
    expect(() => segments('a'.repeat(153 * 255 + 1))).toThrowError(expect.objectContaining({ code: 'SMS.TOO_LONG' }));
    expect(() => segments('a'.repeat(161), { segmentsMax: 1 })).toThrowError(expect.objectContaining({ code: 'SMS.TOO_LONG' }));
  });

  test('a lone surrogate becomes U+FFFD', () => {
    expect(segments('\ud83d').segments[0]?.shortMessage.toString('hex')).toBe('fffd');
  });

  // An oracle that shares no code with ours. It counts what the 8-bit reference needs.
  test('counts agree with sms-segments-calculator', () => {
    const bmp = fc.string({ unit: fc.constantFrom(...GSM, 'ж', 'ç', '你', 'ő'), maxLength: 700 });
    fc.assert(
      fc.property(fc.oneof(gsmText, bmp), (text) => {
        const oracle = new SegmentedMessage(text, 'auto', false);
        const ours = segments(text);
        expect([ours.encoding === 'ucs2' ? 'UCS-2' : 'GSM-7', ours.count]).toEqual([
          oracle.getEncodingName(),
          Math.max(1, oracle.segmentsCount),
        ]);
      }),
      { numRuns: 500, seed: 41 },
    );
  });
});
