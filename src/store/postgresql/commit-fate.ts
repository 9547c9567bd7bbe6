import { type Clock, sleep } from '../../kernel/clock.js';
import { backoffMs } from '../../kernel/retry.js';
import { isAway, OUTCOME_UNKNOWN } from '../database-failure.js';

/** A transaction whose client is gone may stand idle for a while before the server notices; this ends it. */
const END_TRANSACTION = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_xid = ($1::xid8)::xid';
const ASK_MS_MAX = 10_000;
/** A server that took over and never heard of the transaction. */
const NEVER_HEARD_OF = '22023';

/**
 * What became of a transaction whose connection was lost while it was being committed: the server remembers.
 *
 * @param xid from `pg_current_xact_id()`, as text.
 * @param query on another connection.
 * @throws Error with the code `OUTCOME_UNKNOWN` when the server does not come back within ten seconds.
 */
export async function wasCommitted(
  xid: string,
  query: (sql: string, parameter: string) => Promise<Record<string, unknown>[]>,
  clock: Clock,
): Promise<boolean> {
  const began = clock.monotonicMs();
  for (let tries = 1; ; tries++) {
    try {
      const [row] = await query('SELECT pg_xact_status($1::xid8) AS status', xid);
      if (row?.['status'] !== 'in progress') return row?.['status'] === 'committed';
      await query(END_TRANSACTION, xid);
    } catch (failure) {
      if ((failure as { code?: string }).code === NEVER_HEARD_OF) return false;
      if (!isAway(failure)) throw failure;
    }
    if (clock.monotonicMs() - began > ASK_MS_MAX) {
      throw Object.assign(new Error('the server does not say whether a transaction was committed'), { code: OUTCOME_UNKNOWN });
    }
    await sleep(clock, backoffMs({ firstMs: 20, maxMs: 1_000 }, tries));
  }
}
