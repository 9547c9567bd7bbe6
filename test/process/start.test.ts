import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { testDatabaseUrl } from '../fakes/database.js';
import { createPlace, linesOf, PROCESS_TEST_MS_MAX, type Program } from './program.js';

vi.setConfig({ testTimeout: PROCESS_TEST_MS_MAX });
const place = await createPlace();
afterAll(() => place.leave());

interface Credentials {
  partners: Record<string, { clientId: string; clientSecret: string; smpp?: { port: number } }>;
  portal: { url: string; email: string; password: string };
}

const credentialsFile = join(place.dataDir, 'sandbox-credentials.json');
const credentials = (): Credentials => JSON.parse(readFileSync(credentialsFile, 'utf8'));
const withoutPorts = ({ partners, ...rest }: Credentials) => ({
  ...rest,
  partners: Object.fromEntries(
    Object.entries(partners).map(([id, { smpp, ...client }]) => [
      id,
      { ...client, ...(smpp && { smpp: { ...smpp, port: 'a free one' } }) },
    ]),
  ),
});
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

async function token(url: string, { partners }: Pick<Credentials, 'partners'>): Promise<Response> {
  const { clientId, clientSecret } = partners['e-plus'] ?? { clientId: '', clientSecret: '' };
  return fetch(`${url}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
}

async function planIds(url: string): Promise<string[]> {
  const { access_token } = (await (await token(url, credentials())).json()) as { access_token: string };
  const answer = await fetch(`${url}/v1/plans?limit=200`, { headers: { authorization: `Bearer ${access_token}` } });
  const { items } = (await answer.json()) as { items: { id: string }[] };
  return items.map(({ id }) => id);
}

async function stop(program: Program): Promise<void> {
  program.child.kill('SIGTERM');
  expect(await program.ended).toEqual({ code: 0, signal: null });
}

test('a first start tells in plain words where everything is, makes private folders, and a second start repeats nothing', async () => {
  const first = place.start();
  const url = await first.url();

  const lines = linesOf(first.output());
  expect(lines.length).toBeLessThan(16);
  expect(lines.at(-1)).toBe('Ctrl-C stops it cleanly.');
  const said = first.output();
  expect(said).toContain(`${url}/docs`);
  expect(said).toContain('npm run demo');
  expect(said).toContain(credentialsFile);
  expect(said, 'no JSON drowns the words').not.toMatch(/^\s*\{/m);
  expect(said, 'no number').not.toMatch(/\+?\d{10,}/);
  for (const { clientSecret } of Object.values(credentials().partners)) expect(said).not.toContain(clientSecret);
  const operations = /(http:\/\/\S+)\/readyz/.exec(said)?.[1];
  expect(await (await fetch(`${operations}/readyz`)).json()).toEqual({ status: 'ready' });
  expect((await fetch(`${url}/healthz`)).status).toBe(200);

  expect(modeOf(place.dataDir)).toBe('700');
  expect(modeOf(place.keysDir)).toBe('700');
  expect(modeOf(join(place.keysDir, 'master.key'))).toBe('600');
  expect(modeOf(credentialsFile)).toBe('600');
  for (const folder of [place.dataDir, place.keysDir]) {
    for (const entry of readdirSync(folder, { withFileTypes: true }))
      expect(modeOf(join(folder, entry.name)), entry.name).toBe(entry.isDirectory() ? '700' : '600');
  }
  const made = credentials();
  expect(made.portal.url).toBe(`${url}/portal`);
  const plans = await planIds(url);
  expect(plans.length).toBeGreaterThan(0);
  await stop(first);

  const second = place.start();
  const again = await second.url();
  expect(second.stderr(), 'nothing was prepared again').toBe('');
  // Both listeners take a free port at each start here: all but the ports stays.
  expect(withoutPorts(credentials())).toEqual(withoutPorts({ ...made, portal: { ...made.portal, url: `${again}/portal` } }));
  expect((await token(again, credentials())).status).toBe(200);
  expect(await planIds(again)).toEqual(plans);
  await stop(second);

  // Deleting the file is how a sandbox gets new secrets.
  const old = credentials();
  rmSync(credentialsFile);
  const third = place.start();
  const renewed = await third.url();
  expect(credentials().partners['e-plus']?.clientSecret).not.toBe(old.partners['e-plus']?.clientSecret);
  expect(modeOf(credentialsFile)).toBe('600');
  expect((await token(renewed, credentials())).status).toBe(200);
  expect((await token(renewed, old)).status).toBe(401);
  await stop(third);
});

describe.skipIf(testDatabaseUrl)('SQLite only: several processes may share a PostgreSQL database', () => {
  test('the data folder belongs to one process: another start says so and leaves it alone', async () => {
    const other = await createPlace();
    try {
      const url = await other.start().url();
      const intruder = other.start();
      expect(await intruder.ended).toEqual({ code: 1, signal: null });
      expect(linesOf(intruder.output())).toEqual([
        `Another process uses the data folder ${other.dataDir}. Stop that process, or give this one a folder of its own with CAUSEWAY_DATA_DIR.`,
      ]);
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
    } finally {
      await other.leave();
    }
  });
});

test('at info the log goes to standard output, one JSON object a line, and holds no token, number or secret', async () => {
  const other = await createPlace();
  try {
    const program = other.start({ CAUSEWAY_LOG_LEVEL: 'info' });
    const url = await program.url();
    const { partners } = JSON.parse(readFileSync(join(other.dataDir, 'sandbox-credentials.json'), 'utf8')) as Credentials;
    const { access_token } = (await (await token(url, { partners })).json()) as { access_token: string };
    await fetch(`${url}/v1/subscriptions/search`, {
      method: 'POST',
      headers: { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ msisdn: '+9995701234567' }),
    });
    await stop(program);
    const logged = linesOf(program.stdout()).filter((line) => line.startsWith('{'));
    expect(logged.map((line) => (JSON.parse(line) as { operationId?: string }).operationId)).toContain('searchSubscriptions');
    expect(program.stderr()).not.toContain('{');
    for (const secret of [access_token, partners['e-plus']?.clientSecret ?? 'none', '9995701234567'])
      expect(program.output()).not.toContain(secret);
  } finally {
    await other.leave();
  }
});
