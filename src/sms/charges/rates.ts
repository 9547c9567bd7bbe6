import type { Instant } from '../../kernel/clock.js';
import { type Rate, startOfDay } from '../../partners/index.js';
import { nextDay } from '../local-time.js';
import type { SmsPartners } from '../ports.js';

/**
 * The agreement's price of an SMS to a market.
 *
 * @param at wall clock, of the moment when the message was queued.
 * @returns undefined outside the agreement, and where it has no price for that.
 */
export type RateAt = (partnerId: string, marketCode: string, at: Instant) => Rate | undefined;

export function createRates(partners: SmsPartners): RateAt {
  const days = new Map<string, Instant>();

  function startOf(day: string, timeZone: string): Instant {
    const key = `${day} ${timeZone}`;
    const known = days.get(key) ?? startOfDay(day, timeZone);
    days.set(key, known);
    return known;
  }

  return (partnerId, marketCode, at) => {
    const agreement = partners.get(partnerId)?.agreement;
    const market = partners.market(partnerId, marketCode);
    if (!agreement || !market) return undefined;
    if (at < startOf(agreement.from, market.timeZone)) return undefined;
    if (agreement.until !== undefined && at >= startOf(nextDay(agreement.until), market.timeZone)) return undefined;
    return agreement.rates.find((rate) => rate.market === marketCode && rate.service === 'sms-mt' && rate.unit !== 'megabyte');
  };
}
