import type { Clock } from '../../kernel/clock.js';
import { notFound } from '../../kernel/errors.js';
import type { PartnerRegistry } from '../../partners/index.js';
import type { PartnerRoutes } from '../route.js';

/** Who the caller is to us: its partner's markets and their policy, what its token may do. */
export function createPartnerProfileRoutes({ partners, clock }: { partners: PartnerRegistry; clock: Clock }): PartnerRoutes {
  return {
    getPartner: {
      async handle({ caller }) {
        const partner = partners.get(caller.partnerId);
        if (!partner) throw notFound('partner');
        const markets = partner.markets.filter((market) => caller.markets === undefined || caller.markets.includes(market.code));
        return {
          status: 200,
          body: {
            id: partner.id,
            name: partner.name,
            kind: partner.kind,
            environment: partner.environment,
            markets: markets.map((market) => ({
              code: market.code,
              mccMnc: market.mccMnc,
              msisdnPrefixes: market.msisdnPrefixes,
              iccidPrefixes: market.iccidPrefixes,
              currency: market.currency,
              timeZone: market.timeZone,
              defaultLanguage: market.defaultLanguage,
              zeroRatingPolicy: partners.policies.at(market.code, clock.now()).policy,
            })),
            authority: partner.authority,
            clientId: caller.clientId,
            scopes: [...caller.scopes].sort(),
          },
        };
      },
    },
  };
}
