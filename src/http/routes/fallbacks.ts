import type { Fallback, Fallbacks } from '../../engine/index.js';
import { toRfc3339 } from '../../kernel/clock.js';
import { notFound } from '../../kernel/errors.js';
import { pageOf } from '../../kernel/page.js';
import type { SmsBridge } from '../../sms/index.js';
import { pageRequest } from '../list-query.js';
import type { PartnerRoutes } from '../route.js';

export interface FallbackRoutesOptions {
  fallbacks: Pick<Fallbacks, 'get' | 'list'>;
  sms: Pick<SmsBridge, 'holdReason' | 'whichExist'>;
}

/** Rows read at once while looking for one state, and how often. */
const SCAN_ROWS = 200;
const SCANS_MAX = 25;

export function createFallbackRoutes({ fallbacks, sms }: FallbackRoutesOptions): PartnerRoutes {
  /** A page's rows and one more, if there is one. */
  async function rowsOf(
    asked: { partnerId: string; markets: readonly string[] | undefined; after: string | undefined; limit: number },
    state: string | undefined,
  ): Promise<Fallback[]> {
    if (state === undefined) return fallbacks.list(asked);
    const found: Fallback[] = [];
    let after = asked.after;
    for (let scan = 0; scan < SCANS_MAX && found.length < asked.limit; scan++) {
      const rows = await fallbacks.list({ ...asked, after, limit: SCAN_ROWS });
      found.push(...rows.filter((row) => row.state === state));
      after = rows.at(-1)?.id;
      if (rows.length < SCAN_ROWS) break;
    }
    return found.slice(0, asked.limit);
  }

  /** The SMS of these fallbacks that can be read. */
  const smsOf = (rows: readonly Fallback[]) => sms.whichExist(rows.flatMap(({ smsId }) => smsId ?? []));

  const show = (fallback: Fallback, readable: ReadonlySet<string>) => {
    const reason = fallback.reason ?? sms.holdReason(fallback);
    return {
      id: fallback.id,
      mode: fallback.mode,
      class: fallback.class,
      state: fallback.state,
      market: fallback.market,
      ...(fallback.subscriptionId !== undefined && { subscriptionId: fallback.subscriptionId }),
      dueAt: toRfc3339(fallback.dueAt),
      ...(fallback.smsId !== undefined && readable.has(fallback.smsId) && { smsId: fallback.smsId }),
      ref: fallback.ref,
      ...(reason !== undefined && { reason }),
      createdAt: toRfc3339(fallback.armedAt),
      updatedAt: toRfc3339(fallback.updatedAt),
    };
  };

  return {
    listFallbacks: {
      async handle({ caller: { partnerId, markets }, query }) {
        const { after, limit } = pageRequest(query);
        const state = query['state'] === undefined ? undefined : String(query['state']);
        const rows = await rowsOf({ partnerId, markets, after, limit: limit + 1 }, state);
        const readable = await smsOf(rows);
        return {
          status: 200,
          body: pageOf(
            rows,
            limit,
            (row) => row.id,
            (row) => show(row, readable),
          ),
        };
      },
    },
    getFallback: {
      async handle({ caller: { partnerId, markets }, params }) {
        const fallback = await fallbacks.get(String(params['fallbackId']), partnerId);
        if (!fallback || (markets !== undefined && !markets.includes(fallback.market))) throw notFound('fallback');
        return { status: 200, body: show(fallback, await smsOf([fallback])) };
      },
    },
  };
}
