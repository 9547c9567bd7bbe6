import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkNode } from '../../src/cli/doctor/machine.js';
import { doctor } from '../../src/cli/doctor.js';
import { startTestGateway, type TestGateway } from '../fakes/gateway.js';

const partners = fileURLToPath(new URL('../../partners/', import.meta.url));
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'causeway-doctor-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Line {
  name: string;
  status: string;
  detail: string;
  fix?: string;
}

/** Ports that are nobody's: 0 is not asked for. */
const variables = () => ({
  CAUSEWAY_HTTP_PORT: '0',
  CAUSEWAY_OPS_PORT: '0',
  CAUSEWAY_DATA_DIR: join(folder, 'data'),
  CAUSEWAY_KEYS_DIR: join(folder, 'keys'),
  CAUSEWAY_PARTNERS_DIR: partners,
});

async function look(env: Record<string, string> = {}): Promise<{ code: number; checks: Line[]; of(name: string): Line[] }> {
  const said: string[] = [];
  const context = {
    env: { ...variables(), ...env },
    write: (text: string) => void said.push(text),
    now: () => Date.now(),
    partnersDir: partners,
  };
  const code = await doctor(context, { json: true });
  const { checks } = JSON.parse(said.join('')) as { checks: Line[] };
  for (const { status, fix } of checks) expect(status === 'ok' || fix !== undefined, 'whatever is not well says how to mend it').toBe(true);
  return { code, checks, of: (name) => checks.filter((check) => check.name.startsWith(name)) };
}

/** The data of a gateway that ran once. */
async function someData(): Promise<void> {
  await (await startTestGateway({ folder })).close();
}

test('before the first start all is well, and nothing was made', async () => {
  const { code, of } = await look();
  expect(code).toBe(0);
  expect(of('database')).toEqual([{ name: 'database', status: 'ok', detail: expect.stringContaining('the first start makes it') }]);
  expect(of('gateway')[0]?.status).toBe('warn');
});

test('of a gateway that runs it tells readiness and every link', async () => {
  const gateway: TestGateway = await startTestGateway({ folder });
  try {
    const { port } = new URL(gateway.operationsUrl);
    const { code, of } = await look({ CAUSEWAY_OPS_PORT: port });
    expect(code).toBe(0);
    expect(of('master key')[0]?.detail).toBe('opens the data');
    expect(of('database').map(({ status }) => status)).toEqual(['ok', 'ok']);
    expect(of('ports')[0]?.detail).toContain('served by this gateway');
    expect(of('link').map(({ name }) => name)).toContain('link e-plus/e-plus-main');
  } finally {
    await gateway.close();
  }
});

test('a link without a bind fails, one with some of its binds warns', async () => {
  const links = [
    { partnerId: 'p', id: 'dead', binds: [{ id: '1', state: 'down', reason: 'ESME_RINVPASWD' }] },
    {
      partnerId: 'p',
      id: 'half',
      binds: [
        { id: '1', state: 'bound' },
        { id: '2', state: 'down' },
      ],
    },
  ];
  const server = createServer((_, response) => response.end(JSON.stringify({ status: 'unavailable', notReady: ['messages.db'], links })));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { code, of } = await look({ CAUSEWAY_OPS_PORT: String((server.address() as AddressInfo).port) });
    expect(code).toBe(3);
    expect(of('gateway')[0]).toMatchObject({ status: 'fail', detail: expect.stringContaining('messages.db') });
    expect(of('link').map(({ status }) => status)).toEqual(['fail', 'warn']);
    expect(of('link p/dead')[0]?.detail).toContain('ESME_RINVPASWD');
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
});

test('a port that somebody else has fails', async () => {
  const server = createServer((_, response) => response.end('hello'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { code, of } = await look({ CAUSEWAY_OPS_PORT: String((server.address() as AddressInfo).port) });
    expect(code).toBe(3);
    expect(of('ports')[0]).toMatchObject({ status: 'fail', detail: expect.stringContaining('CAUSEWAY_OPS_PORT') });
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
});

test('another master key, a newer schema, a lost file and an unfinished restore each fail', async () => {
  await someData();
  const key = join(folder, 'keys/master.key');
  writeFileSync(key, `${Buffer.alloc(32, 1).toString('base64url')}\n`);
  expect((await look()).of('master key')[0]).toMatchObject({ status: 'fail', fix: expect.stringContaining('Put the key back') });
  const database = new Database(join(folder, 'data/messages.db'));
  database.exec(`INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', 'y', '29990101000000_later')`);
  database.close();
  expect((await look()).of('database').map(({ status }) => status)).toEqual(['ok', 'fail']);
  rmSync(join(folder, 'data/messages.db'));
  expect((await look()).of('database')[0]).toMatchObject({ status: 'fail', detail: expect.stringContaining('only gateway.db') });
  writeFileSync(join(folder, 'data/restore-unfinished'), '');
  const { code, of } = await look();
  expect(of('database')[0]).toMatchObject({ status: 'fail', detail: expect.stringContaining('interrupted') });
  expect(code).toBe(3);
});

test('folders and secrets that others may read are told', async () => {
  for (const name of ['data', 'keys']) mkdirSync(join(folder, name), { mode: 0o755 });
  writeFileSync(join(folder, 'keys/master.key'), 'x');
  chmodSync(join(folder, 'keys/master.key'), 0o644);
  const { of } = await look();
  expect(of('data folder')[0]).toMatchObject({ status: 'warn', fix: expect.stringContaining('chmod 700') });
  expect(of('secret file')[0]).toMatchObject({ status: 'fail', fix: expect.stringContaining('chmod 600') });
});

test('variables and partners that are not valid fail with the fix that a start would print', async () => {
  const context = { env: { ...variables(), CAUSEWAY_HTTP_PORT: 'many' }, write: () => undefined, now: () => 0, partnersDir: folder };
  const lines: string[] = [];
  expect(await doctor({ ...context, write: (text) => void lines.push(text) }, { json: false })).toBe(3);
  expect(lines.join('')).toMatch(/^fail {2}configuration: CAUSEWAY_HTTP_PORT .*\n {6}fix: choose a free TCP port/m);
  expect(lines.join('')).toMatch(/^fail {2}partners: /m);
});

test.each([
  ['20.18.9', 'fail'],
  ['20.19.0', 'ok'],
  ['18.20.0', 'fail'],
  ['26.1.0', 'ok'],
])('Node %s: %s', (version, status) => expect(checkNode(version).status).toBe(status));
