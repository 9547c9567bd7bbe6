import type { Clock } from '../kernel/clock.js';
import { GatewayError, notFound } from '../kernel/errors.js';
import { newId } from '../kernel/ids.js';
import { type Page, type PageRequest, pageOf } from '../kernel/page.js';
import type { ControlReader, ControlStore, ControlTransaction } from '../store/index.js';
import type { Plan, PlanDocument, PlanStatus } from './plan.js';
import { SEED_PLANS } from './seed-plans.js';

export type { Plan, PlanDocument, PlanZeroRating, ZeroRatingKind } from './plan.js';

/** What a caller may see: its partner's plans, in the markets that its token covers (undefined = all). */
export interface PlanScope {
  partnerId: string;
  markets: readonly string[] | undefined;
}

export interface Catalogue {
  list(scope: PlanScope, page: PageRequest, filter: { status?: string; market?: string }): Promise<Page<Plan>>;
  /** @throws GatewayError `NOT_FOUND`. */
  get(scope: PlanScope, planId: string, from?: ControlReader | ControlTransaction): Promise<Plan>;
  /**
   * The plan as an order takes it. A draft, a plan of tomorrow, of another market or of a stranger all look the same.
   *
   * @throws GatewayError `PROVISIONING.PLAN_NOT_OFFERED` naming `pointer`, `ZERO_RATING.NOT_PERMITTED_IN_MARKET`.
   */
  offered(tx: ControlTransaction, scope: PlanScope, market: string, planId: string, pointer: string): Promise<Plan>;
  /**
   * Publishes a plan's newest version as of `effectiveAt`, by the law of that time; every order asks for today's again.
   * One that is on sale already keeps the date that it has.
   *
   * @throws GatewayError `NOT_FOUND`, `INCOMPATIBLE_STATE` (retired), `ZERO_RATING.NOT_PERMITTED_IN_MARKET`.
   */
  publish(tx: ControlTransaction, scope: PlanScope, planId: string, effectiveAt: Date): Promise<Plan>;
  /** Puts the sandbox's plans there, once. */
  seed(): Promise<void>;
}

/** Whether the law of a market lets a plan be sold from that instant on; throws when not. */
export type PermitPlan = (plan: { market: string; zeroRating: PlanDocument['zeroRating'] }, at: Date) => void;

export function createCatalogue({
  control,
  clock,
  permitPlan,
}: {
  control: ControlStore;
  clock: Clock;
  permitPlan: PermitPlan;
}): Catalogue {
  const visible = ({ partnerId, markets }: PlanScope) => ({ partnerId, ...(markets && { market: { in: [...markets] } }) });

  async function withDocuments(from: ControlReader | ControlTransaction, rows: PlanRow[]): Promise<Plan[]> {
    const versions = await from.planVersion.findMany({ where: { OR: rows.map(({ id, version }) => ({ planId: id, version })) } });
    const byPlan = new Map(versions.map((version) => [version.planId, version]));
    return rows.map((row) => {
      const version = byPlan.get(row.id);
      if (!version) throw new Error(`plan ${row.id} has no version ${row.version}`);
      const document = JSON.parse(version.document) as PlanDocument;
      return { ...row, status: row.status as PlanStatus, ...document, effectiveFrom: version.effectiveFrom };
    });
  }

  async function get(scope: PlanScope, planId: string, from: ControlReader | ControlTransaction = control.read): Promise<Plan> {
    const row = await from.plan.findFirst({ where: { ...visible(scope), id: planId } });
    const [plan] = row ? await withDocuments(from, [row]) : [];
    if (!plan) throw notFound('plan');
    return plan;
  }

  return {
    get,
    async list(scope, { after, limit }, { status, market }) {
      const where = {
        AND: [visible(scope), { ...(after && { id: { gt: after } }), ...(status && { status }), ...(market && { market }) }],
      };
      const rows = await control.read.plan.findMany({ where, orderBy: { id: 'asc' }, take: limit + 1 });
      const plans = rows.length > 0 ? await withDocuments(control.read, rows) : [];
      return pageOf(
        plans,
        limit,
        (plan) => plan.id,
        (plan) => plan,
      );
    },
    async offered(tx, scope, market, planId, pointer) {
      const row = await tx.plan.findFirst({ where: { AND: [visible(scope), { id: planId, market, status: 'published' }] } });
      const [plan] = row ? await withDocuments(tx, [row]) : [];
      const now = new Date(clock.now());
      if (!plan || plan.effectiveFrom > now) {
        const message = 'is not a plan that you offer in this market today';
        throw new GatewayError('PROVISIONING.PLAN_NOT_OFFERED', {
          detail: `${pointer}: ${message}`,
          hint: 'GET /v1/plans?status=published lists the plans of your markets; effectiveFrom says from when each is sold.',
          errors: [{ pointer, code: 'PROVISIONING.PLAN_NOT_OFFERED', message }],
        });
      }
      // The law may have changed since the plan was published.
      permitPlan(plan, now);
      return plan;
    },
    async publish(tx, scope, planId, effectiveAt) {
      const plan = await get(scope, planId, tx);
      if (plan.status === 'retired') throw new GatewayError('INCOMPATIBLE_STATE', { detail: 'The plan is retired.' });
      permitPlan(plan, effectiveAt);
      const now = new Date(clock.now());
      // What is on sale stays as it is: orders refer to it.
      if (plan.status === 'published' && plan.effectiveFrom <= now) return plan;
      await tx.planVersion.update({
        where: { planId_version: { planId, version: plan.version } },
        data: { publishedAt: now, effectiveFrom: effectiveAt },
      });
      await tx.plan.update({ where: { id: planId }, data: { status: 'published', updatedAt: now } });
      return get(scope, planId, tx);
    },
    seed: () =>
      control.transact(async (tx) => {
        const now = new Date(clock.now());
        for (const { partnerId, market, code, status, effectiveFrom, document } of SEED_PLANS) {
          if (await tx.plan.findFirst({ where: { partnerId, market, code } })) continue;
          const id = newId('pln', clock.now());
          await tx.plan.create({ data: { id, partnerId, market, code, status, version: 1, createdAt: now, updatedAt: now } });
          const publishedAt = status === 'published' ? new Date(effectiveFrom) : null;
          await tx.planVersion.create({
            data: { planId: id, version: 1, document: JSON.stringify(document), effectiveFrom: new Date(effectiveFrom), publishedAt },
          });
        }
      }),
  };
}

type PlanRow = {
  id: string;
  partnerId: string;
  market: string;
  code: string;
  status: string;
  version: number;
  createdAt: Date;
  updatedAt: Date;
};
