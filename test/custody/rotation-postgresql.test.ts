import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createCausewayClient } from '../../sdks/typescript/index.js';
import { readMasterKey } from '../../src/identity/index.js';
import { createHome, type GatewayHome, type GatewayProcess, startGateway } from '../../tools/gateway/gateway-process.js';
import { createTestDatabase, type TestDatabase } from '../fakes/database.js';
import { findServices } from '../fakes/services.js';
import { createPlace, linesOf, type Place } from '../process/program.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const { urls, skipped } = await findServices('postgres');

describe.skipIf(skipped !== undefined)(`rotation of the master key on PostgreSQL ${skipped ?? ''}`, () => {
  let database: TestDatabase;
  let home: GatewayHome;
  let place: Place;
  let gateway: GatewayProcess;
  let before: string;
  beforeAll(async () => {
    database = await createTestDatabase(urls.postgres);
    const own = await createHome();
    home = { ...own, variables: { ...own.variables, CAUSEWAY_DATABASE_URL: database.url } };
    place = await createPlace();
    gateway = await startGateway(home);
    before = readMasterKey(home.keysDir).prefix();
  });
  afterAll(async () => {
    await gateway.stop();
    await place.leave();
    home.remove();
    await database.drop();
  });

  const partner = () => createCausewayClient({ serverUrl: home.url, ...home.credentials() });
  /** A request whose answer holds a secret that is shown once. */
  const request = (key: string) => ({
    body: { sink: 'http://127.0.0.1:9/hook', types: ['com.causeway.v1.order.completed'], scheme: 'v1' as const },
    headers: { 'Idempotency-Key': key },
  });
  const secretOf = async (key: string) => (await partner().createEventSubscription(request(key))).secret;
  const keysInFile = () => linesOf(readFileSync(join(home.keysDir, 'master.key'), 'utf8'));

  async function rotate(...args: string[]): Promise<{ code: number | null; said: string }> {
    const program = place.run('dist/cli/main.js', ['keys', 'rotate', ...args], home.variables);
    const { code } = await program.ended;
    return { code, said: program.output() };
  }

  /** Columns of any table that hold something which begins so. */
  async function columnsWith(prefix: string): Promise<string[]> {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      const { rows } = await client.query<{ table: string; column: string }>(
        `SELECT table_name AS table, column_name AS column FROM information_schema.columns WHERE table_schema = 'public' AND data_type = 'text'`,
      );
      const found: string[] = [];
      for (const { table, column } of rows) {
        const hit = await client.query(`SELECT 1 FROM "${table}" WHERE "${column}" LIKE $1 LIMIT 1`, [`%${prefix}%`]);
        if (hit.rows.length > 0) found.push(`${table}.${column}`);
      }
      return found.sort();
    } finally {
      await client.end();
    }
  }

  test('there is nothing to finish before it was begun', async () => {
    expect(await rotate('--finish')).toEqual({ code: 0, said: expect.stringContaining('There is no rotation to finish') });
    expect(keysInFile()).toHaveLength(1);
  });

  test('a node goes on meanwhile, with either key; once it was restarted the end leaves the new one alone, and it opens everything', async () => {
    const secret = await secretOf('before');
    expect(await columnsWith(before)).toEqual(
      expect.arrayContaining(['event_subscription.secret', 'idempotency_key.body', 'signing_key.wrappedKey', 'sms_secret.wrapped']),
    );

    const begun = await rotate();
    expect(begun).toEqual({ code: 0, said: expect.stringContaining('keys rotate --finish') });
    expect(keysInFile()).toHaveLength(2);
    expect(await columnsWith(before)).toEqual([]);

    expect(await secretOf('before'), 'the node that runs opens what was wrapped anew').toBe(secret);
    const meanwhile = await secretOf('meanwhile');
    await gateway.stop();
    gateway = await startGateway(home);
    expect(await secretOf('meanwhile')).toBe(meanwhile);

    const finished = await rotate('--finish');
    expect(finished).toEqual({ code: 0, said: expect.stringContaining('ok: one master key') });
    expect(keysInFile()).toHaveLength(1);
    expect(await columnsWith(before)).toEqual([]);
    expect(await columnsWith(readMasterKey(home.keysDir).prefix())).toContain('signing_key.wrappedKey');
    await gateway.stop();
    gateway = await startGateway(home);
    expect([await secretOf('before'), await secretOf('meanwhile')]).toEqual([secret, meanwhile]);
  });
});
