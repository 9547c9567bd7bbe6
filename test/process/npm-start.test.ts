import { afterAll, expect, test, vi } from 'vitest';
import { createPlace, linesOf, PROCESS_TEST_MS_MAX } from './program.js';

vi.setConfig({ testTimeout: PROCESS_TEST_MS_MAX });

const place = await createPlace();
afterAll(() => place.leave());

// npm, its shell and the gateway are one group, and npm passes on what it gets: the gateway has each signal twice.
test('npm start serves, says so in under 25 lines, and Ctrl-C in its terminal drains and frees the folder', async () => {
  const npm = place.spawnGroup('npm', ['start']);
  const url = await npm.url();
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  expect(linesOf(npm.output()).length).toBeLessThan(25);
  const { pid } = npm.child;
  if (pid === undefined) throw new Error('npm has no process id');
  process.kill(-pid, 'SIGINT');
  await npm.ended;
  expect(npm.stderr().match(/finishing what is under way/g)).toHaveLength(1);
  expect(npm.output()).not.toMatch(/ERR!|^\s+at /m);
  await expect(fetch(`${url}/healthz`)).rejects.toThrow();

  const again = place.start();
  expect(await again.url()).toMatch(/^http:/);
  again.child.kill('SIGTERM');
  expect(await again.ended).toEqual({ code: 0, signal: null });
});
