import type { Catalogue, Plan } from '../../catalogue/index.js';
import { type Clock, toRfc3339 } from '../../kernel/clock.js';
import { filters, pageRequest } from '../list-query.js';
import type { PartnerRoutes } from '../route.js';

export function createPlanRoutes({ catalogue, clock }: { catalogue: Catalogue; clock: Clock }): PartnerRoutes {
  return {
    listPlans: {
      async handle({ caller, query }) {
        const plans = await catalogue.list(caller, pageRequest(query), filters(query, 'status', 'market'));
        return { status: 200, body: { ...plans, items: plans.items.map(showPlan) } };
      },
    },
    getPlan: {
      async handle({ caller, params }) {
        return { status: 200, body: showPlan(await catalogue.get(caller, String(params['planId']))) };
      },
    },
    publishPlan: {
      async act({ caller, params, body }, tx) {
        const { effectiveAt } = (body ?? {}) as { effectiveAt?: string };
        const from = effectiveAt === undefined ? new Date(clock.now()) : new Date(effectiveAt);
        return { status: 200, body: showPlan(await catalogue.publish(tx, caller, String(params['planId']), from)) };
      },
    },
  };
}

const at = (instant: Date) => toRfc3339(instant.getTime());

const showPlan = (plan: Plan) => ({
  id: plan.id,
  code: plan.code,
  name: plan.name,
  description: plan.description,
  version: plan.version,
  status: plan.status,
  market: plan.market,
  price: plan.price,
  validity: plan.validity,
  allowances: plan.allowances,
  ...(plan.dataCharging && { dataCharging: plan.dataCharging }),
  ...(plan.unitBucket && { unitBucket: plan.unitBucket }),
  zeroRating: plan.zeroRating,
  effectiveFrom: at(plan.effectiveFrom),
  ...(plan.legalReference !== undefined && { legalReference: plan.legalReference }),
  createdAt: at(plan.createdAt),
  updatedAt: at(plan.updatedAt),
});
