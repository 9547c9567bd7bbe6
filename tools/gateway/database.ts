import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** A database of PostgreSQL that nobody else uses. */
export interface Database {
  readonly url: string;
  sql(text: string): Promise<Record<string, unknown>[]>;
  /** Ends every connection to it, as a restart of the server would. @returns how many there were. */
  cutConnections(): Promise<number>;
  drop(): Promise<void>;
}

/** @param serverUrl of any database of the server, with the right to create others. */
export async function createDatabase(serverUrl: string): Promise<Database> {
  const name = `causeway_run_${randomBytes(6).toString('hex')}`;
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  await onDatabase(serverUrl, `CREATE DATABASE ${name}`);
  return {
    url: url.href,
    sql: (text) => onDatabase(url.href, text),
    async cutConnections() {
      const cut = await onDatabase(serverUrl, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`);
      return cut.length;
    },
    drop: async () => void (await onDatabase(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  };
}

async function onDatabase(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
