import pg from 'pg';
import type { Clock } from '../../kernel/clock.js';
import { isAway } from '../database-failure.js';
import { persevere } from './persevere.js';
import { wasCommitted } from './was-committed.js';

/**
 * How every connection of ours is made. A server that does not answer is an error within seconds, and the server forgets a
 * client that died in the middle of a transaction, so that its locks do not outlive it.
 */
const settings = (url: string, connectionsMax: number): pg.PoolConfig => ({
  connectionString: url,
  max: connectionsMax,
  application_name: 'causeway',
  connectionTimeoutMillis: 3_000,
  keepAlive: true,
  query_timeout: 30_000,
  statement_timeout: 25_000,
  idle_in_transaction_session_timeout: 20_000,
});

type Query = (...given: unknown[]) => Promise<unknown>;

/** Connections for reads, each of which is tried again while the server is away. */
export function openReaders(url: string, connectionsMax: number, clock: Clock, types?: pg.CustomTypesConfig): pg.Pool {
  const pool = new pg.Pool({ ...settings(url, connectionsMax), ...(types && { types }) });
  const query = pool.query.bind(pool) as unknown as Query;
  const retrying: Query = (...given) => persevere(clock, () => query(...given));
  return Object.assign(pool, { query: retrying });
}

/** What begins a transaction on a connection of `openWriters`, where the isolation is the database's own choice. */
export const BEGIN = 'BEGIN; SET TRANSACTION ISOLATION LEVEL READ COMMITTED';

/**
 * Connections for transactions. When the answer to a COMMIT is lost, the server is asked what became of it: the COMMIT
 * succeeds when it was done, and fails when it was not. A transaction is known from the statement that sets its isolation.
 */
export function openWriters(url: string, connectionsMax: number, clock: Clock, types?: pg.CustomTypesConfig): pg.Pool {
  const config = settings(url, connectionsMax);
  const pool = new pg.Pool({ ...config, ...(types && { types }) });
  pool.on('connect', (poolClient) => {
    const client = poolClient as pg.PoolClient & Pick<pg.Client, 'end'>;
    const query = client.query.bind(client) as unknown as Query;
    let xid = '';
    // Whoever uses it is told by his next statement; between two statements nobody listens.
    client.on('error', () => undefined);

    async function setIsolation(text: string): Promise<unknown> {
      const results = (await query(`${text}; SELECT pg_current_xact_id()::text AS xid`)) as [
        pg.QueryResult,
        pg.QueryResult<{ xid: string }>,
      ];
      xid = results.at(-1)?.rows[0]?.xid ?? '';
      return results[0];
    }

    async function sure(text: string, given: unknown[]): Promise<unknown> {
      try {
        return await (text.includes('SET TRANSACTION ISOLATION LEVEL') ? setIsolation(text) : query(...given));
      } catch (failure) {
        if (!isAway(failure)) throw failure;
        // One that does not answer is not given to the next.
        void client.end();
        if (text !== 'COMMIT' || !(await wasCommitted(xid, config, clock))) throw failure;
        return { command: 'COMMIT', rowCount: null, oid: 0, rows: [], fields: [] };
      }
    }

    const textOf = (config: unknown): string => (typeof config === 'string' ? config : ((config as { text?: string }).text ?? ''));
    Object.assign(client, {
      query: (...given: unknown[]) => (typeof given.at(-1) === 'function' ? query(...given) : sure(textOf(given[0]), given)),
    });
  });
  return pool;
}
