import { messageIdVariants } from '../../smpp/index.js';

/** A message id in comparable form: without case, `0x` and leading zeros, in which SMSCs differ with themselves. */
export const smscKey = (messageId: string): string =>
  messageId
    .trim()
    .toLowerCase()
    .replace(/^0x/, '')
    .replace(/^0+(?=.)/, '');

/** The keys that a receipt's id may have been answered with, the likeliest first: as it is, then hexadecimal or decimal for the other. */
export const receiptKeys = (messageIds: readonly string[]): string[] => [
  ...new Set([...messageIds.map(smscKey), ...messageIds.flatMap((id) => messageIdVariants(id).map(smscKey))]),
];
