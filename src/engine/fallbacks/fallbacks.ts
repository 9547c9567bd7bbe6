import { toRfc3339 } from '../../kernel/clock.js';
import { assert, GatewayError } from '../../kernel/errors.js';
import { newId } from '../../kernel/ids.js';
import { inList, type Parameter } from '../../store/index.js';
import type { EngineContext } from '../context.js';
import {
  advanceFallbacks,
  cancelUnclaimable,
  claimFallbacks,
  deferFallbacks,
  dropExpiredTexts,
  dropSealedTexts,
  type StepResult,
} from './operations.js';
import { fallbackOf, isClaimed } from './row.js';
import type { FallbackMode, Fallbacks } from './types.js';

const CLAIMS_MAX = 200;
const PENDING_MAX = 1_000;
const PAGE_MAX = 200;
/** Rows that one sweep looks at; the rest waits for the next. */
const SWEEP_MAX = 500;
/** The longest that a timer runs; what was put off may have been armed a day before that. */
const TIMER_MAX_MS = 36 * 3_600_000;
/** Reasons go into JSON as they are (fact-sql.ts), so they are codes. */
const CODE = /^[A-Za-z0-9_.:-]{1,64}$/;

/** What the rest of the engine asks of fallbacks, beyond what the bridge does. */
export interface FallbackUpkeep {
  /** Cancels what is armed for a number whose line has changed. */
  cancelForLine(msisdn: string): Promise<void>;
  /** Cancels what has expired while armed, and deletes every expired text. */
  sweep(): Promise<void>;
}

