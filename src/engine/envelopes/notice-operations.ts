import { defineOperation } from '../../store/index.js';
import { SYSTEM } from './queue-operations.js';

export interface WithdrawItem {
  id: string;
  /** Fresh; used where it was never sent. */
  messageId: string;
  msisdn: string;
  wallNow: number;
}

/** Takes a notice back that no device has acknowledged; an ack updates the same row on the contrary condition. */
export const withdrawNotices = defineOperation<WithdrawItem, { withdrawnAt: number | undefined; deliveredAt: number | undefined }>({
  name: 'engine.withdrawNotices',
  statements: [
    // One that was never sent is not sent later either.
    `INSERT INTO engine_sent (sender_device_id, client_msg_id, message_id, stored_at)
     SELECT '${SYSTEM}', b.value ->> 'id', b.value ->> 'messageId', CAST(b.value ->> 'wallNow' AS BIGINT) FROM :batch WHERE true
     ON CONFLICT DO NOTHING`,
    `UPDATE engine_sent AS s SET withdrawn_at = CAST(b.value ->> 'wallNow' AS BIGINT) FROM :batch
     WHERE s.sender_device_id = '${SYSTEM}' AND s.client_msg_id = b.value ->> 'id' AND s.delivered_at IS NULL AND s.withdrawn_at IS NULL`,
    // What no device has fetched yet need not be fetched any more.
    `DELETE FROM engine_envelope WHERE (device_id, id) IN (
       SELECT d.id, s.message_id FROM :batch
       JOIN engine_sent s ON s.sender_device_id = '${SYSTEM}' AND s.client_msg_id = b.value ->> 'id' AND s.withdrawn_at IS NOT NULL
       JOIN engine_account a ON a.msisdn = b.value ->> 'msisdn' AND a.ended_at IS NULL
       JOIN engine_device d ON d.account_id = a.id)`,
    `SELECT s.client_msg_id, s.delivered_at, s.withdrawn_at FROM engine_sent s
     WHERE s.sender_device_id = '${SYSTEM}' AND s.client_msg_id IN (SELECT b.value ->> 'id' FROM :batch)`,
  ],
  settle(items, rows) {
    const found = new Map(rows[3]?.map((row) => [row['client_msg_id'], row]));
    const instant = (value: string | number | null | undefined) => (value === null || value === undefined ? undefined : Number(value));
    return items.map(({ id }) => ({
      withdrawnAt: instant(found.get(id)?.['withdrawn_at']),
      deliveredAt: instant(found.get(id)?.['delivered_at']),
    }));
  },
});
