import type { PermitPlan, ZeroRatingKind } from '../catalogue/index.js';
import type { Instant } from '../kernel/clock.js';
import { GatewayError, isGatewayError } from '../kernel/errors.js';
import type { MarketPolicies, MarketPolicy } from './ports.js';

/** What each policy leaves room for, the widest first. */
const PERMITTED: Record<MarketPolicy['policy'], ReadonlySet<ZeroRatingKind>> = {
  allowed: new Set(['app-specific', 'open-class', 'application-agnostic']),
  'open-class': new Set(['open-class', 'application-agnostic']),
  'application-agnostic-only': new Set(['application-agnostic']),
  forbidden: new Set(),
};

const PERMITS_ONLY: Record<MarketPolicy['policy'], string> = {
  allowed: 'every kind of zero-rating',
  'open-class': 'open-class and application-agnostic zero-rating',
  'application-agnostic-only': 'only application-agnostic zero-rating',
  forbidden: 'no zero-rating',
};

const HINTS: Record<MarketPolicy['policy'], string> = {
  allowed: 'Anything goes here.',
  'open-class': 'Open it to every app of that class on equal terms (open-class), or rate all traffic alike (application-agnostic).',
  'application-agnostic-only': 'Rate all traffic alike (application-agnostic), for example at a low speed without credit.',
  forbidden: 'Include a larger data allowance instead.',
};

export const permits = ({ policy }: MarketPolicy, kind: ZeroRatingKind): boolean => PERMITTED[policy].has(kind);

/**
 * Why the market's law does not let a line have this zero-rating at that instant, or undefined when it does.
 * A market without any policy permits nothing: nobody has looked at its law.
 */
export function refusal(
  policies: MarketPolicies,
  market: string,
  kind: ZeroRatingKind,
  at: Instant,
): { detail: string; hint: string } | undefined {
  let policy: MarketPolicy;
  try {
    policy = policies.at(market, at);
  } catch (failure) {
    if (!isGatewayError(failure, 'MARKET.NOT_COVERED')) throw failure;
    return { detail: failure.detail, hint: 'Ask your contact to have the law of the market looked at.' };
  }
  if (permits(policy, kind)) return undefined;
  const detail = `Market ${market} permits ${PERMITS_ONLY[policy.policy]} since ${policy.since} (${policy.legalReference.replace(/\.$/, '')}); this is ${kind}.`;
  return { detail, hint: HINTS[policy.policy] };
}

/**
 * @param pointer of the field that asks for it, where there is one.
 * @throws GatewayError `ZERO_RATING.NOT_PERMITTED_IN_MARKET` with the market, since when, the legal reference, and what
 *   the market may have.
 */
export function requirePermitted(policies: MarketPolicies, market: string, kind: ZeroRatingKind, at: Instant, pointer?: string): void {
  const refused = refusal(policies, market, kind, at);
  if (!refused) return;
  const code = 'ZERO_RATING.NOT_PERMITTED_IN_MARKET';
  throw new GatewayError(code, { ...refused, ...(pointer !== undefined && { errors: [{ pointer, code, message: refused.detail }] }) });
}

/** The catalogue's question before it publishes: may a plan be sold in its market from that instant on? */
export function createPermitPlan(policies: MarketPolicies): PermitPlan {
  return ({ market, zeroRating }, at) => {
    for (const { kind } of zeroRating) requirePermitted(policies, market, kind, at.getTime());
  };
}
