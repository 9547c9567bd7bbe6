/** 30 days: the longest that anything waits in a queue. */
export const ENVELOPE_TTL_MAX_MS = 30 * 24 * 3_600_000;

/**
 * The two statements that put envelopes at the end of device queues, for any operation.
 *
 * `source` is a SELECT over `:batch` with the columns ord, device_id, id, kind, sender_account_id, sender_device_id,
 * client_msg_id, ref, suite, body, sent_at, expires_at. It must not read the queue, since it runs twice: the first
 * statement reserves as many numbers as each device needs (which also locks its row, so that on PostgreSQL two writers
 * number one queue one after the other), the second numbers the rows in the order of `ord`. Devices that are gone get
 * nothing. The second statement answers `device_id, id`.
 */
export const appendEnvelopesSql = (source: string): readonly [string, string] => [
  `UPDATE engine_device AS d SET last_seq = d.last_seq + c.n
   FROM (SELECT s.device_id, count(*) AS n FROM (${source}) AS s GROUP BY s.device_id) AS c
   WHERE d.id = c.device_id AND d.removed_at IS NULL`,
  `INSERT INTO engine_envelope (device_id, seq, id, kind, sender_account_id, sender_device_id, client_msg_id, ref, suite, body, sent_at, expires_at)
   SELECT s.device_id,
          d.last_seq - count(*) OVER (PARTITION BY s.device_id) + row_number() OVER (PARTITION BY s.device_id ORDER BY s.ord),
          s.id, s.kind, s.sender_account_id, s.sender_device_id, s.client_msg_id, s.ref, s.suite, s.body, s.sent_at, s.expires_at
   FROM (${source}) AS s JOIN engine_device d ON d.id = s.device_id AND d.removed_at IS NULL
   WHERE true
   RETURNING device_id, id`,
];

/**
 * A `source` for appendEnvelopesSql that tells senders how their message fares: suite `json-1`, body
 * `{clientMsgId, messageId, status, fallbackId?, at}`. Everything in it is an id or a code, so it needs no escaping.
 *
 * @param from what follows FROM: `:batch` joined with the rows that the expressions name.
 */
export const statusSource = (status: {
  from: string;
  senderDeviceId: string;
  clientMsgId: string;
  messageId: string;
  status: string;
  fallbackId: string;
}): string =>
  `SELECT b.key AS ord, ${status.senderDeviceId} AS device_id, b.value ->> 'statusId' AS id, 'status' AS kind,
          NULL AS sender_account_id, NULL AS sender_device_id, NULL AS client_msg_id, NULL AS ref, 'json-1' AS suite,
          '{"clientMsgId":"' || ${status.clientMsgId} || '","messageId":"' || ${status.messageId} || '","status":"' || ${status.status} || '"'
            || CASE WHEN ${status.fallbackId} IS NULL THEN '' ELSE ',"fallbackId":"' || ${status.fallbackId} || '"' END
            || ',"at":"' || (b.value ->> 'statusAt') || '"}' AS body,
          CAST(b.value ->> 'wallNow' AS BIGINT) AS sent_at,
          CAST(b.value ->> 'wallNow' AS BIGINT) + ${ENVELOPE_TTL_MAX_MS} AS expires_at
   FROM ${status.from}`;
