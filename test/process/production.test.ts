import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { freePort } from '../../tools/gateway/free-port.js';
import { writeProductionPartners } from './production-partners.js';
import { createPlace, linesOf, PROCESS_TEST_MS_MAX } from './program.js';

vi.setConfig({ testTimeout: PROCESS_TEST_MS_MAX });

const place = await createPlace();
afterAll(() => place.leave());

test('production wants its master key put there, makes no secrets, has no sandbox, and writes nothing but JSON to standard output', async () => {
  const port = await freePort();
  const variables = {
    CAUSEWAY_ENV: 'production',
    CAUSEWAY_HTTP_PORT: String(port),
    CAUSEWAY_PUBLIC_URL: 'https://gateway.example',
    CAUSEWAY_ORIGIN_TEXT: 'https://text.example',
    CAUSEWAY_ORIGIN_MEDIA: 'https://media.example',
    CAUSEWAY_ORIGIN_CALLS: 'https://calls.example',
    CAUSEWAY_PARTNERS_DIR: writeProductionPartners(place.folder),
  };
  const key = join(place.keysDir, 'master.key');

  const without = place.start(variables);
  expect(await without.ended).toEqual({ code: 1, signal: null });
  expect(linesOf(without.output())).toEqual([expect.stringContaining(`There is no master key at ${key}.`)]);

  writeFileSync(key, randomBytes(32).toString('base64url'));
  chmodSync(key, 0o644);
  const careless = place.start(variables);
  expect(await careless.ended).toEqual({ code: 1, signal: null });
  expect(linesOf(careless.output())).toEqual([expect.stringContaining('is readable by others')]);

  chmodSync(key, 0o600);
  const program = place.start(variables);
  await program.shows(/Causeway serves at https:\/\/gateway\.example\n/);
  const url = `http://127.0.0.1:${port}`;
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  const shared = await fetch(`${url}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from('acme-backoffice:sandbox-secret').toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  expect(shared.status).toBe(401);
  expect(existsSync(join(place.dataDir, 'sandbox-credentials.json'))).toBe(false);
  expect(program.stderr()).not.toMatch(/sandbox|simulated/i);
  program.child.kill('SIGTERM');
  expect(await program.ended).toEqual({ code: 0, signal: null });
  const lines = linesOf(program.stdout());
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ level: expect.any(Number), time: expect.any(String) });
});
