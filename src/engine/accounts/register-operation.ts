import { defineOperation } from '../../store/index.js';
import { accountFactSql } from '../fact-sql.js';
import { ENGINE_TOPIC } from '../facts.js';

export interface RegisterItem {
  /** Fresh; used only when the number has no live account. */
  accountId: string;
  deviceId: string;
  factId: string;
  msisdn: string;
  language: string;
  name: string;
  platform: string;
  registrationId: number;
  secretHash: string;
  /** Milliseconds. */
  wallNow: number;
  /** Domain time of the line's partner, milliseconds. */
  domainNow: number;
}

export interface RegisterResult {
  accountId: string;
  /** Devices that this one replaced. */
  replaced: string[];
}

/** The live account of each item's number. */
const ACCOUNT = `:batch JOIN engine_account a ON a.msisdn = b.value ->> 'msisdn' AND a.ended_at IS NULL`;

/** Of several registrations of one number in one batch the last replaces the others, as if they had come one by one. */
const LAST_OF_EACH_NUMBER = `
  SELECT r.msisdn, r.device_id, r.wall_now FROM (
    SELECT b.value ->> 'msisdn' AS msisdn, b.value ->> 'deviceId' AS device_id, CAST(b.value ->> 'wallNow' AS BIGINT) AS wall_now,
           row_number() OVER (PARTITION BY b.value ->> 'msisdn' ORDER BY b.key DESC) AS place
    FROM :batch) AS r
  WHERE r.place = 1`;

/** The devices that this batch replaced. */
const REPLACED = `SELECT d.id FROM engine_device d JOIN engine_account a ON a.id = d.account_id
  WHERE d.removed_at IS NOT NULL AND a.msisdn IN (SELECT b.value ->> 'msisdn' FROM :batch) AND a.ended_at IS NULL`;

/** Registers numbers: the live account of the number, or a new one at the line's epoch, with this device as its only one. */
export const registerAccounts = defineOperation<RegisterItem, RegisterResult>({
  name: 'engine.registerAccounts',
  statements: [
    `INSERT INTO engine_account (id, msisdn, line_epoch, language, created_at)
     SELECT b.value ->> 'accountId', b.value ->> 'msisdn',
            COALESCE((SELECT l.epoch FROM engine_line l WHERE l.msisdn = b.value ->> 'msisdn'), 0),
            b.value ->> 'language', CAST(b.value ->> 'wallNow' AS BIGINT)
     FROM :batch WHERE true ORDER BY b.key
     ON CONFLICT DO NOTHING`,
    `UPDATE engine_account AS a SET language = b.value ->> 'language' FROM :batch
     WHERE a.msisdn = b.value ->> 'msisdn' AND a.ended_at IS NULL`,
    `INSERT INTO engine_device (id, account_id, name, platform, registration_id, secret_hash, last_seq, created_at)
     SELECT b.value ->> 'deviceId', a.id, b.value ->> 'name', b.value ->> 'platform', CAST(b.value ->> 'registrationId' AS INTEGER),
            b.value ->> 'secretHash', 0, CAST(b.value ->> 'wallNow' AS BIGINT)
     FROM ${ACCOUNT} WHERE true`,
    `UPDATE engine_device AS d SET removed_at = w.wall_now, removed_by = w.device_id
     FROM (${LAST_OF_EACH_NUMBER}) AS w JOIN engine_account a ON a.msisdn = w.msisdn AND a.ended_at IS NULL
     WHERE d.account_id = a.id AND d.removed_at IS NULL AND d.id <> w.device_id`,
    // What waited for a replaced device was encrypted to it and can be read by nobody else.
    `DELETE FROM engine_envelope WHERE device_id IN (${REPLACED})`,
    `DELETE FROM engine_one_time_key WHERE device_id IN (${REPLACED})`,
    `DELETE FROM engine_fallback_key WHERE device_id IN (${REPLACED})`,
    `INSERT INTO outbox (id, topic, payload, created_at)
     SELECT b.value ->> 'factId', '${ENGINE_TOPIC}', ${accountFactSql({
       id: `(b.value ->> 'factId')`,
       kind: 'account.registered',
       at: `(b.value ->> 'domainNow')`,
       partnerId: 'l.partner_id',
       market: 'l.market',
       accountId: 'a.id',
       msisdn: 'a.msisdn',
       more: { isNewAccount: `CASE WHEN a.id = b.value ->> 'accountId' THEN 'true' ELSE 'false' END` },
     })}, CAST(b.value ->> 'wallNow' AS BIGINT)
     FROM ${ACCOUNT} JOIN engine_line l ON l.msisdn = a.msisdn
     WHERE true`,
    `SELECT b.value ->> 'deviceId' AS device_id, a.id AS account_id FROM ${ACCOUNT}`,
    `SELECT d.id, d.removed_by FROM engine_device d WHERE d.account_id IN (SELECT a.id FROM ${ACCOUNT})
       AND d.removed_by IN (SELECT b.value ->> 'deviceId' FROM :batch)`,
  ],
  settle(items, rows) {
    const accounts = new Map(rows[8]?.map((row) => [row['device_id'], String(row['account_id'])]));
    const replaced = rows[9] ?? [];
    return items.map((item) => ({
      accountId: accounts.get(item.deviceId) ?? '',
      replaced: replaced.filter((row) => row['removed_by'] === item.deviceId).map((row) => String(row['id'])),
    }));
  },
});
