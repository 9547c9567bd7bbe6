import { notFound } from '../kernel/errors.js';
import { parseIccid } from '../kernel/iccid.js';
import { type Page, type PageRequest, pageOf } from '../kernel/page.js';
import type { ControlStore } from '../store/index.js';
import type { Subscription } from '../store/models.js';
import { type Scope, visible } from './model.js';

export interface Subscriptions {
  /** @throws GatewayError `NOT_FOUND`. */
  get(scope: Scope, subscriptionId: string): Promise<Subscription>;
  /** Every subscription, live or ended, with that identifier; the newest first. */
  find(scope: Scope, page: PageRequest, by: { msisdn?: string; iccid?: string; imsi?: string }): Promise<Page<Subscription>>;
  /** The subscription that holds the number now, whoever's it is: for the gateway's own parts, not for callers. */
  holding(msisdn: string): Promise<Subscription | undefined>;
}

export function createSubscriptions({ control }: { control: ControlStore }): Subscriptions {
  return {
    async get(scope, subscriptionId) {
      const subscription = await control.read.subscription.findFirst({ where: { ...visible(scope), id: subscriptionId } });
      if (!subscription) throw notFound('subscription');
      return subscription;
    },
    async find(scope, { after, limit }, { msisdn, iccid, imsi }) {
      const sims = imsi === undefined ? [] : await control.read.sim.findMany({ where: { ...visible(scope), imsi }, select: { id: true } });
      const rows = await control.read.subscription.findMany({
        where: {
          ...visible(scope),
          ...(after && { id: { lt: after } }),
          ...(msisdn !== undefined && { msisdn }),
          ...(iccid !== undefined && { iccid: parseIccid(iccid, '/iccid') }),
          ...(imsi !== undefined && { simId: { in: sims.map((sim) => sim.id) } }),
        },
        orderBy: { id: 'desc' },
        take: limit + 1,
      });
      return pageOf(
        rows,
        limit,
        (subscription) => subscription.id,
        (subscription) => subscription,
      );
    },
    async holding(msisdn) {
      return (await control.read.subscription.findUnique({ where: { liveMsisdn: msisdn } })) ?? undefined;
    },
  };
}
