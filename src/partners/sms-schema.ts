import { z } from 'zod';
import { distinct, integer, marketCode, msisdnPrefix, rule } from './fields.js';

const use = z.enum(['chat', 'notice', 'otp']);
const messageClass = z.enum(['otp', 'urgent', 'notice', 'chat']);

/** An entry of the sender inventory. */
export const senderSchema = z
  .strictObject({
    address: z.string().min(1).max(16).describe('What the handset shows: up to 11 letters and digits, an E.164 number, or a short code.'),
    type: z.enum(['alphanumeric', 'number', 'shortcode']).describe('An alphanumeric sender takes no reply.'),
    markets: distinct(marketCode(), 1, 50).describe('Where it may be used.'),
    use: distinct(use, 1, 3).describe('What for: chat (the fallback of a message), notice, otp.'),
    replies: z.boolean().default(false).describe('Whether an answer to it comes back to us.'),
    direction: z
      .enum(['mt', 'mo', 'both'])
      .optional()
      .describe('mt: we send from it. mo: subscribers write to it. Both when it takes replies, mt else.'),
    group: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,31}$/, rule('must be up to 32 lower-case letters, digits and hyphens', 'write it as offers'))
      .default('default')
      .describe('A stop word sent to one sender of a group stops all of them.'),
    status: z
      .enum(['active', 'pending', 'suspended', 'retired'])
      .default('active')
      .describe('Only an active sender is used; pending: its registration is not through yet.'),
    segmentsPerSecondMax: integer(1, 10_000)
      .optional()
      .describe('Segments a second that may go out under it; the link alone bounds it when left out.'),
    registration: z.string().min(1).max(120).optional().describe('The registration or the contract that allows it; production needs one.'),
  })
  .superRefine(({ address, type, replies, direction }, context) => {
    const say = (path: string, { error }: { error: string }) => context.addIssue({ code: 'custom', path: [path], message: error });
    if (type === 'alphanumeric' && !/^(?=.*[A-Za-z])[A-Za-z0-9 &._+-]{1,11}$/.test(address))
      say('address', rule('must be 1 to 11 letters, digits and spaces, with a letter', 'shorten it (3GPP TS 23.040 §9.1.2.5)'));
    if (type === 'number' && !/^\+[1-9][0-9]{4,14}$/.test(address))
      say('address', rule('must be an E.164 number in quotes', 'write "+" and 5 to 15 digits'));
    if (type === 'shortcode' && !/^[0-9]{3,8}$/.test(address))
      say('address', rule('must be 3 to 8 digits in quotes', 'write it as "22044"'));
    if (type === 'alphanumeric' && replies)
      say('replies', rule('cannot be true: nobody can answer letters', 'leave it out, or use a number'));
    else if (replies && direction !== undefined && direction !== 'both')
      say('direction', rule('must be both for a sender that takes replies', 'leave it out, or set replies to false'));
    if (type === 'alphanumeric' && direction !== undefined && direction !== 'mt')
      say('direction', rule('must be mt: nobody can write to letters', 'leave it out'));
  });

const time = () => z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, rule('must be a time of day in quotes', 'write it as "22:00"'));

const words = (...defaults: string[]) =>
  distinct(
    z.string().regex(/^[\p{Lu}\p{Lo}\p{N}]{1,20}$/u, rule('must be one word of up to 20 capital letters and digits', 'write it as STOP')),
    1,
    20,
  ).default(defaults);

const pumpingSchema = z.strictObject({
  percentOfMean: integer(101, 100_000)
    .default(500)
    .describe('A number range that gets more than this share of its mean hour of the last seven days is held.'),
  minimumPerHour: integer(1, 10_000_000).default(200).describe('Below this many an hour a range is not judged.'),
  sequentialNumbers: integer(3, 10_000).default(50).describe('So many numbers in a row, one after the other, within ten minutes are held.'),
});

export const smsSchema = z.strictObject({
  senders: z.array(senderSchema).max(200).default([]).describe('The sender inventory.'),
  quietHours: z
    .strictObject({
      from: time().describe('When they begin, local time of the market.'),
      to: time().describe('When they end; earlier than from = the next morning.'),
      classes: distinct(messageClass, 1, 4).describe('What waits until they end: otp, urgent, notice, chat.'),
    })
    .refine(({ from, to }) => from !== to, rule('begins and ends at the same time', 'leave quietHours out when there are none'))
    .optional()
    .describe('When some messages wait.'),
  capPerRecipientPerDay: integer(1, 1_000_000).default(20).describe('SMS to one number in a day of the market, at most.'),
  capPerPairPerDay: integer(1, 1_000_000).default(20).describe('SMS from one sender to one number in a day of the market, at most.'),
  capPerMarketPerHour: integer(1, 100_000_000).default(100_000).describe('SMS to the numbers of one market in an hour, at most.'),
  blockedPrefixes: distinct(msisdnPrefix(), 0, 500)
    .default([])
    .describe('Number ranges that nothing is sent to, beside the premium-rate ranges of every country.'),
  pumping: pumpingSchema.default(() => pumpingSchema.parse({})).describe('When traffic looks as if it were made to earn termination fees.'),
  optOut: z
    .strictObject({
      stop: words('STOP').describe('Words that stop.'),
      start: words('START').describe('Words that start again.'),
      help: words('HELP').describe('Words that ask for help.'),
    })
    .refine(({ stop, start, help }) => new Set([...stop, ...start, ...help]).size === stop.length + start.length + help.length, {
      error: 'gives one word two meanings; fix: keep the word in one list only',
    })
    .default({ stop: ['STOP'], start: ['START'], help: ['HELP'] })
    .describe("Words that a subscriber may send to a sender that takes replies, beside those of the market's languages."),
});
