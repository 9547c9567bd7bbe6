import type { Instant } from '../kernel/clock.js';
import { GatewayError } from '../kernel/errors.js';
import { startOfDay } from './start-of-day.js';

/**
 * What a market permits: app-specific plans too (`allowed`), only an open class of like apps treated alike (`open-class`),
 * only all traffic treated alike (`application-agnostic-only`), or nothing.
 */
export type ZeroRatingPolicy = 'allowed' | 'open-class' | 'application-agnostic-only' | 'forbidden';

export interface MarketPolicy {
  readonly policy: ZeroRatingPolicy;
  /** The rule or ruling, for people. */
  readonly legalReference: string;
  /** The first day of the policy in the market's time zone, `YYYY-MM-DD`. */
  readonly since: string;
}

export interface MarketPolicies {
  /**
   * The policy of a market at an instant.
   *
   * @throws GatewayError `MARKET.NOT_COVERED` for a market without a policy, or an instant before the first one.
   */
  at(market: string, instant: Instant): MarketPolicy;
  /** The markets that have a policy. */
  codes(): readonly string[];
}

export interface MarketHistory {
  readonly timeZone: string;
  /** Oldest first. */
  readonly history: readonly MarketPolicy[];
}

/** @param markets by code; each history is ordered by `since`. */
export function createMarketPolicies(markets: Readonly<Record<string, MarketHistory>>): MarketPolicies {
  const dated = new Map(
    Object.entries(markets).map(([code, { timeZone, history }]) => [
      code,
      history.map((policy) => ({ from: startOfDay(policy.since, timeZone), policy: Object.freeze({ ...policy }) })),
    ]),
  );
  const codes = Object.freeze([...dated.keys()]);
  return Object.freeze({
    at(market: string, instant: Instant): MarketPolicy {
      const entry = dated.get(market)?.findLast(({ from }) => from <= instant);
      if (!entry)
        throw new GatewayError('MARKET.NOT_COVERED', { detail: `There is no zero-rating policy for market ${market} at that time.` });
      return entry.policy;
    },
    codes: () => codes,
  });
}
