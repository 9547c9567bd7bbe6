import { z } from 'zod';
import { isCurrency, isDay, isLanguageTag, isMarketCode, isTimeZone } from './iso-codes.js';
import { createSecret } from './secret.js';

/** What an error says when the value breaks the rule: what must be, then the fix. */
export const rule = (must: string, fix: string) => ({ error: `${must}; fix: ${fix}` });

export const identifier = () =>
  z
    .string()
    .regex(
      /^[a-z][a-z0-9-]{1,38}[a-z0-9]$/,
      rule('must be 3 to 40 lower-case letters, digits and hyphens, a letter first', 'write it as e-plus-main is written'),
    );

export const marketCode = () =>
  z
    .string()
    .refine(isMarketCode, rule('must be an ISO 3166 alpha-2 code, or XS for the sandbox', 'write the code in capitals, DE for instance'));

export const currency = () =>
  z.string().refine(isCurrency, rule('must be an ISO 4217 code', 'write the code in capitals, EUR for instance'));

export const timeZone = () =>
  z.string().refine(isTimeZone, rule('must be an IANA time zone', 'write its name, Europe/Berlin for instance'));

export const languageTag = () =>
  z.string().refine(isLanguageTag, rule('must be a BCP 47 language tag in canonical form', 'write it as de or en-JM'));

export const day = () => z.string().refine(isDay, rule('must be a day that exists, YYYY-MM-DD', 'write it as 2026-01-31'));

export const email = () => z.email(rule('must be an e-mail address', 'write it as noc@operator.example')).max(254);

/** E.164 digits after `+`, as far as the range is fixed. */
export const msisdnPrefix = () =>
  z.string().regex(/^\+[1-9][0-9]{0,13}$/, rule('must be "+" and 1 to 14 digits, in quotes', 'write it as "+4917"'));

/** A link's or listener's address in the SMPP sense: C-Octet Strings without the final NUL. */
export const systemId = () =>
  z
    .string()
    .regex(
      /^[!-~]{1,15}$/,
      rule('must be 1 to 15 printable ASCII characters (SMPP 3.4 §4.1.1)', 'agree a shorter system_id with the operator'),
    );

/** The value behind the reference, kept from printing. */
export const secret = (pattern: RegExp, must: string, fix: string) => z.string().regex(pattern, rule(must, fix)).transform(createSecret);

export const smppPassword = () =>
  secret(
    /^[!-~]{1,8}$/,
    'must be 1 to 8 printable ASCII characters (SMPP 3.4 §4.1.1)',
    'agree a password of at most 8 characters with the operator',
  );

export const httpsUrl = () =>
  z
    .string()
    .max(2_000)
    .refine(
      (text) => URL.canParse(text) && new URL(text).protocol === 'https:' && new URL(text).username === '',
      rule('must be an https URL without credentials', 'write it as https://api.operator.example/path'),
    );

export const integer = (min: number, max: number) => z.int().min(min).max(max);

/** A list that names nothing twice. */
export const distinct = <T extends z.ZodType<string>>(item: T, min: number, max: number) =>
  z
    .array(item)
    .min(min)
    .max(max)
    .refine((list) => new Set(list).size === list.length, rule('names something twice', 'name each once'));

export const money = () =>
  z.strictObject({
    amountMinor: integer(0, 1_000_000_000_000).describe('The amount in the minor unit of the currency, a whole number.'),
    currency: currency().describe('ISO 4217.'),
  });

export const dayRange = () =>
  z
    .strictObject({ from: day().describe('The first day.'), to: day().describe('The last day.') })
    .refine(({ from, to }) => from <= to, rule('ends before it begins', 'write from before to'));

const PEM = /-----BEGIN [A-Z ]+-----/;
const PEM_RULE = ['must be a PEM text', 'refer to the file with a file: reference, as _template/partner.yaml shows'] as const;

export const pemText = () => z.string().regex(PEM, rule(...PEM_RULE));
export const pemSecret = () => secret(PEM, ...PEM_RULE);
