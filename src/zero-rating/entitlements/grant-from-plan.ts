import type { ControlTransaction } from '../../store/index.js';
import type { Subscription } from '../../store/models.js';
import { refusal } from '../market-policy.js';
import { addDuration } from './add-duration.js';
import type { EntitlementsOptions } from './entitlements.js';
import { ratingOf, termsOf } from './terms.js';
import { newEntitlement, type Writer } from './write.js';

const REASON_MAX = 300;

/**
 * Grants what the plan includes, as the line becomes active; it runs in the transaction that makes it so.
 *
 * The network has activated the line, and that is a fact that no law undoes. So a class that the market does not permit
 * at that time (the plan was published before the law changed, or it could not have been published) does not fail the
 * activation: its entitlement is there, `suspended`, with the legal reason, and frees nothing. A class for which no
 * rating group is agreed is left out and logged, since there is nothing to tell the operator; `decide` says so.
 */
export async function grantFromPlan(
  { catalogue, partners, policies, domainClock, clock, log, sponsorId = 'messaging-company' }: EntitlementsOptions,
  write: Writer,
  tx: ControlTransaction,
  subscription: Subscription,
  correlator: string | undefined,
): Promise<void> {
  const { id: subscriptionId, partnerId, market, planId } = subscription;
  const plan = await catalogue.get({ partnerId, markets: undefined }, planId, tx);
  const now = domainClock.now(partnerId);
  const endsAt = plan.validity === null ? null : new Date(addDuration(now, plan.validity));
  const had = await tx.entitlement.findMany({ where: { subscriptionId }, select: { trafficClass: true } });
  for (const item of plan.zeroRating) {
    const { trafficClass } = item;
    if (had.some((row) => row.trafficClass === trafficClass)) continue;
    const rating = ratingOf(partners, partnerId, trafficClass);
    if (!rating) {
      log.warn({ partnerId, planId, trafficClass }, 'plan zero-rates a class without an agreed rating group');
      continue;
    }
    const refused = refusal(policies, market, item.kind, now);
    const row = newEntitlement(clock.now(), {
      ...termsOf({}, item, rating, sponsorId),
      partnerId,
      market,
      subscriptionId,
      trafficClass,
      planId,
      status: refused ? 'suspended' : 'active',
      reason: refused ? refused.detail.slice(0, REASON_MAX) : null,
      startsAt: new Date(now),
      endsAt,
    });
    await write.create(tx, row, subscription, correlator);
  }
}
