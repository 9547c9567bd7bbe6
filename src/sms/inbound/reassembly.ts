import type { KeyWrap } from '../../kernel/key-wrap.js';
import type { SmppLink } from '../../partners/index.js';
import type { PartContent } from '../../smpp/index.js';
import type { SmsContext } from '../context.js';
import { linkKey } from '../links/open-links.js';
import { wireText } from '../links/wire-text.js';
import { joinInbound, type NewInbound } from './operations.js';
import { type ReadMessage, readMessage, readPart } from './part-body.js';
import { partPurpose } from './purposes.js';

/** From a message's last part on, so long its rest may take. A phone sends all of them within seconds; SMSCs retry within minutes. */
export const PARTS_WAIT_MS = 900_000;

/** Messages that one look ends. */
const OVERDUE_MAX = 200;

/** A type, not an interface, so that it is a row of the store. */
type PartRow = {
  number: number;
  wrapped: string;
  content_hash: string;
  session_id: string;
  partner_id: string;
  link_id: string;
  sender: string;
  recipient: string;
  heard_at: number;
};

/** Whose a message is. */
export interface InboundPlace {
  partnerId: string;
  linkId: string;
  sender: string;
  recipient: string;
  sessionId: string;
  contentHash: string;
}

export interface ReassemblyOptions {
  context: SmsContext;
  keyWrap: KeyWrap;
  newInbound: (place: InboundPlace, message: ReadMessage, missingParts: number) => NewInbound;
  onReceived: (inboundId: string) => void;
}

/** Parts of long messages, as they wait in the store. */
export function createReassembly({ context, keyWrap, newInbound, onReceived }: ReassemblyOptions) {
  const { store, clock, partners, log } = context;

  const configOf = ({ partner_id: partnerId, link_id: linkId }: PartRow): SmppLink | undefined =>
    partners.get(partnerId)?.smpp.links.find(({ id }) => id === linkId);

  /**
   * Makes one message of the parts that wait: when all are there, when the last is `overdue`, or as `incomplete` as they are. Only in turn
   * with whatever else the handset sends.
   */
  async function join(groupKey: string, total: number, when: 'complete' | 'incomplete' | 'overdue'): Promise<void> {
    const rows = await store.read<PartRow>(
      `SELECT number, wrapped, content_hash, session_id, partner_id, link_id, sender, recipient, heard_at FROM sms_inbound_part
       WHERE group_key = $1 AND inbound_id IS NULL ORDER BY heard_at`,
      [groupKey],
    );
    const last = rows.at(-1);
    if (!last || (when === 'complete' && rows.length < total)) return;
    if (when === 'overdue' && Number(last.heard_at) > clock.now() - PARTS_WAIT_MS) return;
    const parts = new Map<number, PartContent>();
    for (const { number, wrapped } of rows) {
      parts.set(Number(number), readPart(Buffer.from(keyWrap.unwrap(wrapped, partPurpose(groupKey, Number(number))))));
    }
    const missing = total - rows.length;
    const config = configOf(last);
    const place = {
      partnerId: last.partner_id,
      linkId: last.link_id,
      sender: last.sender,
      recipient: last.recipient,
      sessionId: last.session_id,
      contentHash: last.content_hash,
    };
    const inbound = newInbound(place, readMessage(parts, total, config ? wireText(config) : {}), missing);
    const joined = rows.map((row) => ({ number: Number(row.number), contentHash: row.content_hash }));
    if (!(await store.run(joinInbound, { ...inbound, groupKey, parts: joined, partCount: rows.length }))) return;
    if (missing > 0) log.warn({ linkId: last.link_id, inboundId: inbound.id, missing }, 'inbound sms incomplete');
    onReceived(inbound.id);
  }

  return {
    join,
    /** Messages whose last part came long ago. */
    async overdue(): Promise<{ groupKey: string; total: number; linkKey: string; sender: string }[]> {
      const rows = await store.read<{ group_key: string; total: number; partner_id: string; link_id: string; sender: string }>(
        `SELECT p.group_key, p.total, p.partner_id, p.link_id, p.sender FROM sms_inbound_part p
         WHERE p.inbound_id IS NULL AND p.partner_id IS NOT NULL AND p.heard_at <= $1
           AND NOT EXISTS (SELECT 1 FROM sms_inbound_part q WHERE q.group_key = p.group_key AND q.inbound_id IS NULL AND q.heard_at > $1)
         ORDER BY p.heard_at LIMIT ${OVERDUE_MAX}`,
        [clock.now() - PARTS_WAIT_MS],
      );
      const groups = new Map(rows.map((row) => [row.group_key, row]));
      return [...groups.values()].map((row) => ({
        groupKey: row.group_key,
        total: Number(row.total),
        linkKey: linkKey(row.partner_id, row.link_id),
        sender: row.sender,
      }));
    },
  };
}
