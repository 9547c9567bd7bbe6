import { type Money, multiply } from '../../kernel/money.js';
import { createRates, type RateAt } from '../charges/rates.js';
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

export function createPricing(partners: SmsPartners, rateAt: RateAt = createRates(partners)): Pricing {
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
