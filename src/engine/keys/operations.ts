import { defineOperation, settleNothing } from '../../store/index.js';

export interface PublishedKey {
  /** The device's own id of the key, 1 to 128 characters. */
  id: string;
  /** Opaque. */
  body: string;
}

export interface PublishItem {
  deviceId: string;
  identity: { suite: string; body: string } | null;
  replyKey: { suite: string; publicKey: string } | null;
  /** At most 4; null leaves the old ones. */
  fallbackKeys: readonly PublishedKey[] | null;
}

const PLACES = '(VALUES (0), (1), (2), (3)) AS n';
/** Looked at by its id: PostgreSQL takes a JSON null for an array of itself. */
const FALLBACK_KEY = `b.value -> 'fallbackKeys' -> n.column1`;

/** Of a device that has gone, nothing is taken. The cross join keeps SQLite from walking all devices first. */
const DEVICES = ':batch CROSS JOIN engine_device d';
const IS_ITS_DEVICE = `d.id = b.value ->> 'deviceId' AND d.removed_at IS NULL`;

/** The keys that a device has one of, and its fallback keys. */
export const publishKeys = defineOperation<PublishItem, undefined>({
  name: 'engine.publishKeys',
  statements: [
    `UPDATE engine_device AS d SET
       identity_suite = COALESCE(b.value -> 'identity' ->> 'suite', d.identity_suite),
       identity_body = COALESCE(b.value -> 'identity' ->> 'body', d.identity_body),
       reply_suite = COALESCE(b.value -> 'replyKey' ->> 'suite', d.reply_suite),
       reply_public_key = COALESCE(b.value -> 'replyKey' ->> 'publicKey', d.reply_public_key)
     FROM :batch WHERE d.id = b.value ->> 'deviceId' AND d.removed_at IS NULL`,
    `DELETE FROM engine_fallback_key WHERE device_id IN (
       SELECT d.id FROM ${DEVICES} WHERE ${IS_ITS_DEVICE} AND b.value -> 'fallbackKeys' -> 0 ->> 'id' IS NOT NULL)`,
    `INSERT INTO engine_fallback_key (device_id, key_id, position, body)
     SELECT d.id, ${FALLBACK_KEY} ->> 'id', n.column1, ${FALLBACK_KEY} ->> 'body'
     FROM ${DEVICES} CROSS JOIN ${PLACES}
     WHERE ${IS_ITS_DEVICE} AND ${FALLBACK_KEY} ->> 'id' IS NOT NULL ORDER BY b.key
     ON CONFLICT DO NOTHING`,
  ],
  settle: settleNothing,
});

export interface OneTimeKeyItem extends PublishedKey {
  deviceId: string;
  /** Keys that a device may have waiting; what is beyond is not taken. */
  waitingMax: number;
}

/** One item per key: a hundred keys in one JSON document cost the writer ten times as much. */
export const addOneTimeKeys = defineOperation<OneTimeKeyItem, undefined>({
  name: 'engine.addOneTimeKeys',
  statements: [
    // A key that was there before, handed out or not, is left as it is.
    `INSERT INTO engine_one_time_key (device_id, key_id, position, body)
     SELECT k.device_id, k.key_id, COALESCE(q.last_position, 0) + k.place, k.body
     FROM (
       SELECT d.id AS device_id, b.value ->> 'id' AS key_id, b.value ->> 'body' AS body,
              CAST(b.value ->> 'waitingMax' AS INTEGER) AS most, row_number() OVER (PARTITION BY d.id ORDER BY b.key) AS place
       FROM ${DEVICES} WHERE ${IS_ITS_DEVICE}) AS k
     LEFT JOIN (
       SELECT o.device_id, MAX(o.position) AS last_position, SUM(CASE WHEN o.claimed_at IS NULL THEN 1 ELSE 0 END) AS waiting
       FROM engine_one_time_key o WHERE o.device_id IN (SELECT b.value ->> 'deviceId' FROM :batch)
       GROUP BY o.device_id) AS q ON q.device_id = k.device_id
     WHERE COALESCE(q.waiting, 0) + k.place <= k.most ORDER BY k.device_id, k.place
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
     -- Another node may have handed it out a moment ago: then this caller gets the fallback key.
     WHERE k.device_id = w.device_id AND k.key_id = w.key_id AND k.claimed_at IS NULL`,
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
