import { defineOperation, settleNothing } from '../../store/index.js';
import { big, int, str } from '../batch-sql.js';

export interface NewReceipt {
  id: string;
  linkId: string;
  /** ReceiptId[] as JSON text. */
  smscMessageIds: string;
  state: string;
  errorCode: string | null;
  doneDate: string | null;
  recipient: string;
  sender: string;
  receivedAt: number;
  heardAt: number;
  /** What its part may have been answered with, to be found by. */
  keys: readonly { key: string }[];
}

/** Keeps a receipt; the same one again changes nothing. */
export const insertReceipt = defineOperation<NewReceipt, undefined>({
  name: 'sms.insertReceipt',
  statements: [
    `INSERT INTO sms_receipt_key (link_id, smsc_key, receipt_id)
     SELECT ${str('linkId')}, e.value ->> 'key', ${str('id')} FROM :members(keys) JOIN :batch ON b.key = e.place WHERE true ON CONFLICT DO NOTHING`,
    `INSERT INTO sms_receipt (id, link_id, smsc_message_ids, state, error_code, done_date, recipient, sender, received_at, heard_at)
     SELECT ${str('id')}, ${str('linkId')}, ${str('smscMessageIds')}, ${str('state')}, ${str('errorCode')}, ${str('doneDate')},
       ${str('recipient')}, ${str('sender')}, ${big('receivedAt')}, ${big('heardAt')}
     FROM :batch WHERE true ON CONFLICT DO NOTHING`,
  ],
  settle: settleNothing,
});

/** Gives a held receipt to the part that it is of. Answers whether it was still held. */
export const matchReceipt = defineOperation<{ id: string; smsId: string; number: number }, boolean>({
  name: 'sms.matchReceipt',
  statements: [
    `UPDATE sms_receipt AS r SET sms_id = ${str('smsId')}, number = ${int('number')}
     FROM :batch WHERE r.id = ${str('id')} AND r.sms_id IS NULL RETURNING id`,
  ],
  settle: (items, [matched]) => {
    const done = new Set(matched?.map((row) => row['id']));
    return items.map((item) => done.has(item.id));
  },
});

/** Keeps what was learned of a link. One caller at a time for one link. */
export const saveIdForm = defineOperation<{ linkId: string; source: string; form: string; streak: number; seenAt: number }, undefined>({
  name: 'sms.saveIdForm',
  statements: [
    `INSERT INTO sms_id_form (link_id, source, form, streak, seen_at)
     SELECT ${str('linkId')}, ${str('source')}, ${str('form')}, ${int('streak')}, ${big('seenAt')} FROM :batch WHERE true
     ON CONFLICT (link_id, source) DO UPDATE SET form = excluded.form, streak = excluded.streak, seen_at = excluded.seen_at`,
  ],
  settle: settleNothing,
});
