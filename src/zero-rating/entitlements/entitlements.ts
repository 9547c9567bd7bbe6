import type { Clock } from '../../kernel/clock.js';
import { GatewayError, invalidField, notFound } from '../../kernel/errors.js';
import type { Log } from '../../kernel/log.js';
import type { Actor, Reporter, Scope, SubscriptionEntitlements } from '../../provisioning/index.js';
import type { ControlReader, ControlTransaction } from '../../store/index.js';
import type { Entitlement } from '../../store/models.js';
import { requirePermitted } from '../market-policy.js';
import { type DecideOptions, type Decision, type DecisionRequest, decide } from './decide.js';
import { createFeed, type Feed } from './feed.js';
import { grantFromPlan } from './grant-from-plan.js';
import { type ShownEntitlement, showEntitlement } from './show.js';
import { sweepTerms } from './sweep-terms.js';
import { type GrantRequest, requireRating, termsOf } from './terms.js';
import { createWriter, newEntitlement } from './write.js';

export type { GrantRequest } from './terms.js';

export interface EntitlementsOptions extends DecideOptions {
  clock: Clock;
  log: Log;
  report: Reporter;
  sponsorId?: string;
}

export interface Entitlements extends SubscriptionEntitlements, Pick<Feed, 'snapshot' | 'changes'> {
  /**
   * Grants or replaces the entitlement of a line for a class. Market policy is judged at `startsAt`, and for a start in
   * the past also now, since that is when it would run.
   *
   * @param mayReplace called within the transaction with the entitlement as it is, or undefined; it throws to refuse.
   * @throws GatewayError `NOT_FOUND`, `INCOMPATIBLE_STATE` (the line is not live), `SERVICE_NOT_APPLICABLE` (no rating
   *   group), `ZERO_RATING.NOT_PERMITTED_IN_MARKET`, `INVALID_ARGUMENT`.
   */
  grant(
    actor: Actor,
    line: { subscriptionId: string; trafficClass: string },
    request: GrantRequest,
    mayReplace: (current: ShownEntitlement | undefined) => void,
  ): Promise<{ created: boolean; entitlement: ShownEntitlement }>;
  decide(scope: Scope, request: DecisionRequest): Promise<Decision>;
  /** Lets entitlements whose time has come begin and end, each with its event and change. */
  sweep(): Promise<void>;
}

const LIVE = ['active', 'suspended'];

export function createEntitlements(options: EntitlementsOptions): Entitlements {
  const { control, clock, domainClock, catalogue, partners, policies, report, sponsorId = 'messaging-company' } = options;
  const feed = createFeed(options);
  const write = createWriter({ report, feed });

  return {
    snapshot: (scope, request) => feed.snapshot(scope, request),
    changes: (scope, request) => feed.changes(scope, request),
    decide: (scope, request) => decide(options, scope, request),
    sweep: () => sweepTerms(options, write),
    grantFromPlan: (tx, subscription, correlator) => grantFromPlan(options, write, tx, subscription, correlator),
    async show(subscriptionIds, from: ControlReader | ControlTransaction = control.read) {
      const rows = await from.entitlement.findMany({
        where: { subscriptionId: { in: [...subscriptionIds] } },
        orderBy: [{ subscriptionId: 'asc' }, { trafficClass: 'asc' }],
      });
      const shown = new Map<string, ShownEntitlement[]>();
      for (const row of rows) shown.set(row.subscriptionId, [...(shown.get(row.subscriptionId) ?? []), showEntitlement(row)]);
      return shown;
    },
    grant: (actor, { subscriptionId, trafficClass }, request, mayReplace) =>
      control.transact(async (tx) => {
        const { partnerId, markets, correlator } = actor;
        const line = await tx.subscription.findFirst({
          where: { id: subscriptionId, partnerId, ...(markets && { market: { in: [...markets] } }) },
        });
        if (!line) throw notFound('subscription');
        const before = await tx.entitlement.findUnique({ where: { subscriptionId_trafficClass: { subscriptionId, trafficClass } } });
        mayReplace(before ? showEntitlement(before) : undefined);
        if (!LIVE.includes(line.status)) {
          throw new GatewayError('INCOMPATIBLE_STATE', { detail: `The subscription is ${line.status}; only a live line can be entitled.` });
        }
        const rating = requireRating(partners, partnerId, trafficClass);
        const plan = await catalogue.get({ partnerId, markets: undefined }, line.planId, tx);
        const terms = termsOf(
          request,
          plan.zeroRating.find((item) => item.trafficClass === trafficClass),
          rating,
          sponsorId,
        );

        const now = domainClock.now(partnerId);
        const startsAt = request.startsAt ?? new Date(now);
        const endsAt = request.endsAt ?? null;
        if (endsAt && endsAt <= startsAt) throw invalidField('/endsAt', 'must be after startsAt');
        requirePermitted(policies, line.market, terms.kind, startsAt.getTime(), '/kind');
        requirePermitted(policies, line.market, terms.kind, Math.max(startsAt.getTime(), now), '/kind');

        const status = endsAt && endsAt.getTime() <= now ? 'ended' : startsAt.getTime() > now ? 'pending' : 'active';
        const facts = { ...terms, startsAt, endsAt, status, reason: null, planId: null };
        if (!before) {
          const row = newEntitlement(clock.now(), { ...facts, partnerId, market: line.market, subscriptionId, trafficClass });
          await write.create(tx, row, line, correlator);
          return { created: true, entitlement: showEntitlement(row) };
        }
        // Two replacements within a millisecond must not have the same ETag.
        const updatedAt = new Date(Math.max(clock.now(), before.updatedAt.getTime() + 1));
        const row: Entitlement = { ...before, ...facts, updatedAt };
        await write.update(tx, before, row, line, correlator);
        return { created: false, entitlement: showEntitlement(row) };
      }),
  };
}
