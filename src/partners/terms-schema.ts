import { z } from 'zod';
import { currency, day, dayRange, email, httpsUrl, integer, marketCode, money, pemSecret, pemText, rule } from './fields.js';

export const contactsSchema = z.strictObject({
  noc: email().describe('Who is called when a link is down, at any hour.'),
  care: email().describe('Who answers for subscribers.'),
  finance: email().describe('Who gets statements and disputes.'),
});

export const rateSchema = z.strictObject({
  market: marketCode().describe('One of the markets above.'),
  service: z.enum(['sms-mt', 'sms-mo', 'zero-rated-data']).describe('What is charged.'),
  unit: z.enum(['segment', 'message', 'megabyte']).describe('What is counted.'),
  amountMinor: integer(0, 1_000_000).describe('The price of one unit, in the minor unit of the currency.'),
  currency: currency().describe('ISO 4217.'),
  chargeable: z.enum(['accepted', 'delivered']).default('accepted').describe('Whether a unit counts once accepted or only once delivered.'),
});

export const agreementSchema = z
  .strictObject({
    from: day().describe('The first day.'),
    until: day().optional().describe('The last day; open when left out.'),
    rates: z.array(rateSchema).max(500).default([]).describe('One price for each market and service.'),
    fallbackPayer: z.enum(['platform', 'operator']).default('platform').describe('Who pays for the SMS of a fallback.'),
    monthlyBudget: money().describe('What fallbacks may cost in a month, at most.'),
  })
  .refine(({ from, until }) => until === undefined || from <= until, rule('ends before it begins', 'write from before until'));

export const rateLimitsSchema = z.strictObject({
  readPerSecond: integer(1, 100_000).default(200).describe('Reading requests a second.'),
  writePerSecond: integer(1, 100_000).default(100).describe('Writing requests a second.'),
  tokenPerMinute: integer(1, 10_000).default(60).describe('Token requests a minute.'),
});

export const TRAFFIC_CLASSES = ['messaging-text', 'messaging-media', 'voip', 'status', 'onboarding', 'all'] as const;

const ratingSchema = z.strictObject({
  ratingGroup: integer(0, 4_294_967_295).describe('Rating-Group (RFC 8506 §8.29).'),
  serviceId: integer(0, 4_294_967_295).describe('Service-Identifier (RFC 8506 §8.28).'),
});

const deliveryCommon = {
  leadTimeDays: integer(0, 90).default(10).describe('Days between the publication of a list and its effect.'),
  freeze: z.array(dayRange()).max(100).default([]).describe('Days on which the operator changes nothing.'),
};

export const zeroRatingSchema = z.strictObject({
  classes: z
    .partialRecord(z.enum(TRAFFIC_CLASSES), ratingSchema)
    .default({})
    .describe("How the operator's charging names each traffic class."),
  delivery: z
    .discriminatedUnion(
      'mode',
      [
        z.strictObject({ mode: z.literal('pull').describe('The operator reads the list from our API.'), ...deliveryCommon }),
        z.strictObject({
          mode: z.literal('nef').describe('We write the list into the network exposure function (3GPP TS 29.122).'),
          ...deliveryCommon,
          apiRoot: httpsUrl().describe('Where the NEF answers.'),
          scsAsId: z.string().min(1).max(64).describe('Our name there.'),
          tokenUrl: httpsUrl().describe('Where its tokens come from.'),
        }),
      ],
      rule('must be pull or nef', 'choose one'),
    )
    .default({ mode: 'pull', leadTimeDays: 10, freeze: [] })
    .describe('How lists reach the network.'),
});

export const provisioningSchema = z.strictObject({
  esim: z
    .union([
      z.literal('none'),
      z.strictObject({
        url: httpsUrl().describe('The ES2+ address of the SM-DP+ (SGP.22 §5.3).'),
        functionRequesterIdentifier: z.string().min(1).max(64).describe('Our name there.'),
        ca: pemText().describe('Its certificate authority.'),
        cert: pemText().describe('Our certificate.'),
        key: pemSecret().describe('Our key.'),
      }),
    ])
    .default('none')
    .describe('none, or the ES2+ connection.'),
});
