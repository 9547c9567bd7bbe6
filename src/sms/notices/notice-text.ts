import { IntlMessageFormat } from 'intl-messageformat';
import type { Fallback } from '../../engine/index.js';
import { GatewayError } from '../../kernel/errors.js';
import type { Partner } from '../../partners/index.js';
import { lookUpLanguage } from './bcp47.js';

/** The notices' own bound on `senderName` (src/partners/icu-message.ts). */
const SENDER_NAME_MAX = 30;

/** The notice in the recipient's language, or the nearest that the partner has, or the market's own. */
export function noticeText(fallback: Pick<Fallback, 'language' | 'market' | 'ref' | 'senderName'>, partner: Partner): string {
  const language = noticeLanguage(partner, fallback.market, fallback.language);
  const template = partner.templates[language]?.notice;
  if (template === undefined) throw new GatewayError('SMS.NO_ROUTE', { detail: 'The partner has no notice text for this market.' });
  const given = Array.from((fallback.senderName ?? '').trim())
    .slice(0, SENDER_NAME_MAX)
    .join('');
  const senderName = given === '' ? (partner.somebody[language] ?? partner.somebody[language.split('-')[0] ?? ''] ?? 'Somebody') : given;
  const formatted: unknown = new IntlMessageFormat(template, language, undefined, { ignoreTag: true }).format({
    senderName,
    ref: fallback.ref,
  });
  return String(formatted);
}

/** The language of a notice: the wanted one or the nearest, else the market's own. */
export function noticeLanguage(partner: Partner, market: string, wanted: string | undefined): string {
  const tags = Object.keys(partner.templates);
  const fallback = partner.markets.find(({ code }) => code === market)?.defaultLanguage ?? 'en';
  return lookUpLanguage(tags, wanted ?? '') ?? lookUpLanguage(tags, fallback) ?? fallback;
}
