import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { z } from 'zod';
import { toRfc3339 } from '../../kernel/clock.js';
import { GatewayError } from '../../kernel/errors.js';
import { makeFolder } from '../../kernel/make-folder.js';

/** The databases of a data folder. Keys lie elsewhere and are in no backup. */
export const DATABASES = ['gateway.db', 'messages.db'] as const;
const MANIFEST = 'manifest.json';

const manifestSchema = z.strictObject({
  version: z.literal(1),
  createdAt: z.string(),
  files: z
    .array(
      z.strictObject({
        name: z.enum(DATABASES),
        bytes: z.int(),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
        /** In the order in which they were applied. */
        migrations: z.array(z.string()),
      }),
    )
    .length(DATABASES.length),
});

/** What a backup holds; written last, so that a folder without one is no backup. */
export type Manifest = z.infer<typeof manifestSchema>;

/**
 * Copies both databases of a data folder, while a gateway works on them or not, as they were at one moment: everything
 * that was answered before the call is in it. The copies are checked and on the disk when this returns.
 *
 * @param target made when absent; it must be empty.
 * @throws GatewayError `CONFIG.INVALID` when there is nothing to copy or the target is not empty, `STORE.BACKUP_DAMAGED`
 *   when a copy fails SQLite's integrity check.
 */
export async function makeBackup(dataFolder: string, target: string, now: number): Promise<Manifest> {
  for (const name of DATABASES) {
    if (!existsSync(join(dataFolder, name))) {
      throw new GatewayError('CONFIG.INVALID', {
        detail: `There is no ${name} in ${dataFolder}.`,
        hint: 'Set CAUSEWAY_DATA_DIR to the folder that the gateway uses.',
      });
    }
  }
  makeFolder(target);
  if (readdirSync(target).length > 0) {
    throw new GatewayError('CONFIG.INVALID', {
      detail: `The folder ${target} is not empty.`,
      hint: 'Give each backup a folder of its own.',
    });
  }
  const sources = DATABASES.map((name) => ({
    name,
    database: new Database(join(dataFolder, name), { fileMustExist: true, timeout: 5_000 }),
  }));
  try {
    for (const { database } of sources) database.pragma('query_only=ON');
    holdOneMoment(sources.map(({ database }) => database));
    for (const { name, database } of sources) await database.backup(join(target, name), { progress: () => 1_000 });
  } finally {
    for (const { database } of sources) database.close();
  }
  const files = [];
  for (const name of DATABASES) files.push(await finish(target, name));
  const manifest: Manifest = { version: 1, createdAt: toRfc3339(now), files };
  writeDurably(join(target, `${MANIFEST}.new`), `${JSON.stringify(manifest, null, 2)}\n`);
  renameSync(join(target, `${MANIFEST}.new`), join(target, MANIFEST));
  syncFolder(target);
  return manifest;
}

const TRIES_MAX = 1_000;

/**
 * Begins a read transaction on each file, with no commit of the last file's writer in between: what one file has handed
 * to the other is then in exactly one of the copies' outboxes or arrived.
 */
function holdOneMoment(databases: readonly Database.Database[]): void {
  const last = databases.at(-1);
  for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
    const before = last?.pragma('data_version', { simple: true });
    for (const database of databases) {
      database.exec('BEGIN');
      database.prepare('SELECT COUNT(*) FROM sqlite_schema').get();
    }
    if (last?.pragma('data_version', { simple: true }) === before) return;
    for (const database of databases) database.exec('ROLLBACK');
  }
  throw new GatewayError('UNAVAILABLE', { detail: 'The databases are never still for long enough.', hint: 'Try again in a moment.' });
}

async function finish(folder: string, name: Manifest['files'][number]['name']): Promise<Manifest['files'][number]> {
  const file = join(folder, name);
  chmodSync(file, 0o600);
  const database = new Database(file);
  let migrations: string[];
  try {
    // One whole file, that reading does not change.
    database.pragma('journal_mode=DELETE');
    checkIntegrity(database, name);
    migrations = appliedMigrations(database);
  } finally {
    database.close();
  }
  syncFile(file);
  return { name, bytes: statSync(file).size, sha256: await sha256Of(file), migrations };
}

function checkIntegrity(database: Database.Database, name: string): void {
  if (database.pragma('integrity_check', { simple: true }) === 'ok') return;
  throw damaged(`${name} fails SQLite's integrity check.`);
}

const appliedMigrations = (database: Database.Database): string[] =>
  (
    database.prepare('SELECT migration_name AS name FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY name').all() as {
      name: string;
    }[]
  ).map(({ name }) => name);

/** @throws GatewayError `STORE.BACKUP_DAMAGED` when the folder has no manifest, or one that is not ours. */
export function readManifest(folder: string): Manifest {
  let text: string;
  try {
    text = readFileSync(join(folder, MANIFEST), 'utf8');
  } catch (cause) {
    throw damaged(`${folder} has no ${MANIFEST}: it is no backup, or one that was not finished.`, cause);
  }
  const parsed = manifestSchema.safeParse(parseJson(text));
  if (!parsed.success) throw damaged(`The ${MANIFEST} in ${folder} is not one that this program reads.`);
  return parsed.data;
}

/**
 * Reads every byte of a backup: sizes and checksums as the manifest says, and SQLite's own integrity check.
 *
 * @throws GatewayError `STORE.BACKUP_DAMAGED`.
 */
export async function verifyBackup(folder: string): Promise<Manifest> {
  const manifest = readManifest(folder);
  for (const { name, bytes, sha256 } of manifest.files) {
    const file = join(folder, name);
    const size = statSync(file, { throwIfNoEntry: false })?.size;
    if (size === undefined) throw damaged(`${name} is not in ${folder}.`);
    if (size !== bytes || (await sha256Of(file)) !== sha256) throw damaged(`${name} is not the file that the manifest describes.`);
    const database = new Database(file, { readonly: true });
    try {
      checkIntegrity(database, name);
    } finally {
      database.close();
    }
  }
  return manifest;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const damaged = (detail: string, cause?: unknown): GatewayError =>
  new GatewayError('STORE.BACKUP_DAMAGED', { detail, hint: 'Take another backup.', ...(cause === undefined ? {} : { cause }) });

export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

export function syncFile(file: string): void {
  const handle = openSync(file, 'r+');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

export function writeDurably(file: string, text: string): void {
  const handle = openSync(file, 'w', 0o600);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
