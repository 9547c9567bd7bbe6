import { defineOperation, settleNothing } from '../../store/index.js';

export interface PublishedKey {
  /** The device's own id of the key, 1 to 128 characters. */
  id: string;
  /** Opaque. */
  body: string;
}

export interface UploadItem {
  deviceId: string;
  identity: { suite: string; body: string } | null;
  replyKey: { suite: string; publicKey: string } | null;
  /** At most 100. */
  oneTimeKeys: readonly PublishedKey[];
  /** At most 4; null leaves the old ones. */
  fallbackKeys: readonly PublishedKey[] | null;
  /** One-time keys that a device may have waiting; what is beyond is not taken. */
  oneTimeKeysMax: number;
}

/** The places of an upload's keys. SQLite and PostgreSQL spell array expansion differently; counting they share. */
const PLACES = 'WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT n.i + 1 FROM n WHERE n.i < 99)';
const ONE_TIME_KEY = `b.value -> 'oneTimeKeys' -> n.i`;
const FALLBACK_KEY = `b.value -> 'fallbackKeys' -> n.i`;

/** The upload of each device; of a device that has gone, nothing. */
const DEVICE = `:batch JOIN engine_device d ON d.id = b.value ->> 'deviceId' AND d.removed_at IS NULL`;

export const uploadKeys = defineOperation<UploadItem, undefined>({
  name: 'engine.uploadKeys',
  statements: [
    `UPDATE engine_device AS d SET
       identity_suite = COALESCE(b.value -> 'identity' ->> 'suite', d.identity_suite),
       identity_body = COALESCE(b.value -> 'identity' ->> 'body', d.identity_body),
       reply_suite = COALESCE(b.value -> 'replyKey' ->> 'suite', d.reply_suite),
       reply_public_key = COALESCE(b.value -> 'replyKey' ->> 'publicKey', d.reply_public_key)
     FROM :batch WHERE d.id = b.value ->> 'deviceId' AND d.removed_at IS NULL`,
    // A key that was there before, handed out or not, is left as it is.
    `INSERT INTO engine_one_time_key (device_id, key_id, position, body)
     ${PLACES}
     SELECT k.device_id, k.key_id, k.last_position + k.place, k.body FROM (
       SELECT d.id AS device_id, ${ONE_TIME_KEY} ->> 'id' AS key_id, ${ONE_TIME_KEY} ->> 'body' AS body,
              CAST(b.value ->> 'oneTimeKeysMax' AS INTEGER) AS most,
              row_number() OVER (PARTITION BY d.id ORDER BY b.key, n.i) AS place,
              COALESCE((SELECT MAX(o.position) FROM engine_one_time_key o WHERE o.device_id = d.id), 0) AS last_position,
              (SELECT count(*) FROM engine_one_time_key o WHERE o.device_id = d.id AND o.claimed_at IS NULL) AS waiting
       FROM ${DEVICE} CROSS JOIN n
       WHERE ${ONE_TIME_KEY} IS NOT NULL) AS k
     WHERE k.waiting + k.place <= k.most ORDER BY k.device_id, k.place
     ON CONFLICT DO NOTHING`,
    `DELETE FROM engine_fallback_key WHERE device_id IN (SELECT d.id FROM ${DEVICE} WHERE b.value -> 'fallbackKeys' -> 0 IS NOT NULL)`,
    `INSERT INTO engine_fallback_key (device_id, key_id, position, body)
     ${PLACES}
     SELECT d.id, ${FALLBACK_KEY} ->> 'id', n.i, ${FALLBACK_KEY} ->> 'body'
     FROM ${DEVICE} CROSS JOIN n
     WHERE n.i < 4 AND ${FALLBACK_KEY} IS NOT NULL ORDER BY b.key
     ON CONFLICT DO NOTHING`,
  ],
  settle: settleNothing,
});

export interface ClaimKeyItem {
  /** Fresh. */
  claimId: string;
  accountId: string;
  deviceId: string;
  wallNow: number;
}

export type ClaimKeyResult = { id: string; body: string; fallback: boolean } | undefined;

/** Hands out the oldest unclaimed key of each device, the first to the first caller, and the fallback key after the last. */
export const claimKeys = defineOperation<ClaimKeyItem, ClaimKeyResult>({
  name: 'engine.claimKeys',
  statements: [
    `UPDATE engine_one_time_key AS k SET claimed_at = w.wall_now, claim_id = w.claim_id
     FROM (
       SELECT c.claim_id, c.wall_now, o.device_id, o.key_id
       FROM (SELECT b.value ->> 'claimId' AS claim_id, d.id AS device_id, CAST(b.value ->> 'wallNow' AS BIGINT) AS wall_now,
                    row_number() OVER (PARTITION BY d.id ORDER BY b.key) AS place
             FROM :batch JOIN engine_device d ON d.id = b.value ->> 'deviceId'
             WHERE d.account_id = b.value ->> 'accountId' AND d.removed_at IS NULL) AS c
       JOIN (SELECT u.device_id, u.key_id, row_number() OVER (PARTITION BY u.device_id ORDER BY u.position) AS place
             FROM engine_one_time_key u
             WHERE u.claimed_at IS NULL AND u.device_id IN (SELECT b.value ->> 'deviceId' FROM :batch)) AS o
         ON o.device_id = c.device_id AND o.place = c.place) AS w
     WHERE k.device_id = w.device_id AND k.key_id = w.key_id`,
    `SELECT b.key AS item, k.key_id, k.body FROM :batch JOIN engine_one_time_key k ON k.claim_id = b.value ->> 'claimId'`,
    `SELECT b.key AS item, k.key_id, k.body
     FROM :batch JOIN engine_device d ON d.id = b.value ->> 'deviceId' AND d.account_id = b.value ->> 'accountId' AND d.removed_at IS NULL
     JOIN engine_fallback_key k ON k.device_id = d.id
     WHERE k.position = (SELECT MIN(m.position) FROM engine_fallback_key m WHERE m.device_id = d.id)`,
    `UPDATE engine_one_time_key SET body = NULL WHERE claim_id IN (SELECT b.value ->> 'claimId' FROM :batch)`,
  ],
  settle(items, rows) {
    const [once, again] = [rows[1] ?? [], rows[2] ?? []].map((found) => new Map(found.map((row) => [Number(row['item']), row])));
    return items.map((_, key) => {
      const row = once?.get(key) ?? again?.get(key);
      return row && { id: String(row['key_id']), body: String(row['body']), fallback: !once?.has(key) };
    });
  },
});
