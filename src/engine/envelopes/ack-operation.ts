import { defineOperation } from '../../store/index.js';
import { fallbackFactSql } from '../fact-sql.js';
import { ENGINE_TOPIC } from '../facts.js';
import { appendEnvelopesSql, statusSource } from './append-sql.js';
import { SYSTEM } from './queue-operations.js';

/** One envelope that a device has stored. The ids are fresh and used only when this ack is the one that counts. */
export interface AckItem {
  deviceId: string;
  envelopeId: string;
  /** Of the status envelope to the sender. */
  statusId: string;
  /** RFC 3339. */
  statusAt: string;
  /** Of the fact that a fallback was cancelled. */
  factId: string;
  /** Wall clock, milliseconds. */
  wallNow: number;
  /** Domain time of the fallback's partner, milliseconds. */
  domainNow: number;
}

export interface AckResult {
  /** False when the envelope was not there (any more). */
  acknowledged: boolean;
  /** The sender's device, when it got a status. */
  wake: string | undefined;
  /** Whether a fallback was cancelled. */
  cancelled: boolean;
  /** The gateway's own notice that this ack made delivered, by the id it was sent under. */
  notice: string | undefined;
}

/** The acknowledged envelopes that carry a message, a person's or the gateway's own; its id is the envelope's. */
const ACKED = `:batch JOIN engine_envelope e
  ON e.device_id = b.value ->> 'deviceId' AND e.id = b.value ->> 'envelopeId' AND e.kind IN ('message', 'partner-notice')`;

const [reserve, append] = appendEnvelopesSql(
  statusSource({
    from: `:batch JOIN engine_sent s ON s.message_id = b.value ->> 'envelopeId' AND s.delivered_status_id = b.value ->> 'statusId'`,
    senderDeviceId: 's.sender_device_id',
    clientMsgId: 's.client_msg_id',
    messageId: 's.message_id',
    status: `'delivered'`,
    fallbackId: 's.fallback_id',
  }),
);

/**
 * Acknowledges envelopes: the first ack of a message by any device cancels its fallback while that is still armed (and
 * deletes the sealed text), and tells the sender; then the rows go. A claim updates the same row on the same condition,
 * so exactly one of the two happens.
 */
export const acknowledge = defineOperation<AckItem, AckResult>({
  name: 'engine.acknowledge',
  statements: [
    `UPDATE engine_sent AS s SET delivered_at = CAST(b.value ->> 'wallNow' AS BIGINT), delivered_status_id = b.value ->> 'statusId'
     FROM ${ACKED}
     WHERE s.message_id = e.id AND s.delivered_at IS NULL`,
    `UPDATE engine_sms_fallback AS f SET state = 'cancelled', reason = 'acked', sealed = NULL, fact_id = b.value ->> 'factId',
       settled_at = CAST(b.value ->> 'domainNow' AS BIGINT), updated_at = CAST(b.value ->> 'domainNow' AS BIGINT)
     FROM ${ACKED}
     WHERE f.message_id = e.id AND f.state = 'armed'`,
    `INSERT INTO outbox (id, topic, payload, created_at)
     SELECT f.fact_id, '${ENGINE_TOPIC}', ${fallbackFactSql}, CAST(b.value ->> 'wallNow' AS BIGINT)
     FROM :batch JOIN engine_sms_fallback f ON f.message_id = b.value ->> 'envelopeId' AND f.fact_id = b.value ->> 'factId'
     WHERE true
     RETURNING id`,
    reserve,
    append,
    `DELETE FROM engine_envelope WHERE (device_id, id) IN (SELECT b.value ->> 'deviceId', b.value ->> 'envelopeId' FROM :batch)
     RETURNING device_id, id`,
    `SELECT s.delivered_status_id, s.client_msg_id FROM :batch JOIN engine_sent s
     ON s.message_id = b.value ->> 'envelopeId' AND s.delivered_status_id = b.value ->> 'statusId'
     WHERE s.sender_device_id = '${SYSTEM}' AND s.withdrawn_at IS NULL`,
    // One that a device had fetched before it was taken back: its row is gone, and that it was seen is known.
    `UPDATE engine_sent AS s SET delivered_at = CAST(b.value ->> 'wallNow' AS BIGINT) FROM :batch
     WHERE s.message_id = b.value ->> 'envelopeId' AND s.sender_device_id = '${SYSTEM}' AND s.withdrawn_at IS NOT NULL AND s.delivered_at IS NULL`,
  ],
  settle(items, rows) {
    const notices = new Map(rows[6]?.map((row) => [row['delivered_status_id'], String(row['client_msg_id'])]));
    const facts = new Set(rows[2]?.map((row) => row['id']));
    const woken = new Map(rows[4]?.map((row) => [row['id'], String(row['device_id'])]));
    const deleted = new Set(rows[5]?.map((row) => `${row['device_id']} ${row['id']}`));
    return items.map((item) => ({
      // Named twice in one batch, it was there once.
      acknowledged: deleted.delete(`${item.deviceId} ${item.envelopeId}`),
      wake: woken.get(item.statusId),
      cancelled: facts.has(item.factId),
      notice: notices.get(item.statusId),
    }));
  },
});
