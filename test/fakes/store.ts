import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/kernel/clock.js';
import { openPostgresStore, openSqliteStore, type Store } from '../../src/store/index.js';
import { dumpDatabase } from '../../tools/gateway/dump-database.js';
import { createTestDatabase, testDatabaseUrl } from './database.js';

export interface TestStore extends Store {
  /** For whatever else the test keeps. */
  readonly folder: string;
  /** All that it has written: its files, or each table of its PostgreSQL database, by name. */
  written(): Promise<Map<string, Buffer>>;
}

/**
 * A migrated store of its own, which goes away when it is closed.
 *
 * @param serverUrl a PostgreSQL server, for what is only so there; without it the database that the suite runs on.
 */
export async function openTestStore(serverUrl: string | undefined = testDatabaseUrl): Promise<TestStore> {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-'));
  const store = serverUrl ? await openPostgresTestStore(serverUrl) : await openSqliteTestStore(folder);
  return {
    ...store,
    folder,
    async close() {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const openSqliteTestStore = async (folder: string): Promise<Omit<TestStore, 'folder'>> => ({
  ...(await openSqliteStore(folder)),
  written: async () => new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))])),
});

async function openPostgresTestStore(serverUrl: string): Promise<Omit<TestStore, 'folder'>> {
  const database = await createTestDatabase(serverUrl);
  const store = await openPostgresStore(database.url, systemClock, () => undefined);
  return {
    ...store,
    written: () => dumpDatabase(database.url),
    async close() {
      await store.close();
      await database.drop();
    },
  };
}
