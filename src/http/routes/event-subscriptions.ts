import { describeEventSubscription, type EventSubscription, type Events } from '../../events/index.js';
import { etagOf, requireIfMatch } from '../etag.js';
import type { Answer, PartnerRoutes } from '../route.js';

/** The body of a POST, as the contract has checked it. */
interface EventSubscriptionRequest {
  sink: string;
  types: string[];
  scheme?: 'v1' | 'v1a';
  description?: string;
}

/** `/v1/event-subscriptions`: where a partner's events are posted. */
export function createEventSubscriptionRoutes({ events }: { events: Events }): PartnerRoutes {
  const { subscriptions } = events;
  return {
    createEventSubscription: {
      // The answer shows the secret, once to the caller and never in clear to the disk.
      sealedReplay: true,
      prepare: ({ body }) => subscriptions.checkSink((body as EventSubscriptionRequest).sink),
      async act({ caller, body }, tx) {
        const { made, verification } = await subscriptions.create(tx, caller, body as EventSubscriptionRequest);
        const seen = describeEventSubscription(made);
        const headers = { ETag: etagOf(seen), Location: `/v1/event-subscriptions/${made.id}` };
        return { status: 201, headers, body: { ...seen, ...verification } };
      },
    },
    listEventSubscriptions: {
      async handle({ caller, query }) {
        const after = query['after'] === undefined ? undefined : String(query['after']);
        const limit = query['limit'] === undefined ? undefined : Number(query['limit']);
        const page = await subscriptions.list(caller, { after, limit });
        return { status: 200, body: { ...page, items: page.items.map(describeEventSubscription) } };
      },
    },
    getEventSubscription: {
      handle: async ({ caller, params }) => answer(await subscriptions.get(caller, params['eventSubscriptionId'] ?? '')),
    },
    deleteEventSubscription: {
      async handle(request) {
        const { caller, params } = request;
        const current = await subscriptions.get(caller, params['eventSubscriptionId'] ?? '');
        requireIfMatch(request, describeEventSubscription(current));
        await subscriptions.remove(caller, current.id);
        return { status: 204 };
      },
    },
  };
}

function answer(subscription: EventSubscription): Answer {
  const body = describeEventSubscription(subscription);
  return { status: 200, headers: { ETag: etagOf(body) }, body };
}
