import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Partner } from '../../../src/partners/index.js';
import { BY_COUNTRY, BY_LANGUAGE, type KeywordLists, UNIVERSAL } from '../../../src/sms/opt-outs/keyword-lists.js';
import { createReadKeyword, folded, languagesOf } from '../../../src/sms/opt-outs/keywords.js';

const reader = (optOut: Partial<Partner['sms']['optOut']> = {}, ...markets: [code: string, defaultLanguage: string][]) =>
  createReadKeyword({
    markets: markets.map(([code, defaultLanguage]) => ({ code, defaultLanguage })),
    sms: { optOut: { stop: ['STOP'], start: ['START'], help: ['HELP'], ...optOut } },
  } as unknown as Partner);

test.each([
  ['DE', 'de', 'Stopp', 'stop'],
  ['DE', 'de', ' abmelden! ', 'stop'],
  ['DE', 'de', 'hilfe', 'help'],
  ['DE', 'de', 'ARRÊT', undefined],
  ['FR', 'fr', 'Arrêt.', 'stop'],
  ['FR', 'fr', 'ARRET', 'stop'],
  ['FR', 'fr', 'stop sms', 'stop'],
  ['CH', 'de', 'arrêt', 'stop'],
  ['CH', 'de', 'annulla', 'stop'],
  ['BR', 'pt', 'Sair', 'stop'],
  ['TR', 'tr', 'iptal', 'stop'],
  ['TR', 'tr', 'İptal', 'stop'],
  ['RU', 'ru', 'стоп', 'stop'],
  ['RU', 'ru', 'Помощь', 'help'],
  ['SA', 'ar', 'توقف', 'stop'],
  ['IN', 'hi', 'बंद', 'stop'],
  ['IN', 'en', 'நிறுத்து', 'stop'],
  ['JP', 'ja', '配信停止', 'stop'],
  ['CN', 'zh', 'TD', 'stop'],
  ['VN', 'vi', 'dung', 'stop'],
  ['VN', 'vi', 'bắt đầu', 'start'],
  ['US', 'en', 'end', 'stop'],
  ['US', 'en', 'baja', 'stop'],
  ['GB', 'en', 'end', undefined],
  ['GB', 'en', 'STOP ALL', 'stop'],
  ['GB', 'en', 'Stop', 'stop'],
  ['GB', 'en', 'Stop it, please', undefined],
  ['GB', 'en', 'yes', undefined],
  ['GB', 'en', '', undefined],
  ['GB', 'en', `${' '.repeat(100)}STOP`, undefined],
  ['XS', 'de', 'Bantuan', 'help'],
])('in %s (%s) "%s" is %s', (market, language, text, keyword) => {
  expect(reader({}, [market, language])(text, market)).toBe(keyword);
});

test("a partner's own words go before everybody's, and each market has its own", () => {
  const read = reader({ start: ['START', 'BAJA'], help: ['HELP', 'ACME'] }, ['ES', 'es'], ['DE', 'de']);
  expect(read('baja', 'ES')).toBe('start');
  expect(read('acme', 'DE')).toBe('help');
  expect(read('hilfe', 'ES')).toBeUndefined();
  expect(read('STOP', 'FR')).toBeUndefined();
});

test('no word means two things in one language or country', () => {
  for (const [name, lists] of Object.entries({ ...BY_LANGUAGE, ...BY_COUNTRY, UNIVERSAL })) {
    const words = (['stop', 'start', 'help'] as const).flatMap((keyword) => spelledIn(lists, keyword));
    expect(words.length, name).toBe(new Set(words).size);
    expect(words).not.toContain('');
  }
  function spelledIn(lists: KeywordLists, keyword: keyof KeywordLists): string[] {
    return [
      ...new Set(
        lists[keyword]
          .split(' ')
          .filter(Boolean)
          .map((word) => folded(word.replaceAll('_', ' '))),
      ),
    ];
  }
});

test('a country speaks its own languages, English among them, and the sandbox all', () => {
  expect(languagesOf('CH', 'de')).toEqual(['de', 'fr', 'it', 'en']);
  expect(languagesOf('JM', 'en')).toEqual(['en']);
  expect(languagesOf('BR', 'pt-BR')).toEqual(['pt', 'en']);
  expect(languagesOf('XS', 'de').length).toBeGreaterThan(40);
});

test('spelling a word twice changes nothing, and no text breaks the reader', () => {
  const read = reader({}, ['XS', 'en']);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), (text) => {
      expect(folded(folded(text))).toBe(folded(text));
      expect([undefined, 'stop', 'start', 'help']).toContain(read(text, 'XS'));
    }),
  );
});
