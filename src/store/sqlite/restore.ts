import { chmodSync, copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayError } from '../../kernel/errors.js';
import { makeFolder } from '../../kernel/make-folder.js';
import { DATABASES, type Manifest, syncFile, syncFolder, verifyBackup, writeDurably } from './backup.js';
import { lockFolder } from './folder-lock.js';

/** Stands in the data folder from the first change to the last: half of a restore never serves. */
const UNFINISHED = 'restore-unfinished';

/** @throws GatewayError `STORE.RESTORE_UNFINISHED` when a restore died half-way. */
export function refuseUnfinishedRestore(dataFolder: string): void {
  if (!existsSync(join(dataFolder, UNFINISHED))) return;
  throw new GatewayError('STORE.RESTORE_UNFINISHED', {
    detail: `A restore into ${dataFolder} was interrupted.`,
    hint: 'Run it again: npm run causeway -- restore <folder> --force',
  });
}

/**
 * Puts a backup in the place of a data folder's databases, after every byte of it was verified. What was there is moved
 * to `<dataFolder>/replaced-<time>`, never deleted.
 *
 * @returns what was restored, and where the earlier databases are now (undefined when there were none).
 * @throws GatewayError `STORE.LOCKED` while a gateway runs, `STORE.BACKUP_DAMAGED`, and `CONFIG.INVALID` when there are
 *   databases and `force` is not given.
 */
export async function restoreBackup(
  backup: string,
  dataFolder: string,
  { force, now }: { force: boolean; now: number },
): Promise<{ manifest: Manifest; replaced: string | undefined }> {
  makeFolder(dataFolder);
  const lock = lockFolder(dataFolder);
  try {
    const present = DATABASES.some((name) => existsSync(join(dataFolder, name)));
    if (present && !force) {
      throw new GatewayError('CONFIG.INVALID', {
        detail: `There are databases in ${dataFolder} already.`,
        hint: 'Add --force to move them aside, or set CAUSEWAY_DATA_DIR to another folder.',
      });
    }
    const manifest = await verifyBackup(backup);
    for (const name of DATABASES) copyDurably(join(backup, name), join(dataFolder, `${name}.restoring`));
    syncFolder(dataFolder);

    writeDurably(join(dataFolder, UNFINISHED), `${backup}\n`);
    syncFolder(dataFolder);
    const replaced = present ? join(dataFolder, `replaced-${now}`) : undefined;
    if (replaced !== undefined) moveAside(dataFolder, replaced);
    for (const name of DATABASES) renameSync(join(dataFolder, `${name}.restoring`), join(dataFolder, name));
    syncFolder(dataFolder);
    rmSync(join(dataFolder, UNFINISHED));
    syncFolder(dataFolder);
    return { manifest, replaced };
  } finally {
    void lock.close();
  }
}

/** With its log: a log that is left behind would be taken for the next file's. */
function moveAside(dataFolder: string, folder: string): void {
  makeFolder(folder);
  for (const name of DATABASES) {
    for (const part of [name, `${name}-wal`, `${name}-shm`]) {
      if (existsSync(join(dataFolder, part))) renameSync(join(dataFolder, part), join(folder, part));
    }
  }
  syncFolder(folder);
  syncFolder(dataFolder);
}

function copyDurably(from: string, to: string): void {
  copyFileSync(from, to);
  chmodSync(to, 0o600);
  syncFile(to);
}
