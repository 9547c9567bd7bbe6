import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigurationError, readOptions } from '../config/index.js';
import { readMasterKey, signingKeyPurpose } from '../identity/index.js';
import { GatewayError } from '../kernel/errors.js';
import { makeBackup, openSqliteStore, restoreBackup, type Store, verifyBackup } from '../store/index.js';
import type { CommandContext } from './command-context.js';

/** What a drill counts, so that a person sees that it is their data. */
const COUNTED: readonly [name: string, count: (store: Store) => Promise<number>][] = [
  ['orders', ({ control }) => control.read.order.count()],
  ['subscriptions', ({ control }) => control.read.subscription.count()],
  ['events', ({ control }) => control.read.event.count()],
  ['accounts', ({ messages }) => rows(messages, 'engine_account')],
  ['messages that wait', ({ messages }) => rows(messages, 'engine_envelope')],
  ['SMS', ({ messages }) => rows(messages, 'sms_message')],
];

async function rows(messages: Store['messages'], table: string): Promise<number> {
  const [row] = await messages.read<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`);
  return Number(row?.n ?? 0);
}

/** The folders of the process's options. @throws ConfigurationError when these are not valid, or the data are not in SQLite files. */
function sqliteFolders({ env }: CommandContext, doWhat: string): { dataDir: string; keysDir: string } {
  const { options, problems } = readOptions(env);
  const { CAUSEWAY_DATA_DIR: dataDir, CAUSEWAY_KEYS_DIR: keysDir } = options;
  if (dataDir === undefined || keysDir === undefined) throw new ConfigurationError(problems);
  if (options.CAUSEWAY_DATABASE_URL !== undefined) {
    throw new GatewayError('CONFIG.INVALID', {
      detail: `CAUSEWAY_DATABASE_URL is set: the data are in PostgreSQL, and its own tools ${doWhat} them.`,
      hint: 'docs/runbooks/restore.md has the commands: pg_dump --format=custom of the whole database (with _prisma_migrations), pg_restore into an empty one; the keys apart, as always.',
    });
  }
  return { dataDir, keysDir };
}

/**
 * `causeway backup <folder>`: copies both databases at one moment, while the gateway runs. The keys are not in it.
 *
 * @returns the exit code. @throws GatewayError; see `makeBackup`.
 */
export async function backup(context: CommandContext, folder: string): Promise<number> {
  const { dataDir, keysDir } = sqliteFolders(context, 'back up');
  const manifest = await makeBackup(dataDir, folder, context.now());
  for (const { name, bytes, sha256 } of manifest.files) context.write(`${name}  ${bytes} bytes  sha256 ${sha256}\n`);
  context.write(`ok: backup of ${manifest.createdAt} in ${folder}\n`);
  context.write(`The keys are not in it, and without them it cannot be read: keep ${keysDir} apart from it, and keep it too.\n`);
  return 0;
}

/**
 * `causeway restore <folder>`: verifies a backup and puts it in the place of the databases; with `check` it opens the
 * backup in a temporary folder instead, migrates the copy, tries the master key, and counts.
 *
 * @returns the exit code. @throws GatewayError; see `restoreBackup`.
 */
export async function restore(
  context: CommandContext,
  folder: string,
  { check, force }: { check: boolean; force: boolean },
): Promise<number> {
  const { dataDir, keysDir } = sqliteFolders(context, 'restore');
  if (check) return await drill(context, folder, keysDir);
  const { manifest, replaced } = await restoreBackup(folder, dataDir, { force, now: context.now() });
  if (replaced !== undefined) context.write(`what was there is in ${replaced}\n`);
  context.write(`ok: ${dataDir} is as it was at ${manifest.createdAt}\n`);
  context.write('Next: npm run causeway -- doctor, then start the gateway.\n');
  return 0;
}

async function drill(context: CommandContext, folder: string, keysDir: string): Promise<number> {
  const manifest = await verifyBackup(folder);
  const place = mkdtempSync(join(tmpdir(), 'causeway-drill-'));
  try {
    await restoreBackup(folder, place, { force: false, now: context.now() });
    const store = await openSqliteStore(place);
    try {
      for (const [name, count] of COUNTED) context.write(`${name}: ${await count(store)}\n`);
      const isOpened = await opensWith(store, keysDir);
      if (isOpened !== undefined) context.write(`master key in ${keysDir}: ${isOpened}\n`);
    } finally {
      await store.close();
    }
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
  context.write(`ok: the backup of ${manifest.createdAt} is whole and opens; nothing was changed\n`);
  return 0;
}

/** Whether the master key of these keys opens the data. @throws GatewayError `CONFIG.INVALID` when it does not. */
export async function opensWith(store: Pick<Store, 'control'>, keysDir: string): Promise<string | undefined> {
  if (!existsSync(join(keysDir, 'master.key'))) return 'not there, so it was not tried';
  const key = await store.control.read.signingKey.findFirst({ orderBy: { activeFrom: 'desc' } });
  if (key === null) return undefined;
  readMasterKey(keysDir).unwrap(key.wrappedKey, signingKeyPurpose(key.kid));
  return 'opens it';
}
