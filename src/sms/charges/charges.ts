import { type Instant, toRfc3339 } from '../../kernel/clock.js';
import { newId } from '../../kernel/ids.js';
import { type Page, type PageRequest, pageOf } from '../../kernel/page.js';
import { inList, type Parameter, type Row } from '../../store/index.js';
import type { SmsContext } from '../context.js';
import type { SmsScope } from '../create-sms.js';
import { readManySms } from '../read-many.js';
import type { WholeSms } from '../read-sms.js';
import { type ChargeItem, chargeSms } from './operations.js';
import { owedFor } from './owed.js';
import { provenanceOf } from './provenance.js';
import type { RateAt } from './rates.js';

export type ShownCharge = ReturnType<typeof showCharge>;

export interface ChargeFilter {
  kind?: 'charge' | 'refund' | undefined;
  /** Domain time; `until` is not of it. */
  from?: Instant | undefined;
  until?: Instant | undefined;
}

/** What the operators' invoices will say, message by message. */
export interface Charges {
  /** Brings what is written of these messages to what is owed for them as they stand. Repeating it writes nothing. */
  settle(smsIds: readonly string[]): Promise<void>;
  /** Finds pairs of app copy and SMS that both arrived within moments, and gives their price back. */
  sweep(): Promise<void>;
  /** Newest first. */
  list(scope: SmsScope, page: PageRequest, filter?: ChargeFilter): Promise<Page<ShownCharge>>;
}

/** An app copy that was acknowledged so soon after the SMS was sent: both were on their way at once. */
const RACE_MS = 10_000;
/** How far back a sweep looks: the last minute, and what an outage before it left. */
const LOOK_BACK_MS = 600_000;
/** Pairs are looked for so often: an invoice is not in a hurry. */
const SWEEP_MS = 5_000;
/** Messages that are settled by the same few reads. */
const CHUNK = 200;

function* chunks<T>(all: readonly T[]): Generator<T[]> {
  for (let first = 0; first < all.length; first += CHUNK) yield all.slice(first, first + CHUNK);
}

