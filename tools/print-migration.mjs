#!/usr/bin/env node
/**
 * Prints the SQL that a new migration needs: `node tools/print-migration.mjs <sqlite|postgresql> [model file …]`.
 *
 * With model files named, the SQL creates what they describe from nothing; without, it is the difference between the
 * committed migrations' models and nothing at all, which is the whole schema. The SQL is reviewed, trimmed and committed
 * as prisma/<provider>/migrations/<time>_<what>/migration.sql: the service applies plain SQL and needs no engine.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3';
import { PrismaPg } from '@prisma/adapter-pg';
import { openSchemaEngine } from './schema-engine.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const [provider, ...files] = process.argv.slice(2);
if (provider !== 'sqlite' && provider !== 'postgresql') {
  process.stderr.write('usage: node tools/print-migration.mjs <sqlite|postgresql> [model file …]\n');
  process.exit(4);
}
const models = join(root, 'prisma', 'models');
const chosen = files.length > 0 ? files : readdirSync(models);
const datamodels = [
  ['base.prisma', readFileSync(join(root, 'prisma', provider, 'base.prisma'), 'utf8')],
  ...chosen.map((file) => [file, readFileSync(join(models, file), 'utf8')]),
];
const adapter =
  provider === 'sqlite'
    ? new PrismaBetterSqlite3({ url: ':memory:' })
    : new PrismaPg({ connectionString: process.env.CAUSEWAY_TEST_DATABASE_URL ?? 'postgresql://postgres@127.0.0.1:5432/postgres' });
const engine = await openSchemaEngine(adapter, datamodels);
const { stdout } = await engine.diff({
  from: { tag: 'empty' },
  to: { tag: 'schemaDatamodel', files: datamodels.map(([path, content]) => ({ path, content })) },
  script: true,
  exitCode: null,
  filters: { externalTables: [], externalEnums: [] },
});
process.stdout.write(stdout ?? '');
process.exit(0);
