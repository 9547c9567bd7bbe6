import type { SmsContext } from '../context.js';
import type { OperatorLink } from '../links/open-links.js';
import { linkKey } from '../links/open-links.js';

/** Receipts that came before the answer they belong to. */
export interface HeldReceipts {
  /** A part was accepted under this key, durably: looks, together with others of this moment, whether a receipt is held for it. */
  look(key: string): void;
}

/** Keys that one statement asks for. */
const KEYS_MAX = 100;

/** @param claim matches what is held for a key. */
export function createHeldReceipts(
  { store, tasks }: Pick<SmsContext, 'store' | 'tasks'>,
  { partner }: Pick<OperatorLink, 'partner'>,
  claim: (key: string) => Promise<void>,
): HeldReceipts {
  // One that came over a sibling link is held under that one's name.
  const links = partner.smpp.links.map(({ id }) => linkKey(partner.id, id));
  const places = (from: number, count: number) => Array.from({ length: count }, (_, index) => `$${from + index}`).join(', ');
  let keys: string[] = [];

  async function lookNow(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    const asked = keys;
    keys = [];
    const [any] = await store.read(
      `SELECT 1 AS held FROM sms_receipt WHERE link_id IN (${places(1, links.length)}) AND sms_id IS NULL LIMIT 1`,
      links,
    );
    if (!any) return;
    for (let from = 0; from < asked.length; from += KEYS_MAX) {
      const some = asked.slice(from, from + KEYS_MAX);
      const rows = await store.read<{ smsc_key: string }>(
        `SELECT DISTINCT k.smsc_key FROM sms_receipt_key k JOIN sms_receipt r ON r.id = k.receipt_id
         WHERE k.link_id IN (${places(1, links.length)}) AND k.smsc_key IN (${places(links.length + 1, some.length)}) AND r.sms_id IS NULL`,
        [...links, ...some],
      );
      for (const row of rows) await claim(row.smsc_key);
    }
  }

  return {
    look(key) {
      if (keys.push(key) === 1) tasks.start('held receipts', lookNow);
    },
  };
}
