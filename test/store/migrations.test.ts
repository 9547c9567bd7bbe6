import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sqliteMigrations } from '../../src/store/index.js';
import { type Migration, migrateSqlite, pendingMigrations } from '../../src/store/migrations.js';
import { assembleSchema } from '../../tools/generate-prisma.mjs';
import { openSchemaEngine, readSchema } from '../../tools/schema-engine.mjs';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'causeway-migrations-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function migrated(name: string, migrations: Migration[]): string {
  const file = join(folder, name);
  const database = new Database(file);
  migrateSqlite(database, migrations);
  database.close();
  return file;
}

const asPrismaSees = (migrations: Migration[]) => ({
  baseDir: 'migrations',
  lockfile: { path: 'migration_lock.toml', content: 'provider = "sqlite"\n' },
  shadowDbInitScript: '',
  migrationDirectories: migrations.map(({ name, sql }) => ({
    path: name,
    migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value: sql } },
  })),
});

describe('migrations', () => {
  test.each(['control', 'messages'] as const)('%s: the second run applies nothing', (which) => {
    const file = migrated('twice.db', sqliteMigrations[which]());
    const database = new Database(file);
    expect(migrateSqlite(database, sqliteMigrations[which]())).toEqual([]);
    database.close();
  });

  test("Prisma's own schema engine finds our history whole, and notices an edited migration", async () => {
    const known = sqliteMigrations.control();
    const file = migrated('gateway.db', known);
    const engine = await openSchemaEngine(new PrismaBetterSqlite3({ url: `file:${file}` }), readSchema(assembleSchema('sqlite')));
    const filters = { externalTables: [], externalEnums: [] };
    const whole = await engine.diagnoseMigrationHistory({ migrationsList: asPrismaSees(known), optInToShadowDatabase: false, filters });
    expect(whole).toMatchObject({ editedMigrationNames: [], failedMigrationNames: [], hasMigrationsTable: true, history: null });

    const edited = known.map((migration, index) => (index === 0 ? { ...migration, sql: `${migration.sql}\n-- edited` } : migration));
    const noticed = await engine.diagnoseMigrationHistory({ migrationsList: asPrismaSees(edited), optInToShadowDatabase: false, filters });
    expect(noticed).toMatchObject({ editedMigrationNames: [known[0]?.name] });
  });

  test("the migrations make exactly what the models say: Prisma's diff between them is empty", async () => {
    const file = migrated('gateway.db', sqliteMigrations.control());
    const models = readSchema(assembleSchema('sqlite'));
    const engine = await openSchemaEngine(new PrismaBetterSqlite3({ url: `file:${file}` }), models);
    const { stdout } = await engine.diff({
      from: { tag: 'schemaDatasource', files: models.map(([path, content]) => ({ path, content })), configDir: folder },
      to: { tag: 'schemaDatamodel', files: models.map(([path, content]) => ({ path, content })) },
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    });
    expect(stdout).toContain('This is an empty migration');
  });

  test('a database of a newer program is refused', () => {
    const applied = [{ migration_name: '29990101000000_future', checksum: 'x' }];
    expect(() => pendingMigrations(sqliteMigrations.control(), applied)).toThrow(/STORE.NEWER_SCHEMA/);
  });

  test('an edited migration is refused at start', () => {
    const [first] = sqliteMigrations.control();
    const applied = [{ migration_name: first?.name ?? '', checksum: 'another' }];
    expect(() => pendingMigrations(sqliteMigrations.control(), applied)).toThrow(/STORE.MIGRATION_CHANGED/);
  });

  test('a migration that fails leaves nothing behind', () => {
    const database = new Database(join(folder, 'half.db'));
    const broken: Migration = { name: '1_broken', sql: 'CREATE TABLE a (x TEXT); CREATE TABLE a (x TEXT);', checksum: 'x' };
    expect(() => migrateSqlite(database, [broken])).toThrow(/already exists/);
    expect(database.prepare("SELECT name FROM sqlite_master WHERE name = 'a'").all()).toEqual([]);
    database.close();
  });
});
