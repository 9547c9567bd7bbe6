import { defineOperation } from '../../store/index.js';
import { big, str } from '../batch-sql.js';

export interface ReleaseItem {
  id: string;
  /** The version that was read: another change since then wins. */
  version: number;
  notBefore: number;
  /** What it waits for next; null when it may go. */
  waitsFor: string | null;
  /** Domain time of the partner. */
  at: number;
}

/** Lets a message go that was held, or holds it for another reason. Answers whether this caller did. */
export const releaseSms = defineOperation<ReleaseItem, boolean>({
  name: 'sms.release',
  statements: [
    `UPDATE sms_message AS m SET not_before = ${big('notBefore')}, waits_for = ${str('waitsFor')}, updated_at = ${big('at')}, version = m.version + 1
     FROM :batch WHERE m.id = ${str('id')} AND m.state = 'queued' AND m.version = ${big('version')} RETURNING id`,
  ],
  settle: (items, [released]) => {
    const done = new Set(released?.map((row) => row['id']));
    return items.map(({ id }) => done.has(id));
  },
});
