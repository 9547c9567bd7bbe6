import { join } from 'node:path';
import pg from 'pg';
import type { Clock } from '../../kernel/clock.js';
import { ClosingStack } from '../../kernel/closing-stack.js';
import { assert, GatewayError } from '../../kernel/errors.js';
import { asUnavailable } from '../database-failure.js';
import type { Store } from '../index.js';
import { readMigrations } from '../migrations.js';
import { prismaFolder } from '../prisma-folder.js';
import { openPostgresControl } from './control-postgresql.js';
import { openPostgresMessages } from './messages-postgresql.js';
import { migratePostgres } from './migrate.js';

export const postgresMigrations = () => readMigrations(join(prismaFolder, 'postgresql', 'migrations'));

/**
 * Opens the store in one PostgreSQL database, migrating it first. Any number of nodes may do so at once.
 *
 * @param onError told of connections that were lost.
 * @throws GatewayError `STORE.NEWER_SCHEMA` or `STORE.MIGRATION_CHANGED`, `CONFIG.INVALID` when the server cannot be used, and
 *   `UNAVAILABLE` when it goes away while it is being migrated: then all migrations are there or none.
 */
export async function openPostgresStore(
  url: string,
  clock: Clock,
  onError: (failure: Error) => void,
  onProgress: (step: string) => void = () => {},
): Promise<Store> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', onError);
  try {
    await client.connect();
  } catch (cause) {
    throw new GatewayError('CONFIG.INVALID', {
      detail: `The PostgreSQL server at ${new URL(url).host} cannot be used: ${reasonOf(cause)}.`,
      hint: 'Start it, or correct CAUSEWAY_DATABASE_URL; without that variable the data are in SQLite files in CAUSEWAY_DATA_DIR.',
      cause,
    });
  }
  try {
    for (const name of await migratePostgres(client, postgresMigrations())) onProgress(`migrated: ${name}`);
  } catch (failure) {
    throw asUnavailable(failure);
  } finally {
    await client.end();
  }
  const opened = new ClosingStack();
  const control = opened.push(openPostgresControl(url, clock, onError));
  const messages = opened.push(openPostgresMessages(url, clock, onError));
  /** A server that was failed over from, or has become a standby, still reads. */
  async function check(): Promise<void> {
    const [row] = await messages.read(`SELECT current_setting('transaction_read_only') AS "readOnly"`);
    assert(row?.['readOnly'] === 'off', 'the server takes writes');
    await control.read.outboxItem.findFirst();
  }
  return { control, messages, parts: [{ name: 'postgresql', check }], checkpoint: async () => undefined, close: () => opened.closeAll() };
}

/** The words of the driver or of the server; neither repeats a password. A host with several addresses fails with several. */
function reasonOf(failure: unknown): string {
  const first: unknown = failure instanceof AggregateError ? failure.errors[0] : failure;
  return first instanceof Error ? first.message : 'it cannot be reached';
}
