import type { PartnerRegistry } from '../partners/index.js';
import type { Actor, PartnerRanges } from './model.js';
import { refused } from './refused.js';

/** The ranges and authority that `partners/` declares. */
export function partnerRanges(partners: Pick<PartnerRegistry, 'get' | 'market'>): PartnerRanges {
  return {
    market({ partnerId, markets }, code, pointer) {
      const market = partners.market(partnerId, code);
      if (!market || (markets && !markets.includes(code))) {
        throw refused('MARKET.NOT_COVERED', pointer, 'is not one of your markets', 'GET /v1/partner lists your markets.');
      }
      return market;
    },
    authority(partnerId) {
      const authority = partners.get(partnerId)?.authority;
      return { sims: authority?.sims ?? 'operator', subscriptions: authority?.subscriptions ?? 'operator' };
    },
  };
}

/** The actor's market that a number belongs to by its prefix, if the actor may see it. */
export function marketOfNumber(partners: Pick<PartnerRegistry, 'byMsisdn'>, actor: Pick<Actor, 'partnerId' | 'markets'>, msisdn: string) {
  const found = partners.byMsisdn(msisdn);
  if (found?.partner.id !== actor.partnerId) return undefined;
  const { code } = found.market;
  return actor.markets === undefined || actor.markets.includes(code) ? code : undefined;
}
