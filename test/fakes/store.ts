import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { systemClock } from '../../src/kernel/clock.js';
import { openPostgresStore, openSqliteStore, type Store } from '../../src/store/index.js';

/** The server that the suite runs on, when it is not SQLite: `CAUSEWAY_TEST_DATABASE_URL=postgresql://… npm test`. */
export const testDatabaseUrl = process.env['CAUSEWAY_TEST_DATABASE_URL'];

/** A migrated store of its own, which goes away when it is closed. `folder` is for whatever else the test keeps. */
export async function openTestStore(): Promise<Store & { folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-'));
  const store = testDatabaseUrl ? await openPostgresTestStore(testDatabaseUrl) : await openSqliteStore(folder);
  return {
    ...store,
    folder,
    async close() {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function openPostgresTestStore(serverUrl: string): Promise<Store> {
  const name = `causeway_test_${randomBytes(8).toString('hex')}`;
  await onServer(serverUrl, `CREATE DATABASE ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const store = await openPostgresStore(url.href, systemClock, () => undefined);
  return {
    ...store,
    async close() {
      await store.close();
      await onServer(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

async function onServer(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
