import { type Instant, toRfc3339 } from '../../kernel/clock.js';
import type { Row } from '../../store/index.js';
import type { SmsClass } from '../message.js';

/** All senders of the partner. */
export const EVERY_GROUP = '*';

export const SMS_CLASSES: readonly SmsClass[] = ['otp', 'urgent', 'notice', 'chat'];

/** A subscriber who wants no more SMS of some classes from a group of the partner's senders. */
export interface OptOut {
  id: string;
  partnerId: string;
  market: string;
  msisdn: string;
  group: string;
  classes: readonly SmsClass[];
  source: 'keyword' | 'api';
  createdAt: Instant;
  updatedAt: Instant;
}

/** Where the carriers end everything with a stop word, codes too (CTIA Messaging Principles and Best Practices §5.1.3). */
const STOP_COVERS_CODES: ReadonlySet<string> = new Set(['US', 'CA', 'PR']);

/** What a stop word stops. A one-time password is asked for by the subscriber herself, each one anew. */
export const stoppedClasses = (market: string): readonly SmsClass[] =>
  SMS_CLASSES.filter((kind) => kind !== 'otp' || STOP_COVERS_CODES.has(market));

/** Classes as the table has them: each between commas, in one order, so that the same ones are the same text. */
export const classesText = (classes: readonly SmsClass[]): string => `,${SMS_CLASSES.filter((kind) => classes.includes(kind)).join(',')},`;

export const classesOf = (text: string): SmsClass[] => SMS_CLASSES.filter((kind) => text.includes(`,${kind},`));

/** Whether these opt-outs of one number keep a message of a class from going out under a sender of a group. */
export const isStopped = (optOuts: readonly Pick<OptOut, 'group' | 'classes'>[], kind: SmsClass, group: string): boolean =>
  optOuts.some((each) => (each.group === EVERY_GROUP || each.group === group) && each.classes.includes(kind));

export const optOutOf = (row: Row): OptOut => ({
  id: String(row['id']),
  partnerId: String(row['partner_id']),
  market: String(row['market']),
  msisdn: String(row['msisdn']),
  group: String(row['sender_group']),
  classes: classesOf(String(row['classes'])),
  source: String(row['source']) as OptOut['source'],
  createdAt: Number(row['created_at']),
  updatedAt: Number(row['updated_at']),
});

/** As the contract's schema OptOut. */
export const showOptOut = (optOut: OptOut) => ({
  id: optOut.id,
  msisdn: optOut.msisdn,
  market: optOut.market,
  ...(optOut.group !== EVERY_GROUP && { senderGroup: optOut.group }),
  classes: optOut.classes,
  source: optOut.source,
  createdAt: toRfc3339(optOut.createdAt),
  updatedAt: toRfc3339(optOut.updatedAt),
});
