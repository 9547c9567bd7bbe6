import { defineOperation } from '../../store/index.js';
import { fallbackFactSql } from '../fact-sql.js';
import { ENGINE_TOPIC } from '../facts.js';
import { appendEnvelopesSql } from './append-sql.js';

/** A fallback to arm together with the message. Instants are milliseconds. */
export interface ArmItem {
  id: string;
  factId: string;
  mode: string;
  class: string;
  partnerId: string;
  market: string;
  lineEpoch: number;
  subscriptionId: string | null;
  correlator: string | null;
  senderName: string | null;
  /** JSON of a SealedText. */
  sealed: string | null;
  armedAt: number;
  dueAt: number;
  expiresAt: number;
}

export interface SendItem {
  /** Fresh for every attempt: which attempt's id is in `engine_sent` tells whose attempt was the first. */
  messageId: string;
  senderAccountId: string;
  senderDeviceId: string;
  accountId: string;
  clientMsgId: string;
  ref: string | null;
  sentAt: number;
  expiresAt: number;
  deviceCount: number;
  /** 1 to 6, no device twice. */
  devices: readonly { deviceId: string; registrationId: number; suite: string; body: string }[];
  queueMax: number;
  fallback: ArmItem | null;
}

export interface StoredMessage {
  messageId: string;
  storedAt: number;
  fallback: { id: string; dueAt: number } | undefined;
}

export type SendResult =
  | { outcome: 'stored' | 'replayed'; message: StoredMessage }
  | { outcome: 'sender-gone' | 'unknown-account' | 'queue-full' }
  | { outcome: 'mismatch'; missingDevices: string[]; extraDevices: string[] }
  | { outcome: 'stale'; staleDevices: string[] };

/** The places of a send's devices, and the place of each in the JSON. Both databases name the column `column1`. */
const PLACES = '(VALUES (0), (1), (2), (3), (4), (5)) AS n';
const DEVICE = `b.value -> 'devices' -> n.column1`;

/** The item's devices that are the account's and have not registered anew. */
const GOOD_DEVICES = `
  SELECT count(*) FROM ${PLACES} JOIN engine_device d ON d.id = ${DEVICE} ->> 'deviceId'
  WHERE d.account_id = b.value ->> 'accountId' AND d.removed_at IS NULL
    AND d.registration_id = CAST(${DEVICE} ->> 'registrationId' AS INTEGER)`;

const LIVE_DEVICES = `SELECT count(*) FROM engine_device d WHERE d.account_id = b.value ->> 'accountId' AND d.removed_at IS NULL`;

/** How far the oldest waiting envelope lies behind the newest number: at least the length of the queue, and one look-up. */
const LONGEST_QUEUE = `
  SELECT COALESCE(MAX(d.last_seq - (SELECT MIN(e.seq) FROM engine_envelope e WHERE e.device_id = d.id) + 1), 0)
  FROM engine_device d WHERE d.account_id = b.value ->> 'accountId' AND d.removed_at IS NULL`;

const SENDER_IS_CURRENT = `EXISTS (SELECT 1 FROM engine_device d
  WHERE d.id = b.value ->> 'senderDeviceId' AND d.account_id = b.value ->> 'senderAccountId' AND d.removed_at IS NULL)`;

const ACCOUNT_IS_LIVE = `EXISTS (SELECT 1 FROM engine_account a WHERE a.id = b.value ->> 'accountId' AND a.ended_at IS NULL)`;

/** The items that this very batch stored. */
const STORED = `:batch JOIN engine_sent s ON s.message_id = b.value ->> 'messageId'`;

const [reserve, append] = appendEnvelopesSql(`
  SELECT b.key * 8 + n.column1 AS ord, ${DEVICE} ->> 'deviceId' AS device_id, s.message_id AS id, 'message' AS kind,
         b.value ->> 'senderAccountId' AS sender_account_id, b.value ->> 'senderDeviceId' AS sender_device_id,
         b.value ->> 'clientMsgId' AS client_msg_id, b.value ->> 'ref' AS ref,
         ${DEVICE} ->> 'suite' AS suite, ${DEVICE} ->> 'body' AS body,
         CAST(b.value ->> 'sentAt' AS BIGINT) AS sent_at, CAST(b.value ->> 'expiresAt' AS BIGINT) AS expires_at
  FROM ${STORED} CROSS JOIN ${PLACES}
  WHERE n.column1 < CAST(b.value ->> 'deviceCount' AS INTEGER)`);

/** A field of the fallback to arm. */
const arm = (field: string): string => `b.value -> 'fallback' ->> '${field}'`;
const armInstant = (field: string): string => `CAST(${arm(field)} AS BIGINT)`;

/**
 * Stores messages: the idempotency row, an envelope per device, the armed fallback and its fact, all or nothing, with
 * the account, its devices and the room in its queue checked in the same transaction. An item that is refused writes
 * nothing; the last two statements tell why.
 */
