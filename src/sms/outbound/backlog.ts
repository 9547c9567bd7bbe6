import type { Instant } from '../../kernel/clock.js';
import { inList, type MessageStore, type Row } from '../../store/index.js';
import { messageOf, partOf, type SmsMessage, type SmsPart } from '../message.js';

/** A message of a link that may go, as the database has it. */
export interface BacklogRow {
  message: SmsMessage;
  parts: SmsPart[];
}

/** What waits for a link in the database: all that this node does not have in its memory. */
export interface Backlog {
  /** Of a class, those after `afterId` that may go now, in their order. */
  read(priority: number, afterId: string, limit: number): Promise<BacklogRow[]>;
  /** When the next of those that wait for an instant may go. */
  nextDueAt(): Promise<Instant | undefined>;
}

/**
 * @param clock whose now decides what is due.
 */
export function createBacklog(store: MessageStore, link: { partnerId: string; linkId: string }, now: () => Instant): Backlog {
  const { partnerId, linkId } = link;
  return {
    async read(priority, afterId, limit) {
      // One that waits for its time holds up those of its own and lower classes to its handset.
      const rows = await store.read(
        `SELECT m.* FROM sms_message m WHERE m.link_id = $1 AND m.priority = $2 AND m.id > $3 AND m.partner_id = $4
           AND m.state = 'queued' AND m.not_before <= $5
           AND NOT EXISTS (SELECT 1 FROM sms_message e WHERE e.link_id = m.link_id AND e.recipient = m.recipient AND e.state = 'queued'
             AND e.id < m.id AND e.priority <= m.priority AND e.not_before > $5)
         ORDER BY m.id LIMIT ${limit}`,
        [linkId, priority, afterId, partnerId, now()],
      );
      const messages = rows.map(messageOf);
      const parts = await partsOf(messages.filter(({ attempts }) => attempts > 0).map(({ id }) => id));
      return messages.map((message) => ({ message, parts: parts.get(message.id) ?? [] }));
    },
    async nextDueAt() {
      const [row] = await store.read<{ at: number | null }>(
        `SELECT MIN(not_before) AS at FROM sms_message WHERE link_id = $1 AND partner_id = $2 AND state = 'queued' AND not_before > $3`,
        [linkId, partnerId, now()],
      );
      return row?.at == null ? undefined : Number(row.at);
    },
  };

  async function partsOf(ids: readonly string[]): Promise<Map<string, SmsPart[]>> {
    const found = new Map<string, SmsPart[]>();
    if (ids.length === 0) return found;
    const { list, values } = inList(ids);
    const rows = await store.read<Row>(`SELECT * FROM sms_part WHERE sms_id IN (${list}) ORDER BY number`, values);
    for (const row of rows) found.set(String(row['sms_id']), [...(found.get(String(row['sms_id'])) ?? []), partOf(row)]);
    return found;
  }
}
