import { randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import { type AppliedMigration, type Migration, pendingMigrations } from '../migrations.js';

/** Any number that only this program locks: nodes that start together migrate one after the other. */
const MIGRATION_LOCK = 7_264_011;

/** The table as Prisma's schema engine creates it on PostgreSQL, so that its tools find our history whole. */
const MIGRATIONS_TABLE = `
  CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id" VARCHAR(36) PRIMARY KEY NOT NULL,
    "checksum" VARCHAR(64) NOT NULL,
    "finished_at" TIMESTAMPTZ,
    "migration_name" VARCHAR(255) NOT NULL,
    "logs" TEXT,
    "rolled_back_at" TIMESTAMPTZ,
    "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(),
    "applied_steps_count" INTEGER NOT NULL DEFAULT 0
  )`;

/**
 * Brings the database up to date: all pending migrations and their rows in one transaction, under an advisory lock.
 *
 * @returns the names of the migrations it applied.
 */
export async function migratePostgres(client: Client, known: Migration[]): Promise<string[]> {
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await client.query(MIGRATIONS_TABLE);
    const applied = await client.query<AppliedMigration>(
      'SELECT migration_name, checksum FROM _prisma_migrations WHERE rolled_back_at IS NULL',
    );
    const pending = pendingMigrations(known, applied.rows);
    for (const { name, sql, checksum } of pending) {
      await client.query(sql);
      await client.query(
        `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count) VALUES ($1, $2, $3, now(), 1)`,
        [randomUUID(), checksum, name],
      );
    }
    await client.query('COMMIT');
    return pending.map((migration) => migration.name);
  } catch (failure) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw failure;
  }
}
