import { GatewayError, invalidField } from '../../kernel/errors.js';
import { type ArgumentKind, type IcuMessage, type Partner, readIcuMessage } from '../../partners/index.js';
import { lookUpLanguage } from './bcp47.js';

/** Which of a partner's own texts, in which language, with what put in. */
export interface TemplateUse {
  template: string;
  variables?: Readonly<Record<string, string>> | undefined;
  /** BCP 47; the market's own when left out, or when there is none like it. */
  language?: string | undefined;
  market: string;
}

/**
 * Writes a partner's own text.
 *
 * @throws GatewayError `SMS.TEMPLATE_UNKNOWN`, or `INVALID_ARGUMENT` naming the variable.
 */
export type WritePartnerText = (partner: Partner, use: TemplateUse) => { text: string; language: string };

export function createWritePartnerText(): WritePartnerText {
  const messages = new Map<string, IcuMessage | undefined>();

  function messageOf(partner: Partner, language: string, name: string): IcuMessage | undefined {
    const key = `${partner.id} ${language} ${name}`;
    const source = partner.templates[language]?.messages[name];
    if (!messages.has(key) && source !== undefined) messages.set(key, readIcuMessage(source, language));
    return messages.get(key);
  }

  return (partner, { template, variables = {}, language, market }) => {
    const tags = Object.entries(partner.templates).flatMap(([tag, texts]) => (Object.hasOwn(texts.messages, template) ? [tag] : []));
    const own = partner.markets.find(({ code }) => code === market)?.defaultLanguage ?? 'en';
    const found = lookUpLanguage(tags, language ?? own) ?? lookUpLanguage(tags, own) ?? tags[0];
    const message = found === undefined ? undefined : messageOf(partner, found, template);
    if (found === undefined || !message) {
      throw new GatewayError('SMS.TEMPLATE_UNKNOWN', {
        detail: '/template: the partner has no text of this name.',
        hint: 'The names are in templates/<language>.yaml of the partner, under messages.',
        errors: [{ pointer: '/template', code: 'unknown', message: 'is no text of the partner' }],
      });
    }
    const unknown = Object.keys(variables).find((name) => !message.arguments.has(name));
    if (unknown !== undefined) throw invalidField(`/variables/${unknown}`, 'is no argument of this text', 'unknown');
    const values = [...message.arguments].map(([name, kind]) => [name, putIn(variables[name], kind, `/variables/${name}`)] as const);
    return { text: message.format(Object.fromEntries(values)), language: found };
  };
}

function putIn(given: string | undefined, kind: ArgumentKind, pointer: string): string | number | Date {
  if (given === undefined) throw invalidField(pointer, 'is missing: the text needs it', 'required');
  if (kind === 'text') return given;
  const value = kind === 'number' ? Number(given === '' ? Number.NaN : given) : Date.parse(given);
  if (!Number.isFinite(value)) throw invalidField(pointer, kind === 'number' ? 'must be a number' : 'must be an instant, RFC 3339');
  return kind === 'number' ? value : new Date(value);
}
