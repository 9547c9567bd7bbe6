import type { FallbackPolicy } from '../../engine/index.js';
import { blockedRange } from '../guards/blocked-range.js';
import { noticeLanguage } from '../notices/notice-text.js';
import { useOf } from '../outbound/senders.js';
import type { SmsPolicies } from '../policy/policies.js';
import { policyOf } from '../policy/policy.js';
import type { SmsPartners, SmsSubscriptions } from '../ports.js';
import { candidates } from '../senders/candidates.js';

/**
 * Decides whether a fallback may be armed: the number is the operator's, one of its links goes there, and a sender may carry
 * it. The engine asks before it arms; the sender of the message reads the reason.
 */
export function createFallbackPolicy({
  partners,
  subscriptions,
  policies,
}: {
  partners: SmsPartners;
  subscriptions: SmsSubscriptions;
  policies?: Pick<SmsPolicies, 'current'> | undefined;
}): FallbackPolicy {
  return {
    async admit({ partnerId, market: code, mode, class: kind, recipientMsisdn }) {
      const refuse = (reason: string) => ({ admitted: false as const, reason });
      const partner = partners.get(partnerId);
      const market = partners.market(partnerId, code);
      if (!partner || !market) return refuse('No operator serves this number.');
      if (!market.dialable) return refuse('Numbers of this market are not dialled here.');
      const policy = policies?.current(partnerId) ?? policyOf(partner);
      if (policy.killSwitch) return refuse('The operator has switched SMS off.');
      if (!policy.modes[mode].allowed) return refuse('The operator does not allow fallbacks of this mode.');
      if (!partner.smpp.links.some(({ bindType }) => bindType !== 'receiver')) return refuse('The operator has no SMS link.');
      const subscriptionId = await subscriptions.liveOn(partnerId, recipientMsisdn);
      const isOwnRange = market.msisdnPrefixes.some((prefix) => recipientMsisdn.startsWith(prefix));
      if (subscriptionId === undefined && !isOwnRange) return refuse("The number is not in the operator's ranges.");
      if (blockedRange(recipientMsisdn, partner.sms.blockedPrefixes, isOwnRange))
        return refuse('Nothing is sent to this range of numbers.');
      if (candidates(partner.sms.senders, code, useOf({ mode, class: kind })).length === 0)
        return refuse('No sender may carry this message.');
      if (mode === 'notice' && partner.templates[noticeLanguage(partner, code, undefined)] === undefined) {
        return refuse('The operator has no notice text for this market.');
      }
      return { admitted: true, ...(subscriptionId !== undefined && { subscriptionId }) };
    },
  };
}
