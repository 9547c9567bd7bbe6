import type { ControlStore } from './control.js';
import type { MessageStore } from './messages.js';
import { defineOperation, settleNothing } from './operation.js';
import type { OutboxEntry } from './outbox-relay.js';

/** The reading end of an outbox table, as `startOutboxRelay` takes it. */
export interface Outbox {
  pull(limit: number): Promise<OutboxEntry[]>;
  remove(entries: OutboxEntry[]): Promise<void>;
}

/** What gateway.db asks of messages.db. */
export const controlOutbox = (control: ControlStore): Outbox => ({
  pull: (limit) => control.read.outboxItem.findMany({ orderBy: { position: 'asc' }, take: limit }),
  async remove(entries) {
    await control.transact((tx) => tx.outboxItem.deleteMany({ where: { position: { in: entries.map((entry) => entry.position) } } }));
  },
});

const removeEntry = defineOperation<{ position: number }, undefined>({
  name: 'outbox.remove',
  statements: [`DELETE FROM outbox WHERE position IN (SELECT CAST(b.value ->> 'position' AS BIGINT) FROM :batch)`],
  settle: settleNothing,
});

/** What messages.db asks of gateway.db. */
export const messagesOutbox = (messages: MessageStore): Outbox => ({
  async pull(limit) {
    const rows = await messages.read('SELECT position, id, topic, payload FROM outbox ORDER BY position LIMIT $1', [limit]);
    return rows.map(({ position, id, topic, payload }) => ({
      position: Number(position),
      id: String(id),
      topic: String(topic),
      payload: String(payload),
    }));
  },
  async remove(entries) {
    await Promise.all(entries.map(({ position }) => messages.run(removeEntry, { position })));
  },
});
