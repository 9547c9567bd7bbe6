import type { MessageStore } from '../store/index.js';
import { messageOf, partOf, receiptOf, type SmsMessage, type SmsPart, type SmsReceipt } from './message.js';

/** An SMS with what the SMSC said of it: answers by part, and receipts in the order they came. */
export interface WholeSms {
  message: SmsMessage;
  parts: SmsPart[];
  receipts: SmsReceipt[];
}

export async function readSms(store: MessageStore, id: string): Promise<WholeSms | undefined> {
  const [row] = await store.read('SELECT * FROM sms_message WHERE id = $1', [id]);
  if (!row) return undefined;
  const parts = await store.read('SELECT * FROM sms_part WHERE sms_id = $1 ORDER BY number', [id]);
  const receipts = await store.read('SELECT * FROM sms_receipt WHERE sms_id = $1 ORDER BY heard_at, id', [id]);
  return { message: messageOf(row), parts: parts.map(partOf), receipts: receipts.map(receiptOf) };
}
