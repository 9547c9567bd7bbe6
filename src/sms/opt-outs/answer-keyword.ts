import { newId } from '../../kernel/ids.js';
import type { SmsContext } from '../context.js';
import { noticeLanguage } from '../notices/notice-text.js';
import { VALIDITY_MS } from '../send/asked.js';
import type { Sends } from '../send/send.js';
import { createReadKeyword, type Keyword, type ReadKeyword } from './keywords.js';
import { EVERY_GROUP, isStopped } from './opt-out.js';
import type { OptOuts } from './opt-outs.js';

/** An SMS from a handset that may be one word which stops, starts or asks for help. */
export interface WordFromHandset {
  /** `mo_…`. */
  inboundId: string;
  partnerId: string;
  /** E.164 with `+`. */
  from: string;
  /** The address of ours that it was written to. */
  to: string;
  market: string | undefined;
  text: string;
}

/**
 * Does what a subscriber asks for with one word, and answers once, in her language. Repeating it after a crash answers once.
 *
 * @returns which word it was; undefined when it is none, and then nothing was done.
 */
export type AnswerKeyword = (word: WordFromHandset) => Promise<Keyword | undefined>;

/** Help is answered once in this time: two programs that answer each other must not go on for ever. */
const HELP_EVERY_MS = 60_000;

/** Who the answer to a keyword is from, in the place of an API client: no client has a colon in its id. */
const clientOf = (keyword: Keyword): string => `keyword:${keyword}`;

/** Which word each text answers. */
const ANSWERS = { stopConfirmed: 'stop', startConfirmed: 'start', help: 'help' } as const;

export interface AnswerKeywordOptions {
  context: Pick<SmsContext, 'store' | 'clock' | 'engine' | 'partners' | 'log'>;
  optOuts: OptOuts;
  sends: Sends;
}

export function createAnswerKeyword({ context, optOuts, sends }: AnswerKeywordOptions): AnswerKeyword {
  const { store, clock, engine, partners, log } = context;
  const readers = new Map<string, ReadKeyword>();

  function readerOf(partnerId: string): ReadKeyword | undefined {
    const partner = partners.get(partnerId);
    if (!partner) return undefined;
    const reader = readers.get(partnerId) ?? createReadKeyword(partner);
    readers.set(partnerId, reader);
    return reader;
  }

  async function answer(word: WordFromHandset, market: string, text: keyof typeof ANSWERS): Promise<void> {
    const partner = partners.get(word.partnerId);
    if (!partner) return;
    const account = await engine.accounts.byMsisdn(word.from);
    const language = noticeLanguage(partner, market, account?.language);
    const body = partner.templates[language]?.[text];
    if (body === undefined) return;
    // One id for each word, so that it is answered once.
    const key = { partnerId: partner.id, scope: 'keyword', key: word.inboundId, fingerprint: text };
    const { outcome, ...more } = await sends.send(
      [
        {
          id: newId('sms', clock.now()),
          partner,
          markets: undefined,
          to: word.from,
          text: body,
          class: 'notice',
          sender: word.to,
          market,
          validForMs: VALIDITY_MS.notice,
          clientId: clientOf(ANSWERS[text]),
          correlator: word.inboundId,
          isAnswer: true,
        },
      ],
      { ...key, answer: () => '' },
    );
    const refused =
      outcome === 'stored' && 'results' in more ? more.results.flatMap((each) => ('refused' in each ? [each.refused.code] : [])) : [];
    if (refused.length > 0) log.warn({ inboundId: word.inboundId, code: refused[0] }, 'a keyword could not be answered');
  }

  async function wasHelped(from: string): Promise<boolean> {
    const since = newId('sms', clock.now() - HELP_EVERY_MS);
    const rows = await store.read('SELECT id FROM sms_message WHERE recipient = $1 AND id > $2 AND client_id = $3 LIMIT 1', [
      from,
      since,
      clientOf('help'),
    ]);
    return rows.length > 0;
  }

  return async function answerKeyword(word) {
    const partner = partners.get(word.partnerId);
    const market = word.market ?? partner?.markets[0]?.code;
    const keyword = market === undefined ? undefined : readerOf(word.partnerId)?.(word.text, market);
    if (!partner || market === undefined || !keyword) return undefined;
    const { partnerId, from, to, inboundId } = word;
    const group = partner.sms.senders.find(({ address }) => address === to)?.group ?? EVERY_GROUP;
    const own = (await optOuts.among(partnerId, [from])).get(from) ?? [];
    // The answer first: what was done is how a repeat knows that it has been answered.
    if (keyword === 'stop' && !isStopped(own, 'notice', group)) {
      await answer(word, market, 'stopConfirmed');
      await optOuts.put({ partnerId, market, msisdn: from, group, source: 'keyword', correlator: inboundId });
    }
    if (keyword === 'start' && own.some((each) => each.group === group || each.group === EVERY_GROUP)) {
      await answer(word, market, 'startConfirmed');
      await optOuts.removeFor(partnerId, from, group);
    }
    if (keyword === 'help' && !(await wasHelped(from))) await answer(word, market, 'help');
    log.info({ inboundId, keyword }, 'keyword from a handset');
    return keyword;
  };
}
