import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sqliteMigrations } from '../../src/store/index.js';
import { type Migration, migrateSqlite, pendingMigrations } from '../../src/store/migrations.js';
import { edited, openPrismaHistory, WHOLE } from './prisma-history.js';

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

describe('migrations', () => {
  test.each(['control', 'messages'] as const)('%s: the second run applies nothing', (which) => {
    const file = migrated('twice.db', sqliteMigrations[which]());
    const database = new Database(file);
    expect(migrateSqlite(database, sqliteMigrations[which]())).toEqual([]);
    database.close();
  });

  test.each(['control', 'messages'] as const)(
    "%s: Prisma's own schema engine finds our history whole, has nothing to apply, and notices an edited migration",
    async (which) => {
      const known = sqliteMigrations[which]();
      const file = migrated('history.db', known);
      const prisma = await openPrismaHistory('sqlite', new PrismaBetterSqlite3({ url: `file:${file}` }));
      expect(await prisma.diagnose(known)).toMatchObject(WHOLE);
      expect(await prisma.apply(known)).toEqual([]);
      for (const index of [0, known.length - 1]) {
        expect(await prisma.diagnose(edited(known, index))).toMatchObject({ editedMigrationNames: [known[index]?.name] });
      }
    },
  );

  test("the migrations make exactly what the models say: Prisma's diff between them is empty", async () => {
    const file = migrated('gateway.db', sqliteMigrations.control());
    const prisma = await openPrismaHistory('sqlite', new PrismaBetterSqlite3({ url: `file:${file}` }));
    expect(await prisma.differences()).toContain('This is an empty migration');
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
