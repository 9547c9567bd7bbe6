import { toUSVString } from 'node:util';
import fc from 'fast-check';
import { SegmentedMessage } from 'sms-segments-calculator';
import { describe, expect, test } from 'vitest';
import { concatFromUdh } from '../../src/smpp/concatenation.js';
import { binarySegments, type LongMessageMethod, type Segment, segments } from '../../src/smpp/segments.js';
import { decodeText, joinText, messageContent, messageText } from '../../src/smpp/text.js';
import { readTlv } from '../../src/smpp/tlvs.js';
import { parseUdh } from '../../src/smpp/udh.js';

const GSM = Array.from('@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./09:;<=>?¡AZÄÖÑÜ§¿azäöñüà\f^{}\\[~]|€');
const gsmText = fc.string({ unit: fc.constantFrom(...GSM), maxLength: 700 });
const anyText = fc.string({ unit: 'grapheme', maxLength: 500 });

/** The text of a part, and the octets that it takes on the radio. */
const contentOf = (segment: Segment): { octets: number; text: string } => {
  const { octets, shift, dataCoding } = messageContent(segment);
  const whole = readTlv(segment.tlvs, 'message_payload') ?? segment.shortMessage;
  const header = whole.length - octets.length;
  const onRadio = dataCoding === 8 ? whole.length : header + Math.ceil((octets.length * 7) / 8);
  return { octets: onRadio, text: decodeText(octets, dataCoding, 'gsm0338', shift) ?? '' };
};
const joined = (parts: readonly Segment[]): string | undefined => joinText(parts.map((part) => messageContent(part)));

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

  test('no part begins inside what a reader takes for one character, unless it is longer than a part', () => {
    const long = `a${'\u0301'.repeat(200)}`;
    const clusters = ['👨‍👩‍👧‍👦', '🇩🇪', 'é\u0323', 'क्षि', '👍🏽', 'ж', 'x', ' '];
    const graphemes = fc.array(fc.constantFrom(...clusters), { minLength: 1, maxLength: 300 }).map((all) => all.join(''));
    const starts = (text: string) => new Set([...new Intl.Segmenter().segment(text)].map(({ index }) => index));
    fc.assert(
      fc.property(graphemes, fc.constantFrom<LongMessageMethod>('udh8', 'udh16', 'sar'), (text, by) => {
        const boundaries = starts(text);
        let at = 0;
        for (const part of segments(text, { method: by }).segments.map(contentOf)) {
          expect(boundaries.has(at)).toBe(true);
          at += part.text.length;
        }
        expect(at).toBe(text.length);
      }),
      { numRuns: 200, seed: 42 },
    );
    expect(segments(long).segments.map((part) => contentOf(part).text)).toEqual([long.slice(0, 67), long.slice(67, 134), long.slice(134)]);
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

describe('the alphabet of the link', () => {
  test('a default alphabet that is not GSM takes what both have, written its own way; the rest goes as UCS-2', () => {
    const sent = (text: string, defaultAlphabet: 'latin1' | 'ascii') => {
      const { segments: parts, encoding } = segments(text, { defaultAlphabet });
      return [encoding, parts[0]?.dataCoding, parts[0]?.shortMessage.toString('hex')];
    };
    expect(sent('Aé@[', 'latin1')).toEqual(['gsm0338', 0, '41e9405b']);
    // ç is in Latin-1 and not in GSM, € the other way round: an SMSC would lose either on the way to the radio.
    expect(sent('ç', 'latin1')[0]).toBe('ucs2');
    expect(sent('€', 'latin1')[0]).toBe('ucs2');
    expect(sent('A_[@', 'ascii')).toEqual(['gsm0338', 0, '415f5b40']);
    expect(sent('é', 'ascii')[0]).toBe('ucs2');
    expect(sent('`', 'ascii')[0]).toBe('ucs2');
  });

  test('segments are counted as the radio will: a bracket is two septets whichever way it is written', () => {
    expect(segments('['.repeat(81), { defaultAlphabet: 'latin1' }).count).toBe(2);
    expect(segments('['.repeat(81), { defaultAlphabet: 'latin1' }).segments[0]?.shortMessage.length).toBe(6 + 76);
  });
});

describe('national tables', () => {
  const turkish = 'Şu ağaçların gölgesinde çığlık atan ışıklı kuşlar ';

  test('are used where the link reads them and that saves segments, and each part names them', () => {
    const text = turkish.repeat(3).trim();
    expect(segments(text)).toMatchObject({ encoding: 'ucs2', count: 3 });
    const { encoding, count, segments: parts } = segments(text, { nationalShift: ['tr'], method: 'udh16' });
    expect([encoding, count, joined(parts)]).toEqual(['gsm0338', 1, text]);
    // UDHL 3, National Language Locking Shift, 1 octet: Turkish. One septet for each letter.
    expect(parts[0]).toMatchObject({ esmClass: 0x40, dataCoding: 0 });
    expect(parts[0]?.shortMessage.subarray(0, 4).toString('hex')).toBe('03250101');
    const long = segments(turkish.repeat(8), { nationalShift: ['tr'], method: 'udh16' });
    expect(long.count).toBe(3);
    for (const part of long.segments) expect(parseUdh(part.shortMessage)?.elements.map(({ id }) => id)).toEqual([0x08, 0x25]);
    expect(joined(long.segments)).toBe(turkish.repeat(8));
  });

  test('are not used where UCS-2 takes no more segments: every handset reads that', () => {
    expect(segments('Şimdi', { nationalShift: ['tr'] })).toMatchObject({ encoding: 'ucs2', count: 1 });
  });

  test('are never used where the SMSC writes the header', () => {
    for (const by of ['sar', 'payload'] as const)
      expect(segments(turkish.repeat(3), { nationalShift: ['tr'], method: by }).encoding).toBe('ucs2');
  });

  // The header of n octets takes ⌈8n/7⌉ septets: 140 octets less 4, 7, 10 and 13.
  test.each([
    ['aaá', 'es', 38, 1], ['aaá', 'es', 74, 2], ['aaá', 'es', 75, 3],
    ['ş', 'tr', 155, 1], ['ş', 'tr', 156, 2], ['ş', 'tr', 298, 2], ['ş', 'tr', 299, 3],
    ['ककक५', 'hi', 30, 1], ['ककक५', 'hi', 58, 2], ['ककक५', 'hi', 59, 3],
  ] as const)('%s with the tables of %s: %i of them take %i', (character, language, times, count) => {
    expect(segments(character.repeat(times), { nationalShift: [language], method: 'udh8' })).toMatchObject({ encoding: 'gsm0338', count });
  }); // biome-ignore format: a table

  test('the parts join back to the text and fit the radio, whatever is allowed', () => {
    const letters = fc.constantFrom('Ş', 'ğ', 'á', 'õ', 'a', ' ', '€', '५', 'क', 'ि', '்', 'த', 'پ', 'ں', '۳', 'ж');
    const languages = fc.uniqueArray(fc.constantFrom('tr', 'es', 'pt', 'hi', 'ta', 'ur'), { maxLength: 6 });
    fc.assert(
      fc.property(
        fc.string({ unit: letters, maxLength: 400 }),
        languages,
        fc.constantFrom<LongMessageMethod>('udh8', 'udh16'),
        (text, nationalShift, by) => {
          const { segments: parts, count } = segments(text, { nationalShift, method: by });
          expect(joined(parts)).toBe(text);
          expect(count).toBeLessThanOrEqual(segments(text, { method: by }).count);
          for (const part of parts) expect(contentOf(part).octets).toBeLessThanOrEqual(140);
        },
      ),
      { numRuns: 300, seed: 43 },
    );
  });
});

describe('transliteration', () => {
  const quoted = `“${'a'.repeat(80)}” – it’s fine…`;

  test('saves segments where the link allows it, and the text that went out is told', () => {
    expect(segments(quoted)).toMatchObject({ encoding: 'ucs2', count: 2, isTransliterated: false });
    const text = `"${'a'.repeat(80)}" - it's fine...`;
    expect(segments(quoted, { transliterate: 'signs' })).toMatchObject({ encoding: 'gsm0338', count: 1, isTransliterated: true, text });
  });

  test('changes nothing where that saves nothing', () => {
    expect(segments('“hi”', { transliterate: 'accents' })).toMatchObject({ encoding: 'ucs2', text: '“hi”', isTransliterated: false });
    expect(segments(`ä${'a'.repeat(100)}`, { transliterate: 'accents' })).toMatchObject({
      text: `ä${'a'.repeat(100)}`,
      isTransliterated: false,
    });
  });

  const after = 'a'.repeat(80);
  test.each([
    ['ő', 'o'], ['ç', 'c'], ['Ł', 'L'], ['œ', 'oe'], ['ş', 's'], ['é', 'é'],
  ])('%s is written %s with accents, and stays without', (letter, written) => {
    const text = `${letter}“${after}`;
    expect(segments(text, { transliterate: 'accents' }).text).toBe(`${written}"${after}`);
    expect(segments(`ő${after}`, { transliterate: 'signs' })).toMatchObject({ encoding: 'ucs2', isTransliterated: false });
  }); // biome-ignore format: a table

  // A missing dot, a second mark, another script, an emoji: there is nothing that means the same.
  test.each(['ı', 'ế', 'ж', '你', '🙂', '½', '²'])('%s has no replacement, and the whole text stays as it is', (character) => {
    const text = `“${character}”${after}`;
    expect(segments(text, { transliterate: 'accents' })).toMatchObject({ encoding: 'ucs2', text, isTransliterated: false });
  });

  test('a letter and its mark apart are the same letter: that alone needs no leave', () => {
    const apart = `e\u0301${'a'.repeat(100)}`;
    expect(segments(apart)).toMatchObject({ encoding: 'gsm0338', count: 1, text: `é${'a'.repeat(100)}`, isTransliterated: false });
  });

  test('what goes out is always what is told, and never more than without', () => {
    const units = fc.constantFrom(...GSM, '“', '…', '–', 'ő', 'č', 'ı', 'ж', '🙂', 'é', '\u00a0');
    fc.assert(
      fc.property(fc.string({ unit: units, maxLength: 300 }), fc.constantFrom('signs', 'accents'), (text, how) => {
        const { segments: parts, text: told, count, isTransliterated } = segments(text, { transliterate: how });
        expect(joined(parts)).toBe(told);
        const without = segments(text).count;
        if (isTransliterated) expect(count).toBeLessThan(without);
        else expect(told.normalize('NFC')).toBe(text.normalize('NFC'));
      }),
      { numRuns: 300, seed: 44 },
    );
  });
});

describe('flash, ports and octets', () => {
  test('a flash message is of class 0, in GSM whatever the default alphabet is', () => {
    expect(segments('A@', { isFlash: true, defaultAlphabet: 'latin1' }).segments[0]).toMatchObject({
      dataCoding: 0xf0,
      shortMessage: Buffer.from([0x41, 0]),
    });
    expect(segments('ж', { isFlash: true }).segments[0]).toMatchObject({ dataCoding: 0x18 });
    expect(messageText(segments('ж', { isFlash: true }).segments[0] ?? { esmClass: 0, dataCoding: 4, tlvs: [] })).toBe('ж');
  });

  const ports = { destination: 2948, source: 9200 };

  test('ports are in the header of each part, or in parameters where the SMSC writes the header; either takes room', () => {
    expect(segments('hi', { ports }).segments[0]?.shortMessage.toString('hex')).toBe('0605040b8423f06869');
    // 140 octets less 7: 152 septets. With the concatenation less 12: 146.
    expect([152, 153, 292, 293].map((length) => segments('a'.repeat(length), { ports }).count)).toEqual([1, 2, 2, 3]);
    for (const by of ['udh8', 'udh16', 'sar'] as const) {
      for (const part of segments('a'.repeat(300), { ports, method: by }).segments) expect(messageContent(part)).toMatchObject({ ports });
    }
    expect(segments('a'.repeat(293), { ports, method: 'sar' }).count).toBe(3);
  });

  test('octets pass through as they are, cut to the room that there is', () => {
    const data = Buffer.from(Array.from({ length: 300 }, (_, index) => index & 0xff));
    expect(binarySegments(data.subarray(0, 140))).toMatchObject({ encoding: 'binary', count: 1, units: 140 });
    expect([141, 268, 269].map((length) => binarySegments(data.subarray(0, length)).count)).toEqual([2, 2, 3]);
    for (const by of ['udh8', 'udh16', 'sar', 'payload'] as const) {
      const { segments: parts } = binarySegments(data, { ports, method: by, reference: 7 });
      expect(Buffer.concat(parts.map((part) => messageContent(part).octets))).toEqual(data);
      for (const part of parts) expect([part.dataCoding, messageContent(part).ports]).toEqual([4, ports]);
    }
    expect(() => binarySegments(data, { segmentsMax: 2 })).toThrowError(expect.objectContaining({ code: 'SMS.TOO_LONG' }));
  });
});
