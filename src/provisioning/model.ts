/** Who acts, and what it may see: one partner's things, in the markets its token covers (undefined = all of them). */
export interface Scope {
  partnerId: string;
  markets: readonly string[] | undefined;
}

/** Who acts and under which correlation id. */
export interface Actor extends Scope {
  correlator: string;
}

/** Limits a query to what the scope covers. */
export const visible = ({ partnerId, markets }: Scope) => ({ partnerId, ...(markets && { market: { in: [...markets] } }) });

export type Authority = 'operator' | 'gateway';

/** What provisioning needs to know of a partner's market. */
export interface MarketRanges {
  mccMnc: readonly string[];
  msisdnPrefixes: readonly string[];
  iccidPrefixes: readonly string[];
}

/** The partners' ranges and authority, as `partners/` declares them. */
export interface PartnerRanges {
  /** @throws GatewayError `MARKET.NOT_COVERED` naming `pointer` for a market that the partner or the token does not have. */
  market(scope: Scope, market: string, pointer: string): MarketRanges;
  authority(partnerId: string): { sims: Authority; subscriptions: Authority };
}
