import type { Events } from '../../events/index.js';
import { toRfc3339 } from '../../kernel/clock.js';
import { type Provisioning, type SubscriptionEntitlements, showSubscription } from '../../provisioning/index.js';
import type { Subscription } from '../../store/models.js';
import { pageRequest } from '../list-query.js';
import type { PartnerRoutes } from '../route.js';
import { exactlyOne } from './sims.js';

export interface SubscriptionRouteOptions extends Pick<Provisioning, 'subscriptions'> {
  entitlements: Pick<SubscriptionEntitlements, 'show'>;
  events: Pick<Events, 'timeline'>;
}

export function createSubscriptionRoutes({ subscriptions, entitlements, events }: SubscriptionRouteOptions): PartnerRoutes {
  async function show(found: readonly Subscription[]) {
    const granted = await entitlements.show(found.map((subscription) => subscription.id));
    return found.map((subscription) => showSubscription(subscription, granted.get(subscription.id) ?? []));
  }
  return {
    getSubscription: {
      async handle({ caller, params }) {
        const [body] = await show([await subscriptions.get(caller, String(params['subscriptionId']))]);
        return { status: 200, body };
      },
    },
    searchSubscriptions: {
      async handle({ caller, query, body }) {
        const page = await subscriptions.find(caller, pageRequest(query), exactlyOne(body));
        return { status: 200, body: { ...page, items: await show(page.items) } };
      },
    },
    listTimeline: {
      async handle({ caller, params, query }) {
        const { id } = await subscriptions.get(caller, String(params['subscriptionId']));
        const after = query['after'] === undefined ? undefined : String(query['after']);
        const page = await events.timeline(caller.partnerId, id, { after, limit: Number(query['limit'] ?? 50) });
        return { status: 200, body: { ...page, items: page.items.map((item) => ({ ...item, at: toRfc3339(item.at) })) } };
      },
    },
  };
}
