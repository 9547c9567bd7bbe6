import type { FallbackDay, FallbackMode } from '../../engine/index.js';
import { type Instant, toRfc3339 } from '../../kernel/clock.js';
import type { Money } from '../../kernel/money.js';
import { type Partner, type PartnerMarket, type Rate, startOfDay } from '../../partners/index.js';
import type { RateAt } from '../charges/rates.js';
import type { SmsContext } from '../context.js';
import { createLocalDays, nextDay } from '../local-time.js';
import { checkPolicy, type SmsPolicy } from './policy.js';

/** What a policy would have let through, and what that would have cost, in one market and mode. */
export interface ForecastItem {
  market: string;
  mode: FallbackMode;
  armed: number;
  claimed: number;
  /** Of those that were claimed, and of all that were armed, as if nobody had fetched anything. */
  sms: number;
  smsMax: number;
  /** Of a hundred SMS on average, as they were counted; 100 where none was. */
  segmentsPerHundredSms: number;
  cost?: Money;
  costMax?: Money;
}

/** As the contract's schema PolicyForecast. */
export interface Forecast {
  from: string;
  until: string;
  items: ForecastItem[];
  /** Of the items that are priced in the currency of the budget. */
  cost: Money;
  costMax: Money;
  /** The day on which the month's budget would have been used up, had the month begun with the first of these days. */
  budgetUsedUpOn?: string;
}

export type ForecastPolicy = (partner: Partner, policy: SmsPolicy, markets: readonly string[] | undefined) => Promise<Forecast>;

const LOOK_BACK_MS = 30 * 86_400_000;

/** What was armed in a local day. */
type Day = Omit<FallbackDay, 'day'> & { day: string };

/**
 * Looks back thirty days at what was armed and claimed, holds it against a policy, and prices it by the agreement. Quiet hours
 * put messages off and cost nothing less; what the cap of a market's hour would have held is not taken off.
 */
export function createForecast(
  { engine, clock, domainClock }: Pick<SmsContext, 'engine' | 'clock' | 'domainClock'>,
  rateAt: RateAt,
): ForecastPolicy {
  const dayOf = createLocalDays();

  /** Each day by itself, so that a busy partner's month does not hold up everybody else. */
  async function daysOf(partner: Partner, { code, timeZone }: PartnerMarket, { caps }: SmsPolicy, now: Instant): Promise<Day[]> {
    const since = now - LOOK_BACK_MS;
    const days: Day[] = [];
    for (let day = dayOf(since, timeZone).day; startOfDay(day, timeZone) < now; day = nextDay(day)) {
      const from = startOfDay(day, timeZone);
      const rows = await engine.fallbacks.history({
        partnerId: partner.id,
        market: code,
        since: Math.max(from, since),
        until: Math.min(startOfDay(nextDay(day), timeZone), now),
        utcOffsetMs: Date.parse(day) - from,
        perRecipientPerDay: caps.perRecipientPerDay,
        perPairPerDay: caps.perPairPerDay,
      });
      days.push(...rows.map((row) => ({ ...row, day })));
    }
    return days;
  }

  return async function forecast(partner, policy, markets) {
    checkPolicy(policy, partner);
    const now = domainClock.now(partner.id);
    const { currency, amountMinor: budget } = policy.monthlyBudget;
    const items: ForecastItem[] = [];
    const costByDay = new Map<string, number>();
    for (const market of partner.markets.filter(({ code }) => markets === undefined || markets.includes(code))) {
      const rate = rateAt(partner.id, market.code, clock.now());
      const days = await daysOf(partner, market, policy, now);
      for (const mode of ['notice', 'sealed'] as const) {
        const own = days.filter((each) => each.mode === mode);
        if (own.length === 0) continue;
        const limit = policy.modes[mode].allowed && !policy.killSwitch ? (policy.modes[mode].perDayMax ?? Number.POSITIVE_INFINITY) : 0;
        const item = itemOf(market.code, mode, own, limit, rate);
        items.push(item);
        for (const { day, withinCaps } of own) {
          const cost = costOf(Math.min(withinCaps, limit), item.segmentsPerHundredSms, rate);
          if (cost?.currency === currency) costByDay.set(day, (costByDay.get(day) ?? 0) + cost.amountMinor);
        }
      }
    }
    const usedUp = firstPast(costByDay, budget);
    const sum = (of: 'cost' | 'costMax'): Money => ({
      amountMinor: items.reduce((total, item) => total + (item[of]?.currency === currency ? item[of].amountMinor : 0), 0),
      currency,
    });
    return {
      from: toRfc3339(now - LOOK_BACK_MS),
      until: toRfc3339(now),
      items,
      cost: sum('cost'),
      costMax: sum('costMax'),
      ...(usedUp !== undefined && { budgetUsedUpOn: usedUp }),
    };
  };
}

/** @param limit of SMS in a day. */
function itemOf(market: string, mode: FallbackMode, days: readonly Day[], limit: number, rate: Rate | undefined): ForecastItem {
  const sum = (of: (day: Day) => number) => days.reduce((total, day) => total + of(day), 0);
  const measured = sum((day) => day.measured);
  const segmentsPerHundredSms = measured === 0 ? 100 : Math.round((sum((day) => day.segments) * 100) / measured);
  const sms = sum((day) => Math.min(day.withinCaps, limit));
  const smsMax = sum((day) => Math.min(day.armed, limit));
  const [cost, costMax] = [costOf(sms, segmentsPerHundredSms, rate), costOf(smsMax, segmentsPerHundredSms, rate)];
  return {
    ...{ market, mode, armed: sum((day) => day.armed), claimed: sum((day) => day.claimed), sms, smsMax, segmentsPerHundredSms },
    ...(cost && { cost }),
    ...(costMax && { costMax }),
  };
}

const costOf = (sms: number, segmentsPerHundredSms: number, rate: Rate | undefined): Money | undefined =>
  rate && {
    amountMinor: Math.round((sms * (rate.unit === 'message' ? 100 : segmentsPerHundredSms) * rate.amountMinor) / 100),
    currency: rate.currency,
  };

/** The first day on which the sum is past the budget. */
function firstPast(costByDay: ReadonlyMap<string, number>, budget: number): string | undefined {
  let spent = 0;
  for (const [day, cost] of [...costByDay].sort(([a], [b]) => (a < b ? -1 : 1))) {
    spent += cost;
    if (spent > budget) return day;
  }
  return undefined;
}
