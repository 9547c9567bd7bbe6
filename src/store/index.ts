import { join } from 'node:path';
import Database from 'better-sqlite3';
import { type Closable, ClosingStack } from '../kernel/closing-stack.js';
import { makeFolder } from '../kernel/make-folder.js';
import type { ControlStore } from './control.js';
import type { MessageStore } from './messages.js';
import { migrateSqlite, readMigrations } from './migrations.js';
import { prismaFolder } from './prisma-folder.js';
import { openSqliteControl } from './sqlite/control-sqlite.js';
import { lockFolder } from './sqlite/folder-lock.js';
import { openSqliteMessages } from './sqlite/messages-sqlite.js';
import { setPragmas } from './sqlite/pragmas.js';
import { refuseUnfinishedRestore } from './sqlite/restore.js';

export type { AfterCommit, ControlReader, ControlStore, ControlTransaction } from './control.js';
export { checkDisk } from './disk.js';
export { inList } from './in-list.js';
export type { MessageStore, Parameter } from './messages.js';
export { pendingMigrations } from './migrations.js';
export { defineOperation, type Operation, type Row, type StatementRows, settleNothing } from './operation.js';
export { openPostgresStore, postgresMigrations } from './postgresql/index.js';
export { type Manifest, makeBackup, readManifest, verifyBackup } from './sqlite/backup.js';
export { lockFolder } from './sqlite/folder-lock.js';
export { restoreBackup } from './sqlite/restore.js';

/** Where everything durable is. */
export interface Store extends Closable {
  readonly control: ControlStore;
  readonly messages: MessageStore;
  /**
   * Makes sure that what was deleted is nowhere on the disk any more: SQLite's write-ahead logs still hold earlier pages
   * until they are cut. PostgreSQL does so by itself, and keeps what its vacuum has not reached yet.
   */
  checkpoint(): Promise<void>;
  /** What it stands on, by the name that whoever runs it knows; each check rejects while that cannot be used. */
  readonly parts: readonly { name: string; check(): Promise<void> }[];
  close(): Promise<void>;
}

export const sqliteMigrations = {
  control: () => readMigrations(join(prismaFolder, 'sqlite', 'migrations')),
  messages: () => readMigrations(join(prismaFolder, 'sqlite', 'messages', 'migrations')),
};

/**
 * Opens the embedded store in `dataFolder` (created when absent): takes the folder's lock, migrates both files and
 * starts their writers.
 *
 * @param onProgress told each migration that was applied.
 * @throws GatewayError `STORE.LOCKED`, `STORE.NEWER_SCHEMA` or `STORE.MIGRATION_CHANGED`.
 */
export async function openSqliteStore(dataFolder: string, onProgress: (step: string) => void = () => {}): Promise<Store> {
  makeFolder(dataFolder);
  const opened = new ClosingStack();
  try {
    opened.push(lockFolder(dataFolder));
    refuseUnfinishedRestore(dataFolder);
    const control = join(dataFolder, 'gateway.db');
    const messages = join(dataFolder, 'messages.db');
    for (const [file, migrations] of [
      [control, sqliteMigrations.control()],
      [messages, sqliteMigrations.messages()],
    ] as const) {
      const database = new Database(file);
      setPragmas(database);
      for (const name of migrateSqlite(database, migrations)) onProgress(`migrated: ${name}`);
      database.close();
    }
    const controlStore = opened.push(await openSqliteControl(control));
    const messageStore = opened.push(await openSqliteMessages(messages));
    return {
      control: controlStore,
      messages: messageStore,
      async checkpoint() {
        await Promise.all([controlStore.checkpoint(), messageStore.checkpoint()]);
      },
      parts: [
        { name: 'gateway.db', check: async () => void (await controlStore.read.outboxItem.findFirst()) },
        { name: 'messages.db', check: async () => void (await messageStore.read('SELECT 1 AS ok')) },
      ],
      close: () => opened.closeAll(),
    };
  } catch (failure) {
    await opened.closeAll();
    throw failure;
  }
}
