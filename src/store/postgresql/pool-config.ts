import type { PoolConfig } from 'pg';

/**
 * How every pool of ours connects. A server that does not answer is an error within seconds, and the server forgets a
 * client that died in the middle of a transaction, so that its locks do not outlive it.
 *
 * @param max connections of this pool.
 */
export const poolConfig = (url: string, max: number): PoolConfig => ({
  connectionString: url,
  max,
  application_name: 'causeway',
  connectionTimeoutMillis: 3_000,
  keepAlive: true,
  query_timeout: 30_000,
  statement_timeout: 25_000,
  idle_in_transaction_session_timeout: 20_000,
});
