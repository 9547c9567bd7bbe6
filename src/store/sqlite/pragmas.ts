import type Database from 'better-sqlite3';

/**
 * What every connection of ours runs with: a commit is on the disk before it is answered, and what is deleted is
 * overwritten (SQLite leaves deleted text in freed pages otherwise).
 */
export const PRAGMAS = ['journal_mode=WAL', 'synchronous=FULL', 'foreign_keys=ON', 'busy_timeout=5000', 'secure_delete=ON'] as const;

/** Copies the write-ahead log into the file and cuts it to nothing: what was deleted or overwritten is then in neither. */
export const CHECKPOINT = 'wal_checkpoint(TRUNCATE)';

/** Around a checkpoint: it waits for nobody, since a backup may read for long. */
export const WAIT = { forNobody: 'busy_timeout=0', asUsual: 'busy_timeout=5000' } as const;

export function setPragmas(database: Database.Database): void {
  for (const pragma of PRAGMAS) database.pragma(pragma);
}
