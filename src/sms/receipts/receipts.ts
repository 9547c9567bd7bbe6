import { createHash } from 'node:crypto';
import type { DataSm, DeliverSm, Receipt } from '../../smpp/index.js';
import { comparable } from '../addresses.js';
import type { SmsContext } from '../context.js';
import type { SmsMessage } from '../message.js';
import type { Settler } from '../outbound/settle.js';
import { createPartFinder, linksOf, type ReceiptLink, receiptKeys } from './find-part.js';
import { createIdForms } from './id-forms.js';
import { insertReceipt, matchReceipt } from './operations.js';
import { type ReceiptRow, receiptOf, type StoredReceipt } from './stored-receipt.js';
import { createUnknownOutcome } from './unknown-outcome.js';

export interface Receipts {
  /** Resolves once the receipt is durable; matching it goes on behind. */
  take(link: ReceiptLink, pdu: DeliverSm | DataSm, receipt: Receipt): Promise<void>;
  /** A part was accepted under this key (`plainMessageId`): a receipt that came before the answer belongs to it. */
  claimHeld(link: ReceiptLink, key: string): Promise<void>;
  /** After a restart, and now and then: matches what was stored and not yet matched. */
  recover(): Promise<void>;
  /** A message has parts of unknown outcome: receipts that nobody else can have asked for tell what became of them. */
  resolveUnknown(link: ReceiptLink, message: Pick<SmsMessage, 'recipient' | 'sender'>): Promise<void>;
}

/** Held receipts that one look takes. */
const HELD_MAX = 1_000;

export function createReceipts(context: SmsContext, settler: Settler): Receipts {
  const { store, clock, domainClock, partners, tasks, log } = context;
  const forms = createIdForms(context);
  const find = createPartFinder(context, forms);
  const resolveUnknown = createUnknownOutcome(context, settler, find);
  const waiting = createAmbiguous();

  /** @returns whether it was given to a part. */
  async function match(link: ReceiptLink, receipt: StoredReceipt): Promise<boolean> {
    const found = await find(link, receipt);
    if (found === undefined || found === 'ambiguous') {
      log.info({ partnerId: link.partner.id, linkId: link.config.id, receiptId: receipt.id, reason: found ?? 'no-part' }, 'receipt held');
      if (found === 'ambiguous') {
        waiting.add(link.key, receipt);
        forms.forget(link.key);
      }
      return false;
    }
    const { part, evidence } = found;
    await store.run(matchReceipt, { id: receipt.id, smsId: part.smsId, number: part.number });
    await settler.settle(part.smsId);
    const isLearned = evidence !== undefined && (await forms.saw(link, evidence));
    // What could be of two parts may be certain now. It is not waited for: this one is matched.
    const again = waiting.take(link.key, isLearned ? undefined : receipt.recipient);
    if (again.length > 0) tasks.start('receipts', () => matchAll(link, again));
    return true;
  }

  async function matchAll(link: ReceiptLink, ids: readonly string[]): Promise<void> {
    for (const id of ids) await matchStored(link, id);
  }

  async function matchStored(link: ReceiptLink, id: string): Promise<void> {
    const [row] = await store.read<ReceiptRow>(
      'SELECT id, smsc_message_ids, recipient, sender FROM sms_receipt WHERE id = $1 AND sms_id IS NULL',
      [id],
    );
    if (row) await match(link, receiptOf(row));
  }

  /** Every held receipt of the link that some part could be of. */
  async function retry(link: ReceiptLink): Promise<void> {
    const rows = await store.read<ReceiptRow>(
      `SELECT DISTINCT r.id, r.smsc_message_ids, r.recipient, r.sender FROM sms_receipt r
       JOIN sms_receipt_key k ON k.receipt_id = r.id JOIN sms_part p ON p.link_id = k.link_id AND p.smsc_key = k.smsc_key
       WHERE r.link_id = $1 AND r.sms_id IS NULL LIMIT ${HELD_MAX}`,
      [link.key],
    );
    await matchAll(
      link,
      rows.map(({ id }) => id),
    );
  }

  return {
    async take(link, pdu, receipt) {
      const recipient = pdu.sourceAddr;
      const sender = pdu.destinationAddr;
      const id = receiptId(link.key, recipient, sender, receipt);
      await store.run(insertReceipt, {
        id,
        linkId: link.key,
        smscMessageIds: JSON.stringify(receipt.messageIds),
        state: receipt.state,
        errorCode: receipt.error?.code ?? null,
        doneDate: receipt.doneDate ?? null,
        recipient,
        sender,
        receivedAt: domainClock.now(link.partner.id),
        heardAt: clock.now(),
        keys: receiptKeys(receipt.messageIds).map((key) => ({ key })),
      });
      // Also when it is a repeat: the first may have come right before a crash.
      tasks.start('receipt', async () => {
        if (!(await match(link, { id, messageIds: receipt.messageIds, recipient, sender })))
          await resolveUnknown(link, { recipient, sender });
      });
    },

    async claimHeld({ partner }, key) {
      // One that came over a sibling link is held under that one's name.
      const links = linksOf(partner);
      const places = links.map((_, index) => `$${index + 2}`).join(', ');
      const rows = await store.read<ReceiptRow & { link_id: string }>(
        `SELECT DISTINCT r.id, r.link_id, r.smsc_message_ids, r.recipient, r.sender FROM sms_receipt_key k JOIN sms_receipt r ON r.id = k.receipt_id
         WHERE k.smsc_key = $1 AND k.link_id IN (${places}) AND r.sms_id IS NULL LIMIT 100`,
        [key, ...links.map((link) => link.key)],
      );
      for (const row of rows) {
        const link = links.find((each) => each.key === row.link_id);
        if (link) await match(link, receiptOf(row));
      }
    },

    async recover() {
      for (const partner of partners.all()) for (const link of linksOf(partner)) await retry(link);
    },

    resolveUnknown,
  };
}

/** More of them than any link has for good reason: then they wait for the next look at all that is held. */
const AMBIGUOUS_MAX = 10_000;

/** Receipts that may be of more than one part: the next that is matched to the same handset may tell, and so does a form that was learned. */
function createAmbiguous() {
  const byLink = new Map<string, Map<string, string>>();
  return {
    add(linkKey: string, { id, recipient }: StoredReceipt): void {
      const held = byLink.get(linkKey) ?? new Map<string, string>();
      byLink.set(linkKey, held);
      if (held.size < AMBIGUOUS_MAX) held.set(id, comparable(recipient));
    },
    /** Those to a handset, or all of the link, which do not wait here any more. */
    take(linkKey: string, recipient: string | undefined): string[] {
      const held = byLink.get(linkKey);
      if (!held) return [];
      const ids = [...held].flatMap(([id, to]) => (recipient === undefined || to === comparable(recipient) ? [id] : []));
      for (const id of ids) held.delete(id);
      return ids;
    },
  };
}

/** Receipts that say the same are the same: SMSCs repeat them until they are answered, and sometimes after. */
function receiptId(linkKey: string, recipient: string, sender: string, { messageIds, state, kind, error, doneDate }: Receipt): string {
  const ids = messageIds.map(({ id }) => id).sort();
  const facts = [linkKey, comparable(recipient), comparable(sender), ids, kind, state, error?.code, doneDate];
  return createHash('sha256').update(JSON.stringify(facts)).digest('base64url');
}
