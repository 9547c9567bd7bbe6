import pg from 'pg';
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
 * @throws Error with the code `OUTCOME_UNKNOWN` when the server does not come back within ten seconds.
 */
export async function wasCommitted(xid: string, config: pg.ClientConfig, clock: Clock): Promise<boolean> {
  const began = clock.monotonicMs();
  for (let tries = 1; ; tries++) {
    const status = await ask(xid, config);
    if (status !== 'in progress' && status !== 'away') return status === 'committed';
    if (clock.monotonicMs() - began > ASK_MS_MAX) {
      throw Object.assign(new Error('the server does not say whether a transaction was committed'), { code: OUTCOME_UNKNOWN });
    }
    await sleep(clock, backoffMs({ firstMs: 20, maxMs: 1_000 }, tries));
  }
}

/** On a connection of its own: all others may be waiting for the same answer. */
async function ask(xid: string, config: pg.ClientConfig): Promise<string> {
  const client = new pg.Client(config);
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ status: string | null }>('SELECT pg_xact_status($1::xid8) AS status', [xid]);
    const status = rows[0]?.status ?? 'forgotten';
    if (status === 'in progress') await client.query(END_TRANSACTION, [xid]);
    return status;
  } catch (failure) {
    if ((failure as { code?: string }).code === NEVER_HEARD_OF) return 'never heard of';
    if (isAway(failure)) return 'away';
    throw failure;
  } finally {
    // Of one that is gone nobody waits for the goodbye.
    void client.end();
  }
}
