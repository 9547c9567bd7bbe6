import { createHash, randomBytes } from 'node:crypto';
import pg from 'pg';
import { postgresMigrations } from '../../src/store/index.js';
import { migratePostgres } from '../../src/store/postgresql/migrate.js';

/** The server that the suite runs on, when it is not SQLite: `CAUSEWAY_TEST_DATABASE_URL=postgresql://… npm test`. */
export const testDatabaseUrl = process.env['CAUSEWAY_TEST_DATABASE_URL'];

export interface TestDatabase {
  readonly url: string;
  /** Ends whatever connections it has. */
  drop(): Promise<void>;
}

/** First keys of the advisory locks that show that somebody lives who uses such a database; the second is in its name. */
const LOCKS = { test: 7_264_021, template: 7_264_022 } as const;

/** How many this process has made, for their names. */
let made = 0;
let servers: Map<string, Promise<Server>> | undefined;

/**
 * A database of its own: a copy of a template that is migrated once for as long as the migrations stay the same, or an
 * empty one. A process that is killed leaves its databases behind; the next that makes one drops them.
 */
export async function createTestDatabase(serverUrl: string, as: 'migrated' | 'empty' = 'migrated'): Promise<TestDatabase> {
  servers ??= new Map();
  const opening = servers.get(serverUrl) ?? openServer(serverUrl);
  servers.set(serverUrl, opening);
  const { sql, key, template } = await opening;
  const name = `causeway_test_${key}_${++made}`;
  await sql(`CREATE DATABASE ${name} TEMPLATE ${as === 'empty' ? 'template0' : template}`);
  return { url: urlOf(serverUrl, name), drop: async () => void (await sql(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)) };
}

interface Server {
  sql(text: string): Promise<Record<string, unknown>[]>;
  /** Eight hexadecimal digits, this process's own; it holds their lock for as long as it lives. */
  key: string;
  template: string;
}

async function openServer(url: string): Promise<Server> {
  // One session, which holds the locks until the process ends and does not keep it from ending.
  const session = new pg.Pool({ connectionString: url, max: 1, idleTimeoutMillis: 0, allowExitOnIdle: true });
  const server = {
    sql: async (text: string) => (await session.query<Record<string, unknown>>(text)).rows,
    key: randomBytes(4).toString('hex'),
  };
  await server.sql(`SELECT pg_advisory_lock(${LOCKS.test}, ${lockKey(server.key)})`);
  const template = await useTemplate(url, server.sql);
  await dropLeftovers(server.sql);
  return { ...server, template };
}

/** The name of the template of these migrations, which nobody drops while this connection is open. */
async function useTemplate(url: string, sql: Server['sql']): Promise<string> {
  const migrations = postgresMigrations();
  const key = createHash('sha256')
    .update(migrations.map(({ name, checksum }) => `${name} ${checksum}\n`).join(''))
    .digest('hex')
    .slice(0, 8);
  const name = `causeway_template_${key}`;
  const lock = `${LOCKS.template}, ${lockKey(key)}`;
  for (;;) {
    await sql(`SELECT pg_advisory_lock_shared(${lock})`);
    if (await isThere(name, sql)) return name;
    await sql(`SELECT pg_advisory_unlock_shared(${lock})`);
    await sql(`SELECT pg_advisory_lock(${lock})`);
    if (!(await isThere(name, sql))) {
      // It gets its name when it is complete.
      await sql(`DROP DATABASE IF EXISTS ${name}_unfinished WITH (FORCE)`);
      await sql(`CREATE DATABASE ${name}_unfinished`);
      const client = new pg.Client({ connectionString: urlOf(url, `${name}_unfinished`) });
      await client.connect();
      await migratePostgres(client, migrations);
      await client.end();
      await sql(`ALTER DATABASE ${name}_unfinished RENAME TO ${name}`);
    }
    await sql(`SELECT pg_advisory_unlock(${lock})`);
  }
}

/** Databases that nobody uses who lives: those of killed runs, and templates of other migrations. */
async function dropLeftovers(sql: Server['sql']): Promise<void> {
  const names = await sql(`SELECT datname AS name FROM pg_database WHERE datname ~ '^causeway_(test|template)_[0-9a-f]{8}(_|$)'`);
  for (const name of names.map((row) => String(row['name']))) {
    const [, kind, key] = name.split('_');
    if ((kind !== 'test' && kind !== 'template') || key === undefined) continue;
    const lock = `${LOCKS[kind]}, ${lockKey(key)}`;
    const [got] = await sql(`SELECT NOT EXISTS (${held(LOCKS[kind], key)}) AND pg_try_advisory_lock(${lock}) AS free`);
    if (got?.['free'] !== true) continue;
    await sql(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await sql(`SELECT pg_advisory_unlock(${lock})`);
  }
}

/** A session may take its own locks again, so that asking for them says nothing. */
const held = (lock: number, key: string): string =>
  `SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND classid = ${lock} AND objid = ${Number.parseInt(key, 16)}`;

/** The lock's second key is a signed integer. */
const lockKey = (key: string): number => Number.parseInt(key, 16) | 0;

const isThere = async (name: string, sql: Server['sql']): Promise<boolean> =>
  (await sql(`SELECT FROM pg_database WHERE datname = '${name}'`)).length > 0;

function urlOf(server: string, database: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
}
