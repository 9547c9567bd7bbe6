import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { checkArchitecture } from '../../tools/check-architecture.mjs';

function aTree(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-architecture-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

test('every arrow in src points down', () => {
  expect(checkArchitecture(fileURLToPath(new URL('../../src', import.meta.url)))).toEqual([]);
});

test.each([
  [
    'the engine importing a feature',
    { 'engine/a.ts': "import { x } from '../sms/index.js';" },
    /engine may import only kernel, store, bus/,
  ],
  ['an arrow that points up', { 'sms/a.ts': "import { x } from '../http/index.js';" }, /points up/],
  ["another feature's inside", { 'sms/a.ts': "import { x } from '../events/delivery.js';" }, /through its index.ts/],
  ['a dynamic import', { 'kernel/a.ts': "const x = await import('../store/index.js');" }, /kernel may import only kernel/],
  ['a re-export', { 'sms/a.ts': "export { x } from '../http/index.js';" }, /points up/],
  ['process outside main', { 'sms/a.ts': 'export const x = process.env;' }, /process\.env/],
  ['an unknown part', { 'helpers/a.ts': '' }, /unknown part/],
  ['the composition root imported', { 'http/a.ts': "import { x } from '../build.js';" }, /composition root/],
])('%s is named', (_, files, words) => {
  const folder = aTree(files as unknown as Record<string, string>);
  expect(checkArchitecture(folder).join('\n')).toMatch(words);
  rmSync(folder, { recursive: true, force: true });
});
