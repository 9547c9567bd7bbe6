import { toRfc3339 } from '../../kernel/clock.js';
import { invalidField } from '../../kernel/errors.js';
import { type Provisioning, type SimBatchResult, type SimRow, showSim } from '../../provisioning/index.js';
import { filters, pageRequest } from '../list-query.js';
import type { PartnerRoutes } from '../route.js';

export function createSimRoutes({ sims }: Pick<Provisioning, 'sims'>): PartnerRoutes {
  return {
    createSimBatch: {
      async act({ caller, correlator, body }, tx) {
        const batch = body as { market: string; externalId?: string; sims: SimRow[] };
        return { status: 201, body: showBatch(await sims.register(tx, { ...caller, correlator }, batch)) };
      },
    },
    listSims: {
      async handle({ caller, query }) {
        const page = await sims.list(caller, pageRequest(query), filters(query, 'state'));
        return { status: 200, body: { ...page, items: page.items.map(showSim) } };
      },
    },
    getSim: {
      async handle({ caller, params }) {
        return { status: 200, body: showSim(await sims.get(caller, String(params['simId']))) };
      },
    },
    searchSims: {
      async handle({ caller, body }) {
        const found = await sims.find(caller, exactlyOne(body));
        return { status: 200, body: { items: found.map(showSim), hasMore: false, nextCursor: null } };
      },
    },
  };
}

/** A search names one identifier; the contract says so in numbers of members, and this says which. */
export function exactlyOne(body: unknown): { msisdn?: string; iccid?: string; imsi?: string } {
  const given = body as { msisdn?: string; iccid?: string; imsi?: string };
  if (Object.keys(given).length !== 1) throw invalidField('', 'name exactly one of msisdn, iccid and imsi');
  return given;
}

const showBatch = (batch: SimBatchResult) => ({ ...batch, createdAt: toRfc3339(batch.createdAt.getTime()) });
