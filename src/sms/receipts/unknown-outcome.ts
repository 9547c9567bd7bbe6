import type { SmppLink } from '../../partners/index.js';
import { comparable, wireDestination } from '../addresses.js';
import type { SmsContext } from '../context.js';
import type { SmsMessage } from '../message.js';
import type { Settler } from '../outbound/settle.js';
import type { FindPart, ReceiptLink } from './find-part.js';
import { type OpenMessage, openMessagesTo } from './open-messages.js';
import { matchReceipt } from './operations.js';
import { type ReceiptRow, receiptOf } from './stored-receipt.js';

/** Around a submit of unknown outcome, receipts from this long before it (clocks of ours only) may be its own. */
const BEFORE_MS = 1_000;
/** A receipt comes within the validity of its message, three days by default, and some grace. */
const AFTER_MS = 4 * 86_400_000;

/** Held receipts to one handset that are looked at. */
const HELD_MAX = 100;

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

  async function openParts({ id, pdu_count: pduCount, queued_at: since, resends }: OpenMessage): Promise<OpenParts> {
    const known = await store.read<{ number: number }>(
      `SELECT number FROM sms_part WHERE sms_id = $1 AND outcome = 'accepted'
       UNION SELECT number FROM sms_receipt WHERE sms_id = $1`,
      [id],
    );
    const numbers = new Set(known.map(({ number }) => Number(number)));
    return {
      smsId: id,
      numbers: Array.from({ length: Number(pduCount ?? 0) }, (_, index) => index + 1).filter((number) => !numbers.has(number)),
      since: Number(since),
      resends: Number(resends),
    };
  }

  /** Receipts of the link that nobody else can have asked for, whichever way their SMSC writes the number. */
  async function unclaimed(
    link: ReceiptLink,
    { recipient, sender }: Pick<SmsMessage, 'recipient' | 'sender'>,
    since: number,
  ): Promise<string[]> {
    const written = writtenForms(recipient, link.config);
    const places = written.map((_, index) => `$${index + 4}`).join(', ');
    const rows = await store.read<ReceiptRow>(
      `SELECT id, smsc_message_ids, recipient, sender FROM sms_receipt
       WHERE link_id = $1 AND sms_id IS NULL AND heard_at BETWEEN $2 AND $3 AND recipient IN (${places}) ORDER BY heard_at, id LIMIT ${HELD_MAX}`,
      [link.key, since - BEFORE_MS, since + AFTER_MS, ...written],
    );
    const own: string[] = [];
    for (const row of rows) {
      if (comparable(row.sender) === comparable(sender) && (await find(link, receiptOf(row))) === undefined) own.push(row.id);
    }
    return own;
  }

  return function resolve(link: ReceiptLink, { recipient, sender }: Pick<SmsMessage, 'recipient' | 'sender'>): Promise<void> {
    return serial.run(`unknown ${link.key} ${comparable(recipient)} ${comparable(sender)}`, async () => {
      const to = await openMessagesTo(store, link, recipient);
      const same = to.filter((row) => comparable(row.sender) === comparable(sender));
      // What is being submitted right now may be what the receipt is of: its answer will tell.
      if (same.some((row) => row.state === 'submitting')) return;
      const all = await Promise.all(same.map(openParts));
      const [parts, ...others] = all.filter(({ numbers }) => numbers.length > 0);
      const [message] = same.filter(({ id }) => id === parts?.smsId);
      if (!parts || !message || others.length > 0) return;
      const held = await unclaimed(link, message, parts.since);
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

/** Every way in which an SMSC may write a number that we send to it. */
function writtenForms(msisdn: string, { destination }: SmppLink): string[] {
  const digits = msisdn.slice(1);
  const national = wireDestination(msisdn, { ...destination, format: 'national' }).address;
  return [...new Set([digits, msisdn, `00${digits}`, national, national.replace(/^0/, '')])];
}
