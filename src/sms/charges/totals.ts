import type { Instant } from '../../kernel/clock.js';
import { invalidField } from '../../kernel/errors.js';
import { encodeCursor, type Page } from '../../kernel/page.js';
import type { Partner, PartnerMarket } from '../../partners/index.js';
import { startOfDay } from '../../partners/index.js';
import type { Parameter } from '../../store/index.js';
import type { SmsContext } from '../context.js';
import { nextDay } from '../local-time.js';

/** SMS that an operator took on one day, by what its invoice groups them by. */
export interface SmsTotal {
  /** `YYYY-MM-DD`, of the market's time. */
  day: string;
  market: string;
  /** The recipient's network; absent where none is known. */
  mccMnc?: string;
  sender: string;
  state: string;
  messages: number;
  segments: number;
  /** Charges less refunds; absent where the agreement has no price. */
  amount?: { amountMinor: number; currency: string };
}

export interface TotalsRequest {
  partner: Partner;
  markets: readonly string[] | undefined;
  /** `YYYY-MM-DD`, both of it. */
  from: string;
  to: string;
  /** The key of the last total of the page before. */
  after: string | undefined;
  limit: number;
}

export type ReadTotals = (asked: TotalsRequest) => Promise<Page<SmsTotal>>;

const DAYS_MAX = 31;
/** Messages that are added up in one read: a busy day is many of them, and others have their turn in between. */
const STRIDE = 20_000;
const SEPARATOR = '|';

/** What a key of this list looks like. */
export const TOTALS_KEY = /^[0-9-]{10}\|[A-Z]{2}\|[0-9]{0,6}\|[^|]{1,21}\|[A-Za-z]{1,20}$/;

const keyOf = ({ day, market, mccMnc = '', sender, state }: SmsTotal): string => [day, market, mccMnc, sender, state].join(SEPARATOR);

export function createTotals({ store }: Pick<SmsContext, 'store'>): ReadTotals {
  /** A day of one market. */
  async function ofDay(partner: Partner, market: PartnerMarket, day: string): Promise<SmsTotal[]> {
    const totals = new Map<string, SmsTotal>();
    const until = startOfDay(nextDay(day), market.timeZone);
    let from: Instant | undefined = startOfDay(day, market.timeZone);
    while (from !== undefined) {
      const next = await boundary(partner.id, from, until);
      for (const total of await ofStretch(partner, market, day, from, next ?? until)) {
        const known = totals.get(keyOf(total));
        totals.set(keyOf(total), known ? add(known, total) : total);
      }
      from = next;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    return [...totals.values()];
  }

  /** Where the next stretch begins; undefined when this one reaches the end. Messages of one instant are never parted. */
  async function boundary(partnerId: string, from: Instant, until: Instant): Promise<Instant | undefined> {
    const [row] = await store.read<{ at: number }>(
      `SELECT submitted_at AS at FROM sms_message WHERE partner_id = $1 AND submitted_at >= $2 AND submitted_at < $3
       ORDER BY submitted_at LIMIT 1 OFFSET ${STRIDE}`,
      [partnerId, from, until],
    );
    return row && Math.max(Number(row.at), from + 1);
  }

  async function ofStretch(partner: Partner, market: PartnerMarket, day: string, from: Instant, until: Instant): Promise<SmsTotal[]> {
    const rows = await store.read<Record<'sender' | 'state', string> & Record<'messages' | 'segments', number> & Nullable>(
      `SELECT m.mcc_mnc, m.sender, m.state, c.currency, COUNT(*) AS messages, SUM(COALESCE(m.segment_count, 0)) AS segments,
         SUM(c.amount_minor) AS amount_minor
       FROM sms_message m LEFT JOIN (
         SELECT sms_id, currency, SUM(amount_minor) AS amount_minor FROM sms_charge WHERE sms_id IN (
           SELECT id FROM sms_message WHERE partner_id = $1 AND submitted_at >= $3 AND submitted_at < $4) GROUP BY sms_id, currency
       ) AS c ON c.sms_id = m.id
       WHERE m.partner_id = $1 AND m.market = $2 AND m.submitted_at >= $3 AND m.submitted_at < $4
       GROUP BY m.mcc_mnc, m.sender, m.state, c.currency`,
      [partner.id, market.code, from, until],
    );
    return rows.map((row) => {
      const mccMnc = row.mcc_mnc ?? market.mccMnc[0];
      return {
        day,
        market: market.code,
        ...(mccMnc !== undefined && { mccMnc }),
        sender: row.sender,
        state: row.state,
        messages: Number(row.messages),
        segments: Number(row.segments),
        ...(row.currency !== null && { amount: { amountMinor: Number(row.amount_minor), currency: row.currency } }),
      };
    });
  }

  return async function read({ partner, markets, from, to, after, limit }) {
    const days = daysBetween(from, to);
    const found: SmsTotal[] = [];
    for (const day of days) {
      if (after !== undefined && day < after.slice(0, day.length)) continue;
      const own = partner.markets.filter(({ code }) => markets === undefined || markets.includes(code));
      const totals = (await Promise.all(own.map((market) => ofDay(partner, market, day)))).flat();
      found.push(...totals.filter((total) => after === undefined || keyOf(total) > after).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)));
      if (found.length > limit) break;
    }
    const items = found.slice(0, limit);
    const last = items.at(-1);
    const hasMore = found.length > limit;
    return { items, hasMore, nextCursor: hasMore && last ? encodeCursor(keyOf(last)) : null };
  };
}

type Nullable = Record<'mcc_mnc' | 'currency', string | null> & Record<'amount_minor', number | null> & Record<string, Parameter>;

function daysBetween(from: string, to: string): string[] {
  if (from > to) throw invalidField('/query/to', 'must not be before from');
  const days: string[] = [];
  for (let day = from; day <= to; day = nextDay(day)) {
    days.push(day);
    if (days.length > DAYS_MAX) throw invalidField('/query/to', `must be within ${DAYS_MAX} days of from`);
  }
  return days;
}

const add = (a: SmsTotal, b: SmsTotal): SmsTotal => ({
  ...a,
  messages: a.messages + b.messages,
  segments: a.segments + b.segments,
  ...(a.amount && b.amount
    ? { amount: { ...a.amount, amountMinor: a.amount.amountMinor + b.amount.amountMinor } }
    : b.amount && { amount: b.amount }),
});