export function createFallbacks({ store, clock, domainClock, announce }: EngineContext): Fallbacks & FallbackUpkeep {
  const step = (id: string, at: number) => {
    const wallNow = clock.now();
    return { id, factId: newId('evt', wallNow), statusId: newId('msg', wallNow), statusAt: toRfc3339(wallNow), at, wallNow };
  };

  function announceSteps(results: readonly StepResult[]): void {
    for (const { stepped, wake } of results) {
      if (stepped) announce.facts();
      if (wake) announce.envelopes(wake);
    }
  }

  async function cancel(rows: readonly { id: string; partner_id: string }[]): Promise<void> {
    announceSteps(await Promise.all(rows.map((row) => store.run(cancelUnclaimable, step(row.id, domainClock.now(row.partner_id))))));
  }

  return {
    async claimDue({ partnerId, now, limit, smsIdFor, screen }) {
      const rows = await store.read(
        `SELECT * FROM engine_sms_fallback WHERE state = 'armed' AND partner_id = $1 AND due_at <= $2 ORDER BY due_at LIMIT $3`,
        [partnerId, now, Math.min(limit, CLAIMS_MAX)],
      );
      const due = rows.map(fallbackOf);
      const claimable = screen && due.length > 0 ? await screen(due) : due;
      const results = await Promise.all(
        claimable.map((fallback) => {
          const smsId = smsIdFor(fallback);
          assert(CODE.test(smsId), 'the id of an SMS is a code');
          return store.run(claimFallbacks, { ...step(fallback.id, now), smsId });
        }),
      );
      announceSteps(results);
      return results.flatMap(({ stepped }) => (stepped && isClaimed(stepped) ? [stepped] : []));
    },

    async pendingClaims() {
      const rows = await store.read(`SELECT * FROM engine_sms_fallback WHERE state = 'claimed' ORDER BY claimed_at LIMIT ${PENDING_MAX}`);
      return rows.map(fallbackOf).filter(isClaimed);
    },

    async advance({ id, from, to, reason, at, smsId, segments, price }) {
      for (const code of [reason, smsId, price?.currency]) assert(code === undefined || CODE.test(code), 'codes only, no sentences');
      const result = await store.run(advanceFallbacks, {
        ...step(id, at),
        from: `,${from.join(',')},`,
        to,
        reason: reason ?? null,
        smsId: smsId ?? null,
        segments: segments ?? null,
        priceMinor: price?.amountMinor ?? null,
        priceCurrency: price?.currency ?? null,
      });
      announceSteps([result]);
      return result.stepped !== undefined;
    },

    async dropSealed(id) {
      await store.run(dropSealedTexts, { id });
    },

    async defer({ reason, ...put }) {
      assert(CODE.test(reason), 'codes only, no sentences');
      await store.run(deferFallbacks, { ...put, reason });
    },

    async get(id, partnerId) {
      const [row] = await store.read('SELECT * FROM engine_sms_fallback WHERE id = $1 AND partner_id = $2', [id, partnerId]);
      return row && fallbackOf(row);
    },

    async list({ partnerId, state, markets, after, limit }) {
      if (limit < 1 || limit > PAGE_MAX + 1) throw new GatewayError('OUT_OF_RANGE', { detail: `A page has 1 to ${PAGE_MAX} fallbacks.` });
      const parameters: Parameter[] = [partnerId, limit];
      const given = (value: Parameter): string => `$${parameters.push(value)}`;
      const rows = await store.read(
        `SELECT * FROM engine_sms_fallback WHERE partner_id = $1
         ${state === undefined ? '' : `AND state = ${given(state)}`}
         ${after === undefined ? '' : `AND id < ${given(after)}`}
         ${markets === undefined ? '' : `AND market IN (${markets.map(given).join(', ') || 'NULL'})`}
         ORDER BY id DESC LIMIT $2`,
        parameters,
      );
      return rows.map(fallbackOf);
    },

    async countArmedSince({ partnerId, market, since }) {
      const [row] = await store.read<{ n: number }>(
        `SELECT count(*) AS n FROM engine_sms_fallback WHERE partner_id = $1 AND market = $2 AND armed_at >= $3`,
        [partnerId, market, since],
      );
      return Number(row?.n ?? 0);
    },

    async history({ partnerId, market, since, until, utcOffsetMs, perRecipientPerDay, perPairPerDay }) {
      const rows = await store.read(
        `SELECT day, mode, SUM(armed) AS armed, SUM(claimed) AS claimed, SUM(segments) AS segments, SUM(measured) AS measured,
           SUM(CASE WHEN within_pair > $6 THEN $6 ELSE within_pair END) AS within_caps
         FROM (
           SELECT day, mode, msisdn, SUM(armed) AS armed, SUM(claimed) AS claimed, SUM(segments) AS segments,
             SUM(measured) AS measured, SUM(CASE WHEN claimed > $5 THEN $5 ELSE claimed END) AS within_pair
           FROM (
             SELECT (armed_at + CAST($4 AS BIGINT)) / 86400000 AS day, mode, msisdn, sender_account_id, COUNT(*) AS armed, COUNT(claimed_at) AS claimed,
               COALESCE(SUM(segments), 0) AS segments, COUNT(segments) AS measured
             FROM engine_sms_fallback WHERE partner_id = $1 AND market = $2 AND armed_at >= $3 AND armed_at < $7
             GROUP BY 1, mode, msisdn, sender_account_id) AS pairs
           GROUP BY day, mode, msisdn) AS numbers
         GROUP BY day, mode ORDER BY day, mode`,
        [partnerId, market, since, utcOffsetMs, perPairPerDay, perRecipientPerDay, until],
      );
      return rows.map((row) => ({
        day: Number(row['day']),
        mode: String(row['mode']) as FallbackMode,
        armed: Number(row['armed']),
        claimed: Number(row['claimed']),
        withinCaps: Number(row['within_caps']),
        segments: Number(row['segments']),
        measured: Number(row['measured']),
      }));
    },

    async claimedByPair({ partnerId, msisdns, since }) {
      const { list, values } = inList(msisdns);
      const place = values.length;
      const rows = await store.read<{ msisdn: string; account: string; n: number }>(
        `SELECT msisdn, sender_account_id AS account, COUNT(*) AS n FROM engine_sms_fallback
         WHERE msisdn IN (${list}) AND claimed_at >= $${place + 1} AND partner_id = $${place + 2} AND claimed_at IS NOT NULL
         GROUP BY msisdn, sender_account_id`,
        [...values, since, partnerId],
      );
      return rows.map(({ msisdn, account, n }) => ({ msisdn, senderAccountId: account, n: Number(n) }));
    },

    async countClaimedSince({ partnerId, market, mode, since }) {
      const [row] = await store.read<{ n: number }>(
        `SELECT COUNT(*) AS n FROM engine_sms_fallback
         WHERE partner_id = $1 AND market = $2 AND armed_at >= $3 AND claimed_at >= $4 AND mode = $5`,
        [partnerId, market, since - TIMER_MAX_MS, since, mode],
      );
      return Number(row?.n ?? 0);
    },

    async acknowledgedAt(ids) {
      const { list, values } = inList(ids, 1, PAGE_MAX);
      const rows = await store.read<{ id: string; at: number }>(
        `SELECT f.id, s.delivered_at AS at FROM engine_sms_fallback f JOIN engine_sent s ON s.message_id = f.message_id
         WHERE f.id IN (${list}) AND s.delivered_at IS NOT NULL`,
        values,
      );
      return new Map(rows.map(({ id, at }) => [id, Number(at)]));
    },

    async cancelForLine(msisdn) {
      await cancel(
        await store.read<{ id: string; partner_id: string }>(
          `SELECT id, partner_id FROM engine_sms_fallback WHERE state = 'armed' AND msisdn = $1`,
          [msisdn],
        ),
      );
    },

    async sweep() {
      const wallNow = clock.now();
      await cancel(
        await store.read<{ id: string; partner_id: string }>(
          `SELECT id, partner_id FROM engine_sms_fallback
           WHERE state = 'armed' AND expires_at <= $1 ORDER BY expires_at LIMIT ${SWEEP_MAX}`,
          [wallNow],
        ),
      );
      await store.run(dropExpiredTexts, { wallNow });
    },
  };
}
