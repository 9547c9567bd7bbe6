import type { ReceiptId } from '../../smpp/index.js';

/** A receipt as it lies in the store. A type, not an interface, so that it is a row of it. */
export type ReceiptRow = { id: string; smsc_message_ids: string; recipient: string; sender: string };

export interface StoredReceipt {
  readonly id: string;
  readonly messageIds: readonly ReceiptId[];
  /** The source and the destination address of its PDU: the handset's and the sender's, but for SMSCs that leave them as in the original. */
  readonly recipient: string;
  readonly sender: string;
}

export const receiptOf = ({ id, smsc_message_ids: ids, recipient, sender }: ReceiptRow): StoredReceipt => ({
  id,
  messageIds: JSON.parse(ids) as ReceiptId[],
  recipient,
  sender,
});
