import type { Events } from '../../events/index.js';
import type { PartnerRoutes } from '../route.js';

/** `/v1/events`: how a partner catches up after an outage of its own. */
export function createEventRoutes({ events }: { events: Events }): PartnerRoutes {
  return {
    listEvents: {
      async handle({ caller, query }) {
        const after = query['after'] === undefined ? undefined : String(query['after']);
        const limit = query['limit'] === undefined ? undefined : Number(query['limit']);
        return { status: 200, body: await events.list(caller.partnerId, { after, limit, markets: caller.markets }) };
      },
    },
  };
}
