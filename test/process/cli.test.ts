import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPlace, linesOf, type Place, PROCESS_TEST_MS_MAX, ROOT } from './program.js';

vi.setConfig({ testTimeout: PROCESS_TEST_MS_MAX });

let place: Place;
beforeEach(async () => {
  place = await createPlace();
});
afterEach(() => place.leave());

async function causeway(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const program = place.run('dist/cli/main.js', args);
  const { code } = await program.ended;
  expect(program.output(), 'no stack trace').not.toMatch(/^\s+at /m);
  return { code, stdout: program.stdout(), stderr: program.stderr() };
}

test('partner lint says ok for the partners that we ship', async () => {
  const { code, stdout, stderr } = await causeway('partner', 'lint');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^ok: 3 partners, \d+ markets\n$/);
});

test('partner lint names every problem of a folder with file, line and fix, and ends with 3', async () => {
  const folder = join(place.folder, 'partners');
  cpSync(join(ROOT, 'partners'), folder, { recursive: true });
  const file = join(folder, 'e-plus', 'partner.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace('kind: operator', 'kind: carrier').replace('tls: off', 'tls: maybe'));
  const { code, stdout } = await causeway('partner', 'lint', folder);
  expect(code).toBe(3);
  const lines = linesOf(stdout);
  expect(lines.at(-1)).toBe('2 problems');
  for (const line of lines.slice(0, -1)) {
    expect(line).toMatch(/e-plus\/partner\.yaml:\d+/);
    expect(line).toContain('fix: ');
  }
});

test('--help tells what there is', async () => {
  const { code, stdout } = await causeway('--help');
  expect(code).toBe(0);
  expect(stdout).toContain('Usage: causeway');
  expect(stdout).toContain('partner');
  expect((await causeway('partner', '--help')).stdout).toContain('lint');
});

test.each([[['cook']], [['partner', 'cook']], [['partner', 'lint', '--fast']], [['--loud']]])(
  '%j is not something it does: exit code 4 and words on standard error',
  async (args) => {
    const { code, stdout, stderr } = await causeway(...args);
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toMatch(/^error: /);
  },
);
