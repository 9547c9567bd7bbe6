import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { GatewayError } from '../kernel/errors.js';

export interface Migration {
  /** The folder's name: `20261122000000_outbox`. Folders are applied in the order of their names. */
  name: string;
  sql: string;
  /** SHA-256 of the file, in hexadecimal, as Prisma records it. */
  checksum: string;
}

/** Reads a folder in Prisma's layout: `<folder>/<time>_<what>/migration.sql`. */
export function readMigrations(folder: string): Migration[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, 'migration.sql')))
    .map((entry) => entry.name)
    .sort()
    .map((name) => {
      const sql = readFileSync(join(folder, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    });
}

export interface AppliedMigration {
  migration_name: string;
  checksum: string;
}

/**
 * What is still to be applied.
 *
 * @throws GatewayError `STORE.NEWER_SCHEMA` when the database holds a migration that this program does not know, and
 *   `STORE.MIGRATION_CHANGED` when an applied one was edited since.
 */
export function pendingMigrations(known: Migration[], applied: AppliedMigration[]): Migration[] {
  const byName = new Map(known.map((migration) => [migration.name, migration]));
  for (const { migration_name: name, checksum } of applied) {
    const migration = byName.get(name);
    if (!migration) {
      throw new GatewayError('STORE.NEWER_SCHEMA', {
        detail: `The database has the migration ${name}, which this program does not know.`,
        hint: 'Start the version that wrote this database, or restore a backup made before it.',
      });
    }
    if (migration.checksum !== checksum) {
      throw new GatewayError('STORE.MIGRATION_CHANGED', {
        detail: `The migration ${name} was edited after it had been applied.`,
        hint: 'Put the file back as it was and write a new migration for the change.',
      });
    }
  }
  const done = new Set(applied.map((row) => row.migration_name));
  return known.filter((migration) => !done.has(migration.name));
}

/** The table as Prisma's schema engine creates it on SQLite, so that its tools find our history whole. */
const MIGRATIONS_TABLE = `
  CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id" TEXT PRIMARY KEY NOT NULL,
    "checksum" TEXT NOT NULL,
    "finished_at" DATETIME,
    "migration_name" TEXT NOT NULL,
    "logs" TEXT,
    "rolled_back_at" DATETIME,
    "started_at" DATETIME NOT NULL DEFAULT current_timestamp,
    "applied_steps_count" INTEGER UNSIGNED NOT NULL DEFAULT 0
  )`;

/**
 * Brings a SQLite file up to date: each migration and its row in one transaction, under the file's write lock.
 *
 * @returns the names of the migrations it applied.
 */
export function migrateSqlite(database: Database.Database, known: Migration[]): string[] {
  database.exec(MIGRATIONS_TABLE);
  const applied = database.prepare('SELECT migration_name, checksum FROM _prisma_migrations WHERE rolled_back_at IS NULL');
  const record = database.prepare(
    `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
     VALUES (?, ?, ?, strftime('%s','now') * 1000, strftime('%s','now') * 1000, 1)`,
  );
  const applyAll = database.transaction(() => {
    const pending = pendingMigrations(known, applied.all() as AppliedMigration[]);
    for (const { name, sql, checksum } of pending) {
      database.exec(sql);
      record.run(randomUUID(), checksum, name);
    }
    return pending.map((migration) => migration.name);
  });
  return applyAll.immediate();
}