export const sendMessages = defineOperation<SendItem, SendResult>({
  name: 'engine.sendMessages',
  statements: [
    // A repeat conflicts with the first one, whether that was stored long ago or earlier in this batch.
    `INSERT INTO engine_sent (sender_device_id, client_msg_id, message_id, stored_at, fallback_id, fallback_due_at)
     SELECT b.value ->> 'senderDeviceId', b.value ->> 'clientMsgId', b.value ->> 'messageId', CAST(b.value ->> 'sentAt' AS BIGINT),
            ${arm('id')}, ${armInstant('dueAt')}
     FROM :batch
     WHERE ${SENDER_IS_CURRENT} AND ${ACCOUNT_IS_LIVE}
       AND (${GOOD_DEVICES}) = CAST(b.value ->> 'deviceCount' AS INTEGER)
       AND (${LIVE_DEVICES}) = CAST(b.value ->> 'deviceCount' AS INTEGER)
       AND (${LONGEST_QUEUE}) < CAST(b.value ->> 'queueMax' AS INTEGER)
     ORDER BY b.key
     ON CONFLICT DO NOTHING`,
    reserve,
    append,
    `INSERT INTO engine_sms_fallback (id, message_id, client_msg_id, state, mode, class, ref, partner_id, market, subscription_id, msisdn,
       line_epoch, sender_account_id, sender_device_id, sender_name, language, sealed, armed_at, due_at, expires_at, updated_at, fact_id, correlator)
     SELECT ${arm('id')}, s.message_id, s.client_msg_id, 'armed', ${arm('mode')}, ${arm('class')}, b.value ->> 'ref', ${arm('partnerId')},
            ${arm('market')}, ${arm('subscriptionId')}, a.msisdn, ${armInstant('lineEpoch')}, b.value ->> 'senderAccountId', s.sender_device_id,
            ${arm('senderName')}, a.language, ${arm('sealed')}, ${armInstant('armedAt')}, ${armInstant('dueAt')}, ${armInstant('expiresAt')},
            ${armInstant('armedAt')}, ${arm('factId')}, ${arm('correlator')}
     FROM ${STORED} JOIN engine_account a ON a.id = b.value ->> 'accountId'
     WHERE ${arm('id')} IS NOT NULL`,
    `INSERT INTO outbox (id, topic, payload, created_at)
     SELECT f.fact_id, '${ENGINE_TOPIC}', ${fallbackFactSql}, CAST(b.value ->> 'sentAt' AS BIGINT)
     FROM :batch JOIN engine_sms_fallback f ON f.message_id = b.value ->> 'messageId'
     WHERE true`,
    // From here on only answers. What was stored under the item's idempotency key, by whichever attempt.
    `SELECT b.key AS item, s.message_id, s.stored_at, s.fallback_id, s.fallback_due_at,
            CASE WHEN ${SENDER_IS_CURRENT} THEN 1 ELSE 0 END AS sender_is_current,
            CASE WHEN ${ACCOUNT_IS_LIVE} THEN 1 ELSE 0 END AS account_is_live
     FROM :batch LEFT JOIN engine_sent s ON s.sender_device_id = b.value ->> 'senderDeviceId' AND s.client_msg_id = b.value ->> 'clientMsgId'`,
    // The account's devices, for those that were refused.
    `SELECT b.key AS item, d.id, d.registration_id
     FROM :batch JOIN engine_device d ON d.account_id = b.value ->> 'accountId' AND d.removed_at IS NULL
     WHERE NOT EXISTS (SELECT 1 FROM engine_sent s
       WHERE s.sender_device_id = b.value ->> 'senderDeviceId' AND s.client_msg_id = b.value ->> 'clientMsgId')`,
  ],
  settle(items, rows) {
    const [stored, devices] = [rows[5] ?? [], rows[6] ?? []];
    const current = new Map<number, Map<string, number>>();
    for (const row of devices) {
      const item = Number(row['item']);
      const known = current.get(item) ?? new Map<string, number>();
      current.set(item, known.set(String(row['id']), Number(row['registration_id'])));
    }
    const byItem = new Map(stored.map((row) => [Number(row['item']), row]));
    return items.map((item, key): SendResult => {
      const row = byItem.get(key);
      if (typeof row?.['message_id'] === 'string') {
        const { message_id: messageId, stored_at: storedAt, fallback_id: id, fallback_due_at: dueAt } = row;
        const message = {
          messageId,
          storedAt: Number(storedAt),
          fallback: typeof id === 'string' ? { id, dueAt: Number(dueAt) } : undefined,
        };
        return { outcome: messageId === item.messageId ? 'stored' : 'replayed', message };
      }
      if (row?.['sender_is_current'] !== 1) return { outcome: 'sender-gone' };
      if (row['account_is_live'] !== 1) return { outcome: 'unknown-account' };
      return refusal(item, current.get(key) ?? new Map());
    });
  },
});

/** Which devices are wrong; when none is, only the queue's length can have been. */
function refusal(item: SendItem, current: ReadonlyMap<string, number>): SendResult {
  const named = new Set(item.devices.map((device) => device.deviceId));
  const missingDevices = [...current.keys()].filter((id) => !named.has(id));
  const extraDevices = [...named].filter((id) => !current.has(id));
  if (missingDevices.length > 0 || extraDevices.length > 0) return { outcome: 'mismatch', missingDevices, extraDevices };
  const staleDevices = item.devices
    .filter((device) => current.get(device.deviceId) !== device.registrationId)
    .map((device) => device.deviceId);
  return staleDevices.length > 0 ? { outcome: 'stale', staleDevices } : { outcome: 'queue-full' };
}
