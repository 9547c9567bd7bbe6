import { defineOperation } from '../../store/index.js';
import { big, str } from '../batch-sql.js';

export interface ReplacedSms {
  id: string;
  /** That was read: another change since then wins. */
  version: number;
  wrapped: string;
  expiresAt: number;
  notBefore: number;
  waitsFor: string | null;
  domainNow: number;
}

/** Puts another text into a message of which nothing has gone out, neither to the SMSC nor to the app. Answers whether it did. */
export const replaceSms = defineOperation<ReplacedSms, boolean>({
  name: 'esme.replace',
  statements: [
    `UPDATE sms_message AS m SET wrapped = ${str('wrapped')}, expires_at = ${big('expiresAt')}, not_before = ${big('notBefore')},
       waits_for = ${str('waitsFor')}, updated_at = ${big('domainNow')}, version = m.version + 1
     FROM :batch
     WHERE m.id = ${str('id')} AND m.version = ${big('version')} AND m.state = 'queued' AND m.attempts = 0 AND m.wrapped IS NOT NULL
       AND COALESCE(m.waits_for, '') <> 'in-app'
     RETURNING id`,
  ],
  settle: (items, [replaced]) => {
    const done = new Set(replaced?.map((row) => row['id']));
    return items.map(({ id }) => done.has(id));
  },
});
