import { createHash } from 'node:crypto';
import type { DeliverSm, Receipt } from '../../smpp/index.js';
import { comparable } from '../addresses.js';
import type { SmsContext } from '../context.js';
import type { OperatorLink } from '../links/open-links.js';
import type { SmsMessage } from '../message.js';
import type { Settler } from '../outbound/settle.js';
import { insertReceipt, insertReceiptKey, matchReceipt } from './operations.js';
import { receiptKeys } from './smsc-key.js';

export interface Receipts {
  /** Resolves once the receipt is durable; matching it goes on behind. */
  take(link: OperatorLink, pdu: DeliverSm, receipt: Receipt): Promise<void>;
  /** A part was accepted under this key: a receipt that came before the answer belongs to it. */
  claimHeld(link: OperatorLink, smsId: string, number: number, key: string): Promise<void>;
  /** After a restart: matches what was stored and not yet matched. */
  recover(): Promise<void>;
  /** A message has parts of unknown outcome: receipts that nobody else can have asked for tell what became of them. */
  resolveUnknown(link: OperatorLink, message: Pick<SmsMessage, 'recipient' | 'sender'>): Promise<void>;
}

/** Around a submit of unknown outcome, receipts from this long before it (clocks of ours only) may be its own. */
const BEFORE_MS = 1_000;
/** A receipt comes within the validity of its message, three days by default, and some grace. */
const AFTER_MS = 4 * 86_400_000;

