import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/kernel/clock.js';
import { openPostgresStore, openSqliteStore, type Store } from '../../src/store/index.js';
import { createTestDatabase, testDatabaseUrl } from './database.js';

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
  const database = await createTestDatabase(serverUrl);
  const store = await openPostgresStore(database.url, systemClock, () => undefined);
  return {
    ...store,
    async close() {
      await store.close();
      await database.drop();
    },
  };
}
