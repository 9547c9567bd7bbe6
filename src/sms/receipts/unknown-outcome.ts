import { comparable } from '../addresses.js';
import type { SmsContext } from '../context.js';
import type { SmsMessage } from '../message.js';
import type { Settler } from '../outbound/settle.js';
import { type FindPart, isSameNumber, type ReceiptLink } from './find-part.js';
import { matchReceipt } from './operations.js';
import { type ReceiptRow, receiptOf } from './stored-receipt.js';

/** Around a submit of unknown outcome, receipts from this long before it (clocks of ours only) may be its own. */
const BEFORE_MS = 1_000;
/** A receipt comes within the validity of its message, three days by default, and some grace. */
const AFTER_MS = 4 * 86_400_000;

interface OpenParts {
  smsId: string;
  /** Those without an answer and without a receipt. */
  numbers: number[];
  since: number;
  resends: number;
}

/**
 * Tells from receipts what became of parts that had no answer, and so no id: those to the same recipient from the same sender that no
 * other part can have asked for.
 */
export function createUnknownOutcome(context: SmsContext, settler: Settler, find: FindPart) {
  const { store, serial, log } = context;

  async function openParts(smsId: string, pduCount: number): Promise<OpenParts> {
    const known = await store.read<{ number: number }>(
      `SELECT number FROM sms_part WHERE sms_id = $1 AND outcome = 'accepted'
       UNION SELECT number FROM sms_receipt WHERE sms_id = $1`,
      [smsId],
    );
    const [row] = await store.read<{ queued_at: number; resends: number }>('SELECT queued_at, resends FROM sms_message WHERE id = $1', [
      smsId,
    ]);
    const numbers = new Set(known.map(({ number }) => Number(number)));
    return {
      smsId,
      numbers: Array.from({ length: pduCount }, (_, index) => index + 1).filter((number) => !numbers.has(number)),
      since: Number(row?.queued_at ?? 0),
      resends: Number(row?.resends ?? 0),
    };
  }

  return function resolve(link: ReceiptLink, { recipient, sender }: Pick<SmsMessage, 'recipient' | 'sender'>): Promise<void> {
    const isSame = (row: { recipient: string; sender: string }) =>
      isSameNumber(row.recipient, recipient) && comparable(row.sender) === comparable(sender);
    return serial.run(`unknown ${link.key} ${comparable(recipient)} ${comparable(sender)}`, async () => {
      const open = await store.read<{ id: string; state: string; recipient: string; sender: string; pdu_count: number }>(
        `SELECT id, state, recipient, sender, pdu_count FROM sms_message
         WHERE partner_id = $1 AND link_id = $2 AND state IN ('submitting', 'unknown')`,
        [link.partner.id, link.config.id],
      );
      const same = open.filter(isSame);
      // What is being submitted right now may be what the receipt is of: its answer will tell.
      if (same.some((row) => row.state === 'submitting')) return;
      const all = await Promise.all(same.map((row) => openParts(row.id, Number(row.pdu_count))));
      const [parts, ...others] = all.filter(({ numbers }) => numbers.length > 0);
      if (!parts || others.length > 0) return;
      const rows = await store.read<ReceiptRow>(
        `SELECT id, smsc_message_ids, recipient, sender FROM sms_receipt
         WHERE link_id = $1 AND sms_id IS NULL AND heard_at BETWEEN $2 AND $3 ORDER BY heard_at, id LIMIT 100`,
        [link.key, parts.since - BEFORE_MS, parts.since + AFTER_MS],
      );
      const held: string[] = [];
      for (const row of rows) if (isSame(row) && (await find(link, receiptOf(row))) === undefined) held.push(row.id);
      // As many as there are parts, and no other message that they could be of: then they are of these. A code that went out
      // twice may have twice as many.
      const { length } = parts.numbers;
      if (held.length < length || held.length > length * (1 + parts.resends)) return;
      for (const [index, id] of held.entries()) {
        await store.run(matchReceipt, { id, smsId: parts.smsId, number: parts.numbers[index % length] ?? 1 });
      }
      log.info({ smsId: parts.smsId, receipts: held.length }, 'unknown outcome resolved by receipt');
      await settler.settle(parts.smsId);
    });
  };
}
