import { defineOperation } from '../../store/index.js';
import { appendEnvelopesSql, ENVELOPE_TTL_MAX_MS } from './append-sql.js';

export interface SystemItem {
  /** Idempotency key. */
  id: string;
  envelopeId: string;
  deviceId: string;
  kind: string;
  suite: string;
  body: string;
  wallNow: number;
}

/** Stands in for the sending device in `engine_sent`; no device has this id. */
export const SYSTEM = 'system';

const [reserve, append] = appendEnvelopesSql(`
  SELECT b.key AS ord, b.value ->> 'deviceId' AS device_id, s.message_id AS id, b.value ->> 'kind' AS kind, NULL AS sender_account_id,
         NULL AS sender_device_id, NULL AS client_msg_id, NULL AS ref, b.value ->> 'suite' AS suite, b.value ->> 'body' AS body,
         s.stored_at AS sent_at, s.stored_at + ${ENVELOPE_TTL_MAX_MS} AS expires_at
  FROM :batch JOIN engine_sent s ON s.message_id = b.value ->> 'envelopeId'`);

export const enqueueSystem = defineOperation<SystemItem, 'stored' | 'repeated' | 'no-device'>({
  name: 'engine.enqueueSystem',
  statements: [
    `INSERT INTO engine_sent (sender_device_id, client_msg_id, message_id, stored_at)
     SELECT '${SYSTEM}', b.value ->> 'id', b.value ->> 'envelopeId', CAST(b.value ->> 'wallNow' AS BIGINT)
     FROM :batch JOIN engine_device d ON d.id = b.value ->> 'deviceId' AND d.removed_at IS NULL
     WHERE true ORDER BY b.key
     ON CONFLICT DO NOTHING`,
    reserve,
    append,
    `SELECT s.client_msg_id, s.message_id FROM engine_sent s
     WHERE s.sender_device_id = '${SYSTEM}' AND s.client_msg_id IN (SELECT b.value ->> 'id' FROM :batch)`,
  ],
  settle(items, rows) {
    const stored = new Map(rows[3]?.map((row) => [row['client_msg_id'], row['message_id']]));
    return items.map((item) => {
      const envelopeId = stored.get(item.id);
      if (envelopeId === undefined) return 'no-device';
      return envelopeId === item.envelopeId ? 'stored' : 'repeated';
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
