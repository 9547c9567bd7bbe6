import type { Partner } from '../../partners/index.js';
import { BY_COUNTRY, BY_LANGUAGE, type Keyword, type KeywordLists, MORE_LANGUAGES, UNIVERSAL } from './keyword-lists.js';

export type { Keyword } from './keyword-lists.js';

/** The sandbox is no country: every language is spoken there. */
const SANDBOX_MARKET = 'XS';

/** One spelling for a word however it is typed: capitals, without accents, marks and what stands around it. */
export const folded = (text: string): string =>
  text
    .normalize('NFKD')
    // Of Latin, Greek and Cyrillic letters only: elsewhere a mark makes another word.
    .replace(/(?<=[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}])\p{M}+/gu, '')
    .normalize('NFC')
    .toUpperCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim();

/** The languages in which the people of a market may write, the market's own first. */
export function languagesOf(market: string, defaultLanguage: string): string[] {
  const base = (tag: string) => tag.split('-')[0] ?? tag;
  if (market === SANDBOX_MARKET) return [...new Set([base(defaultLanguage), 'en', ...Object.keys(BY_LANGUAGE)])];
  const likeliest = new Intl.Locale('und', { region: market }).maximize().language;
  return [...new Set([base(defaultLanguage), likeliest, ...(MORE_LANGUAGES[market]?.split(' ') ?? []), 'en'])].filter((tag) => tag !== '');
}

/**
 * Reads whether a whole message is a word by which a subscriber of a market stops, starts or asks for help: the partner's
 * own words, then those of the market's languages and country, then those that everybody knows.
 */
export type ReadKeyword = (text: string, market: string) => Keyword | undefined;

export function createReadKeyword(partner: Pick<Partner, 'markets' | 'sms'>): ReadKeyword {
  const byMarket = new Map(
    partner.markets.map(({ code, defaultLanguage }) => {
      const words = new Map<string, Keyword>();
      const { stop, start, help } = partner.sms.optOut;
      const own: KeywordLists = { stop: stop.join(' '), start: start.join(' '), help: help.join(' ') };
      const languages = languagesOf(code, defaultLanguage).flatMap((language) => BY_LANGUAGE[language] ?? []);
      for (const lists of [own, BY_COUNTRY[code], ...languages, UNIVERSAL]) if (lists) add(words, lists);
      return [code, words] as const;
    }),
  );
  return (text, market) => (text.length > LONGEST ? undefined : byMarket.get(market)?.get(folded(text)));
}

/** No word is longer, with all that may stand around it. */
const LONGEST = 60;

/** A word that is taken keeps its meaning. */
function add(words: Map<string, Keyword>, lists: KeywordLists): void {
  for (const keyword of ['stop', 'start', 'help'] as const) {
    for (const word of lists[keyword].split(' ').filter((each) => each !== '')) {
      const spelled = folded(word.replaceAll('_', ' '));
      if (!words.has(spelled)) words.set(spelled, keyword);
    }
  }
}
