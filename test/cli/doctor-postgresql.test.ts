import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { doctor } from '../../src/cli/doctor.js';
import { createTestDatabase, type TestDatabase } from '../fakes/database.js';
import { startTestGateway } from '../fakes/gateway.js';
import { findServices } from '../fakes/services.js';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const { urls, skipped } = await findServices('postgres');
const partners = fileURLToPath(new URL('../../partners/', import.meta.url));

describe.skipIf(skipped !== undefined)(`doctor with PostgreSQL ${skipped ?? ''}`, () => {
  let folder: string;
  let database: TestDatabase;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'causeway-doctor-'));
    database = await createTestDatabase(urls.postgres);
  });
  afterEach(async () => {
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  const keyFile = () => join(folder, 'keys/master.key');
  const runOnce = async () => (await startTestGateway({ folder, env: { CAUSEWAY_DATABASE_URL: database.url } })).close();

  /** What it says of the database, the master key and the clock: the status, and the words. */
  async function look(given: { url?: string; now?: number } = {}): Promise<{ code: number; said: Record<string, [string, string]> }> {
    const out: string[] = [];
    const env = {
      CAUSEWAY_HTTP_PORT: '0',
      CAUSEWAY_OPS_PORT: '0',
      CAUSEWAY_DATA_DIR: join(folder, 'data'),
      CAUSEWAY_KEYS_DIR: join(folder, 'keys'),
      CAUSEWAY_DATABASE_URL: given.url ?? database.url,
    };
    const context = { env, write: (text: string) => void out.push(text), now: () => given.now ?? Date.now(), partnersDir: partners };
    const code = await doctor(context, { json: true });
    expect(out.join('')).not.toContain('hidden-word');
    const { checks } = JSON.parse(out.join('')) as { checks: { name: string; status: string; detail: string; fix?: string }[] };
    for (const { status, fix } of checks) expect(status === 'ok' || fix !== undefined).toBe(true);
    const own = checks.filter(({ name }) => ['database', 'master key', 'clock'].includes(name));
    return { code, said: Object.fromEntries(own.map(({ name, status, detail }) => [name, [status, detail]])) };
  }

  async function sql(text: string): Promise<void> {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(text);
    await client.end();
  }

  test('a database that is empty is well, and stays empty', async () => {
    await sql('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    for (let times = 0; times < 2; times++)
      expect((await look()).said['database']).toEqual(['ok', expect.stringContaining('the first start migrates it')]);
  });

  test('of a gateway that ran it finds the schema, the key and the clock well', async () => {
    await runOnce();
    expect(await look()).toEqual({
      code: 0,
      said: {
        database: ['ok', 'PostgreSQL: the schema is up to date'],
        'master key': ['ok', 'opens the data'],
        clock: ['ok', 'agrees with PostgreSQL'],
      },
    });
  });

  test('another master key fails, one that a rotation left behind warns', async () => {
    await runOnce();
    const own = readFileSync(keyFile(), 'utf8');
    const other = `${Buffer.alloc(32, 1).toString('base64url')}\n`;
    writeFileSync(keyFile(), other + own);
    expect((await look()).said['master key']).toEqual(['warn', '2 keys: a rotation was begun']);
    writeFileSync(keyFile(), other);
    const { code, said } = await look();
    expect([code, said['master key']?.[0]]).toEqual([3, 'fail']);
  });

  test('a clock that differs from the server’s warns, either way', async () => {
    expect((await look({ now: Date.now() - 3_600_000 })).said['clock']).toEqual([
      'warn',
      expect.stringMatching(/PostgreSQL is \d+ ms ahead/),
    ]);
    expect((await look({ now: Date.now() + 3_600_000 })).said['clock']).toEqual([
      'warn',
      expect.stringMatching(/PostgreSQL is \d+ ms behind/),
    ]);
  });

  test('migrations that are to come warn, a newer schema fails', async () => {
    await sql(`DELETE FROM _prisma_migrations WHERE migration_name = (SELECT MAX(migration_name) FROM _prisma_migrations)`);
    expect((await look()).said['database']).toEqual(['warn', 'PostgreSQL: 1 migrations are not applied yet']);
    await sql(`INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', 'y', '29990101000000_later')`);
    const { code, said } = await look();
    expect([code, said['database']?.[0]]).toEqual([3, 'fail']);
  });

  test('a server that is away fails with its reason, without the password', async () => {
    const { code, said } = await look({ url: 'postgresql://causeway:hidden-word@127.0.0.1:1/causeway' });
    expect(code).toBe(3);
    expect(said['database']).toEqual(['fail', 'PostgreSQL does not answer as it should (ECONNREFUSED)']);
  });
});
