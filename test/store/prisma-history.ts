import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import type { Migration } from '../../src/store/migrations.js';
import { assembleSchema } from '../../tools/generate-prisma.mjs';
import { openSchemaEngine, readSchema } from '../../tools/schema-engine.mjs';

export type Provider = 'sqlite' | 'postgresql';

/** Prisma's own schema engine on a database, and what it says of the history there. */
export async function openPrismaHistory(provider: Provider, adapter: object) {
  const models = readSchema(assembleSchema(provider));
  const engine = await openSchemaEngine(adapter, models);
  const files = models.map(([path, content]) => ({ path, content }));

  const asPrismaSees = (migrations: readonly Migration[]) => ({
    baseDir: 'migrations',
    lockfile: { path: 'migration_lock.toml', content: `provider = "${provider}"\n` },
    shadowDbInitScript: '',
    migrationDirectories: migrations.map(({ name, sql }) => ({
      path: name,
      migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value: sql } },
    })),
  });
  const filters = { externalTables: [] as string[], externalEnums: [] };

  return {
    diagnose: (migrations: readonly Migration[]) =>
      engine.diagnoseMigrationHistory({ migrationsList: asPrismaSees(migrations), optInToShadowDatabase: false, filters }),
    /** @returns the names of those that it found missing and applied. */
    apply: async (migrations: readonly Migration[]): Promise<string[]> =>
      (await engine.applyMigrations({ migrationsList: asPrismaSees(migrations), filters })).appliedMigrationNames,
    /** What would have to change for the database to be as the models say, as SQL; other tables than theirs are left out. */
    async differences(otherTables: readonly string[] = []): Promise<string> {
      const { stdout } = await engine.diff({
        from: { tag: 'schemaDatasource', files, configDir: '.' },
        to: { tag: 'schemaDatamodel', files },
        script: true,
        exitCode: null,
        filters: { ...filters, externalTables: [...otherTables] },
      });
      return stdout ?? '';
    },
  };
}

/** The catalogue's one-character type, and one that the adapter knows. */
const [ONE_CHARACTER, BPCHAR] = [18, 1042];

/** Prisma's adapter as its schema engine needs it: the adapter itself refuses a type of PostgreSQL's own catalogue. */
export function postgresAdapter(url: string): PrismaPg {
  const pool = new pg.Pool({ connectionString: url, allowExitOnIdle: true });
  const query = pool.query.bind(pool) as (...given: unknown[]) => Promise<pg.QueryResult>;
  const renamed = async (...given: unknown[]): Promise<pg.QueryResult> => {
    const result = await query(...given);
    for (const field of result.fields) if (field.dataTypeID === ONE_CHARACTER) field.dataTypeID = BPCHAR;
    return result;
  };
  return new PrismaPg(Object.assign(pool, { query: renamed }));
}

/** What Prisma says of a history that is as it should be. */
export const WHOLE = { editedMigrationNames: [], failedMigrationNames: [], hasMigrationsTable: true, history: null };

/** The same migrations, but for one whose file was edited. */
export const edited = (migrations: readonly Migration[], index: number): Migration[] =>
  migrations.map((migration, at) => (at === index ? { ...migration, sql: `${migration.sql}\n-- edited` } : migration));
