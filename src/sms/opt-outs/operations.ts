import { EVENT_TOPIC } from '../../events/index.js';
import { defineOperation, type Row } from '../../store/index.js';
import { big, str } from '../batch-sql.js';

export interface OptOutItem {
  id: string;
  partnerId: string;
  market: string;
  msisdn: string;
  group: string;
  classes: string;
  source: string;
  at: number;
  /** Unique: how the statements after the change know that it was this one. */
  changeId: string;
  eventId: string;
  /** A NewEvent as JSON text. */
  event: string;
  wallNow: number;
}

const insertEvent = (from: string): string =>
  `INSERT INTO outbox (id, topic, payload, created_at)
   SELECT ${str('eventId')}, '${EVENT_TOPIC}', ${str('event')}, ${big('wallNow')} FROM ${from} WHERE true`;

/**
 * Records that a number wants no more of some classes from a group of senders, and the event. What was recorded already,
 * and the same, stays as it is. Answers the row as it then is, and whether this caller changed it.
 */
export const putOptOut = defineOperation<OptOutItem, { row: Row | undefined; changed: boolean }>({
  name: 'sms.putOptOut',
  statements: [
    `INSERT INTO sms_opt_out (id, partner_id, market, msisdn, sender_group, classes, source, created_at, updated_at, change_id)
     SELECT ${str('id')}, ${str('partnerId')}, ${str('market')}, ${str('msisdn')}, ${str('group')}, ${str('classes')}, ${str('source')},
       ${big('at')}, ${big('at')}, ${str('changeId')}
     FROM :batch WHERE true
     ON CONFLICT (partner_id, msisdn, sender_group) DO UPDATE SET classes = excluded.classes, source = excluded.source,
       updated_at = excluded.updated_at, change_id = excluded.change_id
     WHERE sms_opt_out.classes <> excluded.classes`,
    insertEvent(`:batch JOIN sms_opt_out o ON o.id = ${str('id')} AND o.change_id = ${str('changeId')}`),
    `SELECT b.key AS place, o.* FROM :batch JOIN sms_opt_out o
     ON o.partner_id = ${str('partnerId')} AND o.msisdn = ${str('msisdn')} AND o.sender_group = ${str('group')}`,
  ],
  settle: (items, rows) => {
    const byPlace = new Map(rows[2]?.map((row) => [Number(row['place']), row]));
    return items.map(({ changeId }, place) => ({ row: byPlace.get(place), changed: byPlace.get(place)?.['change_id'] === changeId }));
  },
});

export type OptOutEnd = Pick<OptOutItem, 'id' | 'changeId' | 'eventId' | 'event' | 'wallNow'>;

/** Deletes an opt-out, with its event. Answers whether this caller did. */
export const endOptOut = defineOperation<OptOutEnd, boolean>({
  name: 'sms.endOptOut',
  statements: [
    // Takes the row: whoever else wants to end it waits here, and finds none.
    `UPDATE sms_opt_out AS o SET change_id = ${str('changeId')} FROM :batch WHERE o.id = ${str('id')}`,
    insertEvent(`:batch JOIN sms_opt_out o ON o.id = ${str('id')} AND o.change_id = ${str('changeId')}`),
    `DELETE FROM sms_opt_out WHERE (id, change_id) IN (SELECT ${str('id')}, ${str('changeId')} FROM :batch) RETURNING id`,
  ],
  settle: (items, rows) => {
    const ended = new Set(rows[2]?.map((row) => row['id']));
    return items.map((item) => ended.has(item.id));
  },
});
