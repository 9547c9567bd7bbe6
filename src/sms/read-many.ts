import { inList, type MessageStore, type Row } from '../store/index.js';
import { messageOf, partOf, receiptOf } from './message.js';
import type { WholeSms } from './read-sms.js';

/** Many SMS with what the SMSC said of them, by a few reads; those that are no more are left out. */
export async function readManySms(store: MessageStore, ids: readonly string[]): Promise<WholeSms[]> {
  const { list, values } = inList(ids);
  const [messages, parts, receipts] = await Promise.all([
    store.read(`SELECT * FROM sms_message WHERE id IN (${list})`, values),
    store.read(`SELECT * FROM sms_part WHERE sms_id IN (${list}) ORDER BY sms_id, number`, values),
    store.read(`SELECT * FROM sms_receipt WHERE sms_id IN (${list}) ORDER BY heard_at, id`, values),
  ]);
  const [partsOf, receiptsOf] = [bySms(parts), bySms(receipts)];
  return messages.map((row) => ({
    message: messageOf(row),
    parts: (partsOf.get(row['id']) ?? []).map(partOf),
    receipts: (receiptsOf.get(row['id']) ?? []).map(receiptOf),
  }));
}

function bySms(rows: readonly Row[]): Map<unknown, Row[]> {
  const found = new Map<unknown, Row[]>();
  for (const row of rows) {
    const own = found.get(row['sms_id']);
    if (own) own.push(row);
    else found.set(row['sms_id'], [row]);
  }
  return found;
}
