import { defineOperation } from '../../store/index.js';
import { accountFactSql, jsonTextSql } from '../fact-sql.js';
import { ENGINE_TOPIC } from '../facts.js';

export interface RaiseItem {
  /** Of the cause: hearing of it again raises nothing. */
  id: string;
  msisdn: string;
  partnerId: string;
  market: string;
  cause: string;
  factId: string;
  /** Milliseconds. */
  wallNow: number;
  /** Domain time of the partner, milliseconds. */
  domainNow: number;
}

export interface RaiseResult {
  epoch: number;
  /** The devices that lost their account. */
  removed: string[];
}

/** The causes of this batch that have not raised anything yet, each once. */
const NEW_CAUSES = `SELECT e.* FROM engine_line_event e WHERE e.applied = 0 AND e.id IN (SELECT b.value ->> 'id' FROM :batch)`;

/** Per number: how many new causes there are, and the last of them. Ids of causes decide only within one millisecond. */
const LAST_CAUSES = `
  SELECT r.id, r.msisdn, r.partner_id, r.market, r.at, r.raises FROM (
    SELECT n.*, count(*) OVER (PARTITION BY n.msisdn) AS raises,
           row_number() OVER (PARTITION BY n.msisdn ORDER BY n.at DESC, n.id DESC) AS place
    FROM (${NEW_CAUSES}) AS n) AS r
  WHERE r.place = 1`;

const ENDED_DEVICES = `SELECT d.id FROM engine_device d JOIN engine_account a ON a.id = d.account_id
  WHERE a.ended_by IN (SELECT b.value ->> 'id' FROM :batch)`;

/** Raises the epochs of lines, each cause once, and ends the accounts that stood on the numbers. */
export const raiseLines = defineOperation<RaiseItem, RaiseResult>({
  name: 'engine.raiseLines',
  statements: [
    `INSERT INTO engine_line_event (id, msisdn, partner_id, market, cause, at, domain_at, fact_id, applied)
     SELECT b.value ->> 'id', b.value ->> 'msisdn', b.value ->> 'partnerId', b.value ->> 'market', b.value ->> 'cause',
            CAST(b.value ->> 'wallNow' AS BIGINT), CAST(b.value ->> 'domainNow' AS BIGINT), b.value ->> 'factId', 0
     FROM :batch WHERE true ORDER BY b.key
     ON CONFLICT DO NOTHING`,
    `INSERT INTO engine_line (msisdn, epoch, partner_id, market, raised_at)
     SELECT w.msisdn, w.raises, w.partner_id, w.market, w.at FROM (${LAST_CAUSES}) AS w WHERE true
     ON CONFLICT (msisdn) DO UPDATE SET epoch = engine_line.epoch + excluded.epoch, partner_id = excluded.partner_id,
       market = excluded.market, raised_at = excluded.raised_at`,
    `UPDATE engine_account AS a SET ended_at = w.at, ended_by = w.id FROM (${LAST_CAUSES}) AS w
     WHERE a.msisdn = w.msisdn AND a.ended_at IS NULL`,
    `UPDATE engine_device AS d SET removed_at = a.ended_at, removed_by = a.ended_by FROM engine_account a
     WHERE a.id = d.account_id AND a.ended_by IN (SELECT b.value ->> 'id' FROM :batch) AND d.removed_at IS NULL`,
    `DELETE FROM engine_envelope WHERE device_id IN (${ENDED_DEVICES})`,
    `DELETE FROM engine_one_time_key WHERE device_id IN (${ENDED_DEVICES})`,
    `DELETE FROM engine_fallback_key WHERE device_id IN (${ENDED_DEVICES})`,
    `INSERT INTO outbox (id, topic, payload, created_at)
     SELECT n.fact_id, '${ENGINE_TOPIC}', ${accountFactSql({
       id: 'n.fact_id',
       kind: 'account.ended',
       at: 'n.domain_at',
       partnerId: 'n.partner_id',
       market: 'n.market',
       accountId: 'a.id',
       msisdn: 'a.msisdn',
       more: { cause: jsonTextSql('n.cause') },
     })}, n.at
     FROM (${NEW_CAUSES}) AS n JOIN engine_account a ON a.ended_by = n.id
     WHERE true`,
    `UPDATE engine_line_event SET applied = 1 WHERE applied = 0 AND id IN (SELECT b.value ->> 'id' FROM :batch)`,
    `SELECT b.key AS item, l.epoch FROM :batch JOIN engine_line l ON l.msisdn = b.value ->> 'msisdn'`,
    `SELECT d.id, d.removed_by FROM engine_device d WHERE d.id IN (${ENDED_DEVICES})`,
  ],
  settle(items, rows) {
    const epochs = new Map(rows[9]?.map((row) => [Number(row['item']), Number(row['epoch'])]));
    const removed = rows[10] ?? [];
    return items.map((item, key) => ({
      epoch: epochs.get(key) ?? 0,
      removed: removed.filter((row) => row['removed_by'] === item.id).map((row) => String(row['id'])),
    }));
  },
});
