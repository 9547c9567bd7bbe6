import { EVENT_TOPIC } from '../../events/index.js';
import { defineOperation } from '../../store/index.js';
import { big, str } from '../batch-sql.js';

export interface PolicyItem {
  partnerId: string;
  /** The policy as JSON text. */
  document: string;
  /** The version that was read, 0 for none: another change since then wins. */
  version: number;
  updatedAt: number;
  /** Also how the event's statement knows that it was this change. */
  eventId: string;
  /** A NewEvent as JSON text. */
  event: string;
  wallNow: number;
}

/** Puts a policy in the place of the version that was read, with its event. Answers whether this caller did. */
export const putPolicy = defineOperation<PolicyItem, boolean>({
  name: 'sms.putPolicy',
  statements: [
    `INSERT INTO sms_policy (partner_id, document, version, updated_at)
     SELECT ${str('partnerId')}, '', 0, 0 FROM :batch WHERE true ON CONFLICT DO NOTHING`,
    `UPDATE sms_policy AS p SET document = ${str('document')}, version = p.version + 1, updated_at = ${big('updatedAt')},
       change_id = ${str('eventId')}
     FROM :batch WHERE p.partner_id = ${str('partnerId')} AND p.version = ${big('version')} RETURNING change_id`,
    `INSERT INTO outbox (id, topic, payload, created_at)
     SELECT ${str('eventId')}, '${EVENT_TOPIC}', ${str('event')}, ${big('wallNow')}
     FROM :batch JOIN sms_policy p ON p.partner_id = ${str('partnerId')} AND p.change_id = ${str('eventId')}`,
  ],
  settle: (items, rows) => {
    const made = new Set(rows[1]?.map((row) => row['change_id']));
    return items.map(({ eventId }) => made.has(eventId));
  },
});
