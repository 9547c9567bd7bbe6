import { toRfc3339 } from '../../kernel/clock.js';
import type { SmppListenerAccount } from '../../partners/index.js';
import type { MessageStore } from '../../store/index.js';
import type { FeedCounters } from './feed.js';
import type { PlaceView } from './places.js';

export type EsmeView = Awaited<ReturnType<typeof showAccount>>;

/**
 * An account at our listener as the API shows it (schema SmppAccount).
 *
 * @param counters of this node, since its start.
 */
export async function showAccount(
  store: Pick<MessageStore, 'read'>,
  { systemId, binds: bindsMax, segmentsPerSecondMax }: SmppListenerAccount,
  binds: readonly PlaceView[],
  counters: Readonly<FeedCounters & { throttled: number }>,
) {
  const rows = await store.read<{ kind: string; n: number; oldest: number }>(
    `SELECT kind, COUNT(*) AS n, MIN(heard_at) AS oldest FROM sms_esme_delivery WHERE system_id = $1 AND state = 'waiting' GROUP BY kind`,
    [systemId],
  );
  const countOf = (kind: string) => Number(rows.find((row) => row.kind === kind)?.n ?? 0);
  const oldest = Math.min(...rows.map((row) => Number(row.oldest)));
  return {
    systemId,
    binds: binds.map(({ boundAs, since }) => ({ type: boundAs, since: toRfc3339(since) })),
    bindsMax,
    segmentsPerSecondMax,
    ...counters,
    backlog: {
      receipts: countOf('receipt'),
      messages: countOf('message'),
      ...(rows.length > 0 && { oldestAt: toRfc3339(oldest) }),
    },
  };
}
