import { z } from 'zod';
import { distinct, integer, marketCode, rule } from './fields.js';

const use = z.enum(['chat', 'notice', 'otp']);

/** An entry of the sender inventory. */
export const senderSchema = z
  .strictObject({
    address: z.string().min(1).max(16).describe('What the handset shows: up to 11 letters and digits, an E.164 number, or a short code.'),
    type: z.enum(['alphanumeric', 'number', 'shortcode']).describe('An alphanumeric sender takes no reply.'),
    markets: distinct(marketCode(), 1, 50).describe('Where it may be used.'),
    use: distinct(use, 1, 3).describe('What for: chat (the fallback of a message), notice, otp.'),
    replies: z.boolean().default(false).describe('Whether an answer to it comes back to us.'),
    registration: z.string().min(1).max(120).optional().describe('The registration or the contract that allows it; production needs one.'),
  })
  .superRefine(({ address, type, replies }, context) => {
    const say = (path: string, { error }: { error: string }) => context.addIssue({ code: 'custom', path: [path], message: error });
    if (type === 'alphanumeric' && !/^(?=.*[A-Za-z])[A-Za-z0-9 &._+-]{1,11}$/.test(address))
      say('address', rule('must be 1 to 11 letters, digits and spaces, with a letter', 'shorten it (3GPP TS 23.040 §9.1.2.5)'));
    if (type === 'number' && !/^\+[1-9][0-9]{4,14}$/.test(address))
      say('address', rule('must be an E.164 number in quotes', 'write "+" and 5 to 15 digits'));
    if (type === 'shortcode' && !/^[0-9]{3,8}$/.test(address))
      say('address', rule('must be 3 to 8 digits in quotes', 'write it as "22044"'));
    if (type === 'alphanumeric' && replies)
      say('replies', rule('cannot be true: nobody can answer letters', 'leave it out, or use a number'));
  });

const time = () => z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, rule('must be a time of day in quotes', 'write it as "22:00"'));

const words = (...defaults: string[]) =>
  distinct(
    z.string().regex(/^[\p{Lu}\p{Lo}\p{N}]{1,20}$/u, rule('must be one word of up to 20 capital letters and digits', 'write it as STOP')),
    1,
    20,
  ).default(defaults);

export const smsSchema = z.strictObject({
  senders: z.array(senderSchema).max(200).default([]).describe('The sender inventory.'),
  quietHours: z
    .strictObject({
      from: time().describe('When they begin, local time of the market.'),
      to: time().describe('When they end; earlier than from = the next morning.'),
      classes: distinct(use, 1, 3).describe('What waits until they end.'),
    })
    .refine(({ from, to }) => from !== to, rule('begins and ends at the same time', 'leave quietHours out when there are none'))
    .optional()
    .describe('When some messages wait.'),
  capPerRecipientPerDay: integer(1, 1_000).default(20).describe('SMS to one number in a day of the market, at most.'),
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
    .describe('Words that a subscriber may send to a sender that takes replies.'),
});
