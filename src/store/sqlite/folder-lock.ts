import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Closable } from '../../kernel/closing-stack.js';
import { GatewayError } from '../../kernel/errors.js';

/**
 * Holds a data folder for one process. The lock is the operating system's lock on a small SQLite file, so `kill -9`
 * releases it and nothing stale is left to clean up.
 *
 * @throws GatewayError `STORE.LOCKED` when another process holds it.
 */
export function lockFolder(folder: string): Closable {
  const lock = new Database(join(folder, 'lock.db'), { timeout: 0 });
  try {
    lock.pragma('locking_mode=EXCLUSIVE');
    lock.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    throw new GatewayError('STORE.LOCKED', {
      detail: `Another process uses the data folder ${folder}.`,
      hint: 'Stop that process, or give this one a folder of its own with CAUSEWAY_DATA_DIR.',
      cause,
    });
  }
  return { close: () => void lock.close() };
}
