import { randomInt } from 'node:crypto';
import type { Instant } from '../../kernel/clock.js';

/** How a message id is written, as the operator's ESME expects it: its `msg-id-type` and the like. */
export type MessageIdForm = 'decimal' | 'hex';

/**
 * A message id for the wire, as decimal text: 41 bits of milliseconds and 22 random ones. A number, since many ESMEs read
 * one from a response in hexadecimal and from a receipt in decimal, or the other way round; 63 bits, since they keep it in 64.
 * It is no secret and may come twice: whoever stores it looks.
 */
export const newMessageId = (now: Instant): string => ((BigInt(now) << 22n) | BigInt(randomInt(1 << 22))).toString();

export const writeMessageId = (id: string, form: MessageIdForm): string => (form === 'hex' ? BigInt(id).toString(16) : id);

/** A message id of ours in its stored form, whichever of the forms the ESME writes. @returns undefined when it cannot be one. */
export function readMessageId(text: string, form: MessageIdForm): string | undefined {
  if (!(form === 'hex' ? /^[0-9a-f]{1,16}$/i : /^[0-9]{1,19}$/).test(text)) return undefined;
  return BigInt(form === 'hex' ? `0x${text}` : text).toString();
}
