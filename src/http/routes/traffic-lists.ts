import type { TrafficListFormat, TrafficLists } from '../../zero-rating/index.js';
import { pageRequest } from '../list-query.js';
import type { PartnerRoutes } from '../route.js';

const MEDIA_TYPES: Record<TrafficListFormat, string> = {
  pfd: 'application/json',
  cidr: 'text/plain; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
};

export function createTrafficListRoutes({ trafficLists }: { trafficLists: TrafficLists }): PartnerRoutes {
  return {
    listTrafficLists: {
      async handle({ caller, query }) {
        return { status: 200, body: await trafficLists.list(caller.partnerId, pageRequest(query)) };
      },
    },
    getTrafficList: {
      async handle({ caller, params }) {
        return { status: 200, body: await trafficLists.get(caller.partnerId, String(params['trafficClass'])) };
      },
    },
    exportTrafficList: {
      async handle({ caller, params, query }) {
        const format = query['format'] as TrafficListFormat;
        const body = await trafficLists.export(caller.partnerId, String(params['trafficClass']), format);
        return { status: 200, body, headers: { 'content-type': MEDIA_TYPES[format] } };
      },
    },
    acknowledgeTrafficList: {
      async act({ caller, correlator, params, body }, tx) {
        const { deployedAt, ...facts } = body as { version: number; deployedAt: string; note?: string };
        const acknowledgement = { ...facts, deployedAt: new Date(deployedAt) };
        const actor = { partnerId: caller.partnerId, correlator };
        return { status: 201, body: await trafficLists.acknowledge(tx, actor, String(params['trafficClass']), acknowledgement) };
      },
    },
  };
}
