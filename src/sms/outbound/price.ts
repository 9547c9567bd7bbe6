import type { Instant } from '../../kernel/clock.js';
import { type Money, multiply } from '../../kernel/money.js';
import { type Rate, startOfDay } from '../../partners/index.js';
import { FINAL_STATES, type SmsState } from '../message.js';
import type { SmsPartners } from '../ports.js';
import type { WholeSms } from '../read-sms.js';
import { partEnd } from './truth.js';

/**
 * What the operator's invoice will say of a message once it is in `state`: by its agreement, for each segment that the SMSC
 * accepted, or for each that was delivered. A message has one price, set once.
 *
 * @returns undefined while that is not known, and when the agreement has no price for it.
 */
export type Pricing = (sms: WholeSms, state: SmsState) => Money | undefined;

export function createPricing(partners: SmsPartners): Pricing {
  const days = new Map<string, Instant>();

  function startOf(day: string, timeZone: string): Instant {
    const key = `${day} ${timeZone}`;
    const known = days.get(key) ?? startOfDay(day, timeZone);
    days.set(key, known);
    return known;
  }

  function rateAt(partnerId: string, marketCode: string, at: Instant): Rate | undefined {
    const agreement = partners.get(partnerId)?.agreement;
    const market = partners.market(partnerId, marketCode);
    if (!agreement || !market) return undefined;
    if (at < startOf(agreement.from, market.timeZone)) return undefined;
    if (agreement.until !== undefined && at >= startOf(dayAfter(agreement.until), market.timeZone)) return undefined;
    return agreement.rates.find((rate) => rate.market === marketCode && rate.service === 'sms-mt' && rate.unit !== 'megabyte');
  }

  return ({ message, parts, receipts }, state) => {
    if (message.price) return message.price;
    const isFinal = FINAL_STATES.includes(state);
    if (!isFinal && state !== 'submitted') return undefined;
    const rate = rateAt(message.partnerId, message.market, message.queuedAt);
    if (!rate || (rate.chargeable === 'delivered' && !isFinal)) return undefined;
    const { pduCount = 0, segmentCount = 0 } = message;
    const charged = Array.from({ length: pduCount }, (_, index) => index + 1).filter((number) => {
      const end = partEnd(number, receipts);
      if (rate.chargeable === 'delivered') return end?.state === 'delivered';
      return end !== undefined || parts.some((part) => part.number === number && part.outcome === 'accepted');
    }).length;
    if (charged === 0) return undefined;
    // One PDU that carries a long text is charged as the segments that the SMSC makes of it.
    const units = rate.unit === 'message' ? 1 : charged === pduCount ? segmentCount : charged;
    return multiply({ amountMinor: rate.amountMinor, currency: rate.currency }, units);
  };
}

const dayAfter = (day: string): string => new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);
