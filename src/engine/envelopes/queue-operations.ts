import { defineOperation } from '../../store/index.js';
import { appendEnvelopesSql, ENVELOPE_TTL_MAX_MS } from './append-sql.js';

/** Stands in for the sending device in `engine_sent`; no device has this id. */
export const SYSTEM = 'system';

export interface SystemItem {
  /** Idempotency key. */
  id: string;
  messageId: string;
  kind: string;
  suite: string;
  devices: readonly { deviceId: string; body: string }[];
  wallNow: number;
}

const DEVICE = `e.value ->> 'deviceId'`;

const [reserve, append] = appendEnvelopesSql(`
  SELECT b.key AS ord, ${DEVICE} AS device_id, s.message_id AS id, b.value ->> 'kind' AS kind, NULL AS sender_account_id,
         NULL AS sender_device_id, NULL AS client_msg_id, NULL AS ref, b.value ->> 'suite' AS suite, e.value ->> 'body' AS body,
         s.stored_at AS sent_at, s.stored_at + ${ENVELOPE_TTL_MAX_MS} AS expires_at
  FROM :members(devices) JOIN :batch ON b.key = e.place JOIN engine_sent s ON s.message_id = b.value ->> 'messageId'`);

/** Puts one message of the gateway into the queues of several devices, once per id. */
export const enqueueSystem = defineOperation<SystemItem, { devices: string[] | 'repeated' | 'no-device' }>({
  name: 'engine.enqueueSystem',
  statements: [
    `INSERT INTO engine_sent (sender_device_id, client_msg_id, message_id, stored_at)
     SELECT '${SYSTEM}', b.value ->> 'id', b.value ->> 'messageId', CAST(b.value ->> 'wallNow' AS BIGINT)
     FROM :batch
     WHERE EXISTS (SELECT 1 FROM :members(devices) JOIN engine_device d ON d.id = ${DEVICE} AND d.removed_at IS NULL WHERE e.place = b.key)
     ON CONFLICT DO NOTHING`,
    reserve,
    append,
    `SELECT s.client_msg_id, s.message_id FROM engine_sent s
     WHERE s.sender_device_id = '${SYSTEM}' AND s.client_msg_id IN (SELECT b.value ->> 'id' FROM :batch)`,
  ],
  settle(items, rows) {
    const stored = new Map(rows[3]?.map((row) => [row['client_msg_id'], row['message_id']]));
    const devices = new Map<unknown, string[]>();
    for (const row of rows[2] ?? []) devices.set(row['id'], [...(devices.get(row['id']) ?? []), String(row['device_id'])]);
    return items.map(({ id, messageId }) => {
      const first = stored.get(id);
      if (first === undefined) return { devices: 'no-device' };
      return { devices: first === messageId ? (devices.get(messageId) ?? []) : 'repeated' };
    });
  },
});

/** Rows that one transaction deletes: a sweep must not hold up the senders. */
const SWEEP_MAX = 500;

/** Answers whether there may be more. A repeat of a send is recognised for as long as its envelope may live. */
export const removeExpired = defineOperation<{ wallNow: number }, boolean>({
  name: 'engine.removeExpired',
  statements: [
    `DELETE FROM engine_envelope WHERE (device_id, seq) IN (
       SELECT e.device_id, e.seq FROM engine_envelope e
       WHERE e.expires_at <= (SELECT MAX(CAST(b.value ->> 'wallNow' AS BIGINT)) FROM :batch)
       ORDER BY e.expires_at LIMIT ${SWEEP_MAX})
     RETURNING id`,
    `DELETE FROM engine_sent WHERE message_id IN (
       SELECT s.message_id FROM engine_sent s
       WHERE s.stored_at <= (SELECT MAX(CAST(b.value ->> 'wallNow' AS BIGINT)) FROM :batch) - ${ENVELOPE_TTL_MAX_MS}
       ORDER BY s.stored_at LIMIT ${SWEEP_MAX})
     RETURNING message_id`,
  ],
  settle: (items, rows) => items.map(() => rows.some((deleted) => deleted.length >= SWEEP_MAX)),
});