export function createReceipts(context: SmsContext, settler: Settler): Receipts {
  const { store, clock, domainClock, tasks, serial, log } = context;

  /** The part that a receipt is of: its id in any form, and its number; an id alone may be two messages'. */
  async function partOf(link: OperatorLink, receipt: Receipt, recipient: string): Promise<{ smsId: string; number: number } | undefined> {
    const isExact = link.config.messageIdForm === 'text';
    for (const key of isExact ? receiptKeys(receipt.messageIds).slice(0, receipt.messageIds.length) : receiptKeys(receipt.messageIds)) {
      const rows = await store.read<{ sms_id: string; number: number; recipient: string }>(
        `SELECT p.sms_id, p.number, m.recipient FROM sms_part p JOIN sms_message m ON m.id = p.sms_id
         WHERE p.link_id = $1 AND p.smsc_key = $2 ORDER BY p.at DESC LIMIT 10`,
        [link.key, key],
      );
      const found = rows.find((row) => isSameNumber(row.recipient, recipient));
      if (found) return { smsId: found.sms_id, number: Number(found.number) };
    }
    return undefined;
  }

  async function match(link: OperatorLink, id: string, receipt: Receipt, recipient: string, sender: string): Promise<void> {
    const part = await partOf(link, receipt, recipient);
    if (part) await give(id, part);
    else {
      log.info({ partnerId: link.partner.id, linkId: link.config.id, receiptId: id }, 'receipt held');
      await resolveUnknownOf(link, recipient, sender);
    }
  }

  async function give(receiptId: string, part: { smsId: string; number: number }): Promise<void> {
    await store.run(matchReceipt, { id: receiptId, ...part });
    await settler.settle(part.smsId);
  }

  function resolveUnknownOf(link: OperatorLink, recipient: string, sender: string): Promise<void> {
    return serial.run(`unknown ${link.key} ${comparable(recipient)} ${comparable(sender)}`, async () => {
      const open = await store.read<{ id: string; state: string; recipient: string; sender: string; pdu_count: number; since: number }>(
        `SELECT m.id, m.state, m.recipient, m.sender, m.pdu_count, m.queued_at AS since FROM sms_message m
         WHERE m.partner_id = $1 AND m.link_id = $2 AND m.state IN ('submitting', 'unknown')`,
        [link.partner.id, link.config.id],
      );
      const same = open.filter((row) => isSameNumber(row.recipient, recipient) && comparable(row.sender) === comparable(sender));
      // What is being submitted right now may be what the receipt is of: its answer will tell.
      if (same.some((row) => row.state === 'submitting')) return;
      const candidates = await Promise.all(same.map((row) => unknownParts(row.id, Number(row.pdu_count))));
      const [parts, ...others] = candidates.filter((numbers) => numbers.numbers.length > 0);
      if (!parts || others.length > 0) return;
      const held = (
        await store.read<{ id: string; sender: string; recipient: string }>(
          `SELECT id, sender, recipient FROM sms_receipt
           WHERE link_id = $1 AND sms_id IS NULL AND heard_at BETWEEN $2 AND $3 ORDER BY heard_at, id LIMIT 100`,
          [link.key, parts.since - BEFORE_MS, parts.since + AFTER_MS],
        )
      ).filter((row) => isSameNumber(row.recipient, recipient) && comparable(row.sender) === comparable(sender));
      // As many as there are parts, and no other message that they could be of: then they are of these. A code that went out
      // twice may have twice as many.
      const { length } = parts.numbers;
      if (held.length < length || held.length > length * (1 + parts.resends)) return;
      for (const [index, row] of held.entries()) {
        await store.run(matchReceipt, { id: row.id, smsId: parts.smsId, number: parts.numbers[index % length] ?? 1 });
      }
      log.info({ smsId: parts.smsId, receipts: held.length }, 'unknown outcome resolved by receipt');
      await settler.settle(parts.smsId);
    });
  }

  async function unknownParts(
    smsId: string,
    pduCount: number,
  ): Promise<{ smsId: string; numbers: number[]; since: number; resends: number }> {
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

  return {
    async take(link, pdu, receipt) {
      const recipient = pdu.sourceAddr;
      const sender = pdu.destinationAddr;
      const id = receiptId(link.key, recipient, sender, receipt);
      const keys = receiptKeys(receipt.messageIds);
      const heardAt = clock.now();
      // The keys first: a receipt is never there without being findable.
      await Promise.all(keys.map((smscKey) => store.run(insertReceiptKey, { linkId: link.key, smscKey, receiptId: id })));
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
        heardAt,
      });
      // Also when it is a repeat: the first may have come right before a crash.
      tasks.start('receipt', () => match(link, id, receipt, recipient, sender));
    },

    async claimHeld(link, smsId, number, key) {
      const held = await store.read<{ id: string; recipient: string }>(
        `SELECT r.id, r.recipient FROM sms_receipt_key k JOIN sms_receipt r ON r.id = k.receipt_id
         WHERE k.link_id = $1 AND k.smsc_key = $2 AND r.sms_id IS NULL LIMIT 10`,
        [link.key, key],
      );
      const [message] = await store.read<{ recipient: string }>('SELECT recipient FROM sms_message WHERE id = $1', [smsId]);
      for (const row of held) {
        if (message && isSameNumber(message.recipient, row.recipient)) await store.run(matchReceipt, { id: row.id, smsId, number });
      }
    },

    async recover() {
      const rows = await store.read<{ id: string; sms_id: string; number: number; recipient: string; of: string }>(
        `SELECT r.id, p.sms_id, p.number, r.recipient, m.recipient AS "of" FROM sms_receipt r
         JOIN sms_receipt_key k ON k.receipt_id = r.id
         JOIN sms_part p ON p.link_id = k.link_id AND p.smsc_key = k.smsc_key
         JOIN sms_message m ON m.id = p.sms_id
         WHERE r.sms_id IS NULL LIMIT 10000`,
      );
      for (const row of rows) {
        if (isSameNumber(row.of, row.recipient)) await give(row.id, { smsId: row.sms_id, number: Number(row.number) });
      }
    },

    resolveUnknown: (link, { recipient, sender }) => resolveUnknownOf(link, recipient, sender),
  };
}

/** Receipts that say the same are the same: SMSCs repeat them until they are answered, and sometimes after. */
function receiptId(linkKey: string, recipient: string, sender: string, { messageIds, state, kind, error, doneDate }: Receipt): string {
  const facts = [linkKey, comparable(recipient), comparable(sender), [...messageIds].sort(), kind, state, error?.code, doneDate];
  return createHash('sha256').update(JSON.stringify(facts)).digest('base64url');
}

/** An SMSC may write a number in its national form: the last eight digits tell numbers of one market apart well enough beside an id. */
function isSameNumber(msisdn: string, fromSmsc: string): boolean {
  const [ours, theirs] = [comparable(msisdn), comparable(fromSmsc)];
  return ours === theirs || (theirs.startsWith('0') && theirs.length >= 9 && ours.endsWith(theirs.slice(-8)));
}