export function createCharges(
  { store, clock, domainClock, engine, partners }: Pick<SmsContext, 'store' | 'clock' | 'domainClock' | 'engine' | 'partners'>,
  rateAt: RateAt,
): Charges {
  const months = new Map<string, Intl.DateTimeFormat>();
  let nextSweepAt = Number.NEGATIVE_INFINITY;

  function monthOf(at: Instant, timeZone: string): string {
    const format = months.get(timeZone) ?? new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit' });
    months.set(timeZone, format);
    return format.format(at).slice(0, 7);
  }

  async function settleMany(smsIds: readonly string[], isRaced: boolean): Promise<void> {
    const all = (await readManySms(store, smsIds)).filter(({ message }) => message.attempts > 0);
    const { list, values } = inList(smsIds);
    const written = await store.read<{ sms_id: string; n: number; raced: number }>(
      `SELECT sms_id, SUM(amount_minor) AS n, MAX(CASE WHEN reason = 'raced-pair' THEN 1 ELSE 0 END) AS raced
       FROM sms_charge WHERE sms_id IN (${list}) GROUP BY sms_id`,
      values,
    );
    const soFar = new Map(written.map((row) => [row.sms_id, { amountMinor: Number(row.n), isRaced: Number(row.raced) === 1 }]));
    await Promise.all(
      all.map(async (sms) => {
        const { amountMinor = 0, isRaced: wasRaced = false } = soFar.get(sms.message.id) ?? {};
        // What was given back as a race stays so, whatever receipt comes later.
        const item = chargeOf(sms, isRaced || wasRaced);
        if (!item || item.owedMinor === amountMinor) return;
        const now = await store.run(chargeSms, item);
        if (now !== item.owedMinor) await settleMany([item.smsId], isRaced);
      }),
    );
  }

  function chargeOf(sms: WholeSms, isRaced: boolean): ChargeItem | undefined {
    const { message } = sms;
    const partner = partners.get(message.partnerId);
    const rate = rateAt(message.partnerId, message.market, message.queuedAt);
    if (!partner || !rate) return undefined;
    const owed = owedFor(sms, rate, isRaced);
    const at = domainClock.now(message.partnerId);
    return {
      id: newId('chg', clock.now()),
      smsId: message.id,
      partnerId: message.partnerId,
      market: message.market,
      fallbackId: message.fallbackId ?? null,
      owedMinor: owed.units * rate.amountMinor,
      currency: rate.currency,
      units: owed.units,
      unit: rate.unit,
      chargeable: rate.chargeable,
      reason: owed.reason,
      provenance: provenanceOf(sms, partner.kind),
      at,
      month: monthOf(at, partner.markets[0]?.timeZone ?? 'UTC'),
    };
  }

  async function sweepFallbacks(now: Instant): Promise<void> {
    const rows = await store.read<{ id: string; fallback_id: string; queued_at: number }>(
      `SELECT id, fallback_id, queued_at FROM sms_message m WHERE fallback_id IS NOT NULL AND queued_at > $1 AND queued_at <= $2 ${NOT_RACED}
       ORDER BY queued_at`,
      [now - LOOK_BACK_MS, now],
    );
    for (const some of chunks(rows)) {
      const acknowledged = await engine.fallbacks.acknowledgedAt(some.map((row) => row.fallback_id));
      const raced = some.filter((row) => isWithin(acknowledged.get(row.fallback_id), Number(row.queued_at)));
      if (raced.length > 0)
        await settleMany(
          raced.map(({ id }) => id),
          true,
        );
    }
  }

  return {
    async settle(smsIds) {
      for (const some of chunks([...new Set(smsIds)])) await settleMany(some, false);
    },

    async sweep() {
      if (clock.monotonicMs() < nextSweepAt) return;
      nextSweepAt = clock.monotonicMs() + SWEEP_MS;
      await sweepFallbacks(clock.now());
      for (const some of chunks(await engine.notices.raced(clock.now() - LOOK_BACK_MS, RACE_MS))) await settleMany(some, true);
    },

    async list({ partnerId, markets }, { after, limit }, { kind, from, until } = {}) {
      const parameters: Parameter[] = [partnerId, limit + 1];
      const given = (value: Parameter) => `$${parameters.push(value)}`;
      const rows = await store.read(
        `SELECT * FROM sms_charge WHERE partner_id = $1
         ${after === undefined ? '' : `AND id < ${given(after)}`}
         ${kind === undefined ? '' : kind === 'charge' ? 'AND amount_minor > 0' : 'AND amount_minor < 0'}
         ${from === undefined ? '' : `AND at >= ${given(from)}`} ${until === undefined ? '' : `AND at < ${given(until)}`}
         ${markets === undefined ? '' : `AND market IN (${markets.map(given).join(', ') || 'NULL'})`} ORDER BY id DESC LIMIT $2`,
        parameters,
      );
      return pageOf(rows, limit, (row) => String(row['id']), showCharge);
    },
  };
}

/** Messages whose price was not given back yet. */
const NOT_RACED = `AND NOT EXISTS (SELECT 1 FROM sms_charge r WHERE r.sms_id = m.id AND r.reason = 'raced-pair')`;

const isWithin = (acknowledgedAt: Instant | undefined, sentAt: Instant): boolean =>
  acknowledgedAt !== undefined && Math.abs(acknowledgedAt - sentAt) < RACE_MS;

/** A charge or refund as the API shows it (schema SmsCharge). A refund's amount is negative. */
function showCharge(row: Row) {
  const amountMinor = Number(row['amount_minor']);
  return {
    id: String(row['id']),
    kind: amountMinor < 0 ? ('refund' as const) : ('charge' as const),
    smsId: String(row['sms_id']),
    ...(row['fallback_id'] !== null && { fallbackId: String(row['fallback_id']) }),
    market: String(row['market']),
    amount: { amountMinor, currency: String(row['currency']) },
    units: Number(row['units']),
    unit: String(row['unit']),
    chargeable: String(row['chargeable']),
    reason: String(row['reason']),
    provenance: String(row['provenance']),
    at: toRfc3339(Number(row['at'])),
  };
}
