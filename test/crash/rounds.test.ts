/** A seeded sample of `npm run crash`: gateways are killed at random moments under a running load, and nothing answered is missing or doubled. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { CHECKOUT } from '../../tools/gateway/gateway-process.js';
import { findServices } from '../fakes/services.js';

const TEST_MS_MAX = 600_000;
const ROUNDS = 5;
const SEED = process.env['CRASH_SEED'] ?? '20261123';

const services = await findServices('postgres');

/** Runs the command in a folder for temporary files of its own. @returns what it printed, and what it left there. */
async function crash(...args: string[]): Promise<{ code: number | null; said: string; left: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-crash-'));
  const program = join(CHECKOUT, 'dist', 'tools', 'crash', 'main.js');
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill());
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const left = readdirSync(folder);
  rmSync(folder, { recursive: true });
  return { code, said, left };
}

async function expectWhole(...args: string[]): Promise<void> {
  const { code, said, left } = await crash('--rounds', String(ROUNDS), '--seed', SEED, '--json', ...args);
  const last: unknown = JSON.parse(said.trimEnd().split('\n').at(-1) ?? '');
  expect({ code, last, left }, said).toEqual({
    code: 0,
    last: { rounds: ROUNDS, answered: expect.any(Number), lost: 0, doubled: 0, leaked: 0 },
    left: [],
  });
}

test('killed at random moments on SQLite, a gateway loses and doubles nothing', { timeout: TEST_MS_MAX }, async () => {
  await expectWhole('--database', 'sqlite');
});

test.skipIf(services.skipped !== undefined)('nor does it on PostgreSQL', { timeout: TEST_MS_MAX }, async () => {
  await expectWhole('--database', 'postgresql');
});

test('bad options are explained', { timeout: TEST_MS_MAX }, async () => {
  for (const args of [
    ['--rounds', '0'],
    ['--nodes', '3'],
    ['--database', 'sqlite', '--nodes', '2'],
    ['--database', 'postgresql', '--power-cut'],
  ])
    expect(await crash(...args)).toEqual({ code: 2, said: '', left: [] });
});
