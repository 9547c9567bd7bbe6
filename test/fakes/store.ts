import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore, type Store } from '../../src/store/index.js';

/** A migrated store in a folder of its own, which goes away when it is closed. */
export async function openTestStore(): Promise<Store & { folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-'));
  const store = await openSqliteStore(folder);
  return {
    ...store,
    folder,
    async close() {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
