import { z } from 'zod';
import { currency, distinct, languageTag, marketCode, msisdnPrefix, rule, timeZone } from './fields.js';

/** A country, or the sandbox, in which the partner has subscribers. */
export const marketSchema = z.strictObject({
  code: marketCode().describe('ISO 3166 alpha-2, or XS: the sandbox market.'),
  mccMnc: distinct(z.string().regex(/^[0-9]{5,6}$/, rule('must be MCC and MNC, 5 or 6 digits in quotes', 'write it as "26203"')), 0, 50)
    .default([])
    .describe('The networks (ITU-T E.212): MCC and MNC together. IMSIs must begin with one of them.'),
  msisdnPrefixes: distinct(msisdnPrefix(), 0, 200)
    .default([])
    .describe("The operator's number ranges (E.164). One operator only may list a prefix. A hub lists none."),
  iccidPrefixes: distinct(
    z.string().regex(/^89[0-9]{2,16}$/, rule('must be 89 and 2 to 16 digits more, in quotes (ITU-T E.118)', 'write it as "894920"')),
    0,
    200,
  )
    .default([])
    .describe('How the serials of its SIMs begin (ITU-T E.118). One operator only may list a prefix.'),
  currency: currency().describe('ISO 4217; what the market is settled in.'),
  timeZone: timeZone().describe('IANA name; quiet hours, validity and the days of statements follow it.'),
  defaultLanguage: languageTag().describe(
    'BCP 47; the language of notices when the subscriber chose none. A file in templates/ must have it.',
  ),
});

export const authoritySchema = z.strictObject({
  sims: z.enum(['operator', 'gateway']).default('operator').describe('Who is master of SIM and number.'),
  subscriptions: z.enum(['operator', 'gateway']).default('operator').describe('Who is master of orders and subscriptions.'),
  balances: z.enum(['operator', 'gateway']).default('operator').describe('Who is master of the prepaid balance.'),
});
