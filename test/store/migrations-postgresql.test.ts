import Database from 'better-sqlite3';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/kernel/clock.js';
import { openPostgresStore, postgresMigrations, sqliteMigrations } from '../../src/store/index.js';
import { type Migration, migrateSqlite } from '../../src/store/migrations.js';
import { migratePostgres } from '../../src/store/postgresql/migrate.js';
import { createTestDatabase, type TestDatabase } from '../fakes/database.js';
import { openDatabaseProxy } from '../fakes/database-proxy.js';
import { findServices } from '../fakes/services.js';
import { edited, openPrismaHistory, postgresAdapter, WHOLE } from './prisma-history.js';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const { urls, skipped } = await findServices('postgres');
const known = postgresMigrations();
const names = known.map(({ name }) => name);

let database: TestDatabase;
let client: pg.Client;

const rowsOf = async <R extends pg.QueryResultRow>(sql: string): Promise<R[]> => (await client.query<R>(sql)).rows;
const recorded = async (): Promise<string[]> =>
  (await rowsOf<{ migration_name: string }>('SELECT migration_name FROM _prisma_migrations ORDER BY migration_name')).map(
    ({ migration_name }) => migration_name,
  );

/** A start of the program, which tells what it migrated. */
async function start(url = database.url): Promise<string[]> {
  const said: string[] = [];
  const store = await openPostgresStore(
    url,
    systemClock,
    () => undefined,
    (step) => void said.push(step),
  );
  await store.close();
  return said;
}

describe.skipIf(skipped)(`migrations on PostgreSQL${skipped ? ` (${skipped})` : ''}`, () => {
  beforeEach(async () => {
    database = await createTestDatabase(urls.postgres, 'empty');
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
  });
  afterEach(async () => {
    await client.end();
    await database.drop();
  });

  test('programs that start at once all do, and each migration is applied by one of them, once', async () => {
    const said = (await Promise.all(Array.from({ length: 5 }, () => start()))).flat();
    expect(said.sort()).toEqual(names.map((name) => `migrated: ${name}`));
    expect(await recorded()).toEqual(names);
    expect(await start()).toEqual([]);
  });

  test("Prisma's own schema engine finds our history whole, has nothing to apply, and notices an edited migration", async () => {
    await start();
    const prisma = await openPrismaHistory('postgresql', postgresAdapter(database.url));
    expect(await prisma.diagnose(known)).toMatchObject(WHOLE);
    expect(await prisma.apply(known)).toEqual([]);
    for (const index of [0, known.length - 1]) {
      expect(await prisma.diagnose(edited(known, index))).toMatchObject({ editedMigrationNames: [names[index]] });
    }
  });

  test("the migrations make exactly what the models say: Prisma's diff between them is empty", async () => {
    await start();
    const prisma = await openPrismaHistory('postgresql', postgresAdapter(database.url));
    // Those of the hot path's operations have no models.
    const others = [...tablesOnSqlite('messages').keys()].map((name) => `public.${name}`);
    expect(await prisma.differences(others)).toContain('This is an empty migration');
    await client.query('ALTER TABLE event DROP COLUMN summary');
    expect(await prisma.differences(others)).toContain('"summary"');
  });

  test('it has the tables and columns of both SQLite files, and no others', async () => {
    await start();
    const here = await rowsOf<{ name: string; column: string }>(
      `SELECT table_name AS name, column_name AS column FROM information_schema.columns
       WHERE table_schema = 'public' AND table_name <> '_prisma_migrations'`,
    );
    expect(byTable(here)).toEqual(new Map([...tablesOnSqlite('control'), ...tablesOnSqlite('messages')]));
  });

  test('a database of a newer program is refused, and so is one whose migration was edited; neither is touched', async () => {
    await migratePostgres(client, known.slice(0, -1));
    await client.query(`INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', 'y', '29990101000000_later')`);
    await expect(start()).rejects.toMatchObject({ code: 'STORE.NEWER_SCHEMA' });
    await client.query(`UPDATE _prisma_migrations SET migration_name = '${names[0]}' WHERE id = 'x'`);
    await expect(start()).rejects.toMatchObject({ code: 'STORE.MIGRATION_CHANGED' });
    expect(await recorded()).not.toContain(names.at(-1));
  });

  test('of migrations of which one fails none is there', async () => {
    const broken: Migration = { name: '9_broken', sql: 'CREATE TABLE a (x TEXT); CREATE TABLE a (x TEXT);', checksum: 'x' };
    await expect(migratePostgres(client, [...known, broken])).rejects.toThrow(/already exists/);
    expect(await rowsOf(`SELECT FROM pg_tables WHERE schemaname = 'public'`)).toEqual([]);
    expect(await migratePostgres(client, known)).toEqual(names);
  });

  test('a start whose connection is lost meanwhile says so, and the next one finds all or nothing', async () => {
    const proxy = await openDatabaseProxy(database.url);
    try {
      proxy.onCommit('lost on the way');
      await expect(start(proxy.url)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      expect(await rowsOf(`SELECT FROM pg_tables WHERE schemaname = 'public'`)).toEqual([]);
      proxy.onCommit('answer lost');
      await expect(start(proxy.url)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      expect(await recorded()).toEqual(names);
      expect(await start(proxy.url)).toEqual([]);
    } finally {
      await proxy.close();
    }
  });
});

/** By table, its columns, as the migrations of a SQLite file make them. */
function tablesOnSqlite(file: 'control' | 'messages'): Map<string, string[]> {
  const sqlite = new Database(':memory:');
  try {
    migrateSqlite(sqlite, sqliteMigrations[file]());
    const rows = sqlite
      .prepare<[], { name: string; column: string }>(
        `SELECT t.name, c.name AS column FROM sqlite_master t, pragma_table_info(t.name) c
         WHERE t.type = 'table' AND t.name NOT IN ('_prisma_migrations', 'sqlite_sequence')`,
      )
      .all();
    return byTable(rows);
  } finally {
    sqlite.close();
  }
}

function byTable(rows: readonly { name: string; column: string }[]): Map<string, string[]> {
  const tables = new Map<string, string[]>();
  for (const { name, column } of rows) tables.set(name, [...(tables.get(name) ?? []), column].sort());
  return tables;
}
