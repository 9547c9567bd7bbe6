import { defineOperation } from '../../store/index.js';
import { str } from '../batch-sql.js';
import { changeSms, type PartAnswer, recordPart, type SmsChange } from '../operations.js';

/** The last answer of an attempt, where one was still to come, and what follows of all of them. */
export type FinishedAttempt = SmsChange & (PartAnswer | { outcome: null });

/**
 * Ends an attempt: the answer to its last part, the message's new state, price and event, in one commit. What the SMSC
 * answered is kept in any case. Answers whether the change was this caller's.
 */
export const finishAttempt = defineOperation<FinishedAttempt, boolean>({
  name: 'sms.finishAttempt',
  statements: [
    ...recordPart.statements.map((sql) => sql.replace('WHERE true', `WHERE ${str('outcome')} IS NOT NULL`)),
    ...changeSms.statements,
  ],
  settle: (items, [, ...rows]) => changeSms.settle(items, rows),
});
