import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeFolder } from '../../src/kernel/make-folder.js';

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'causeway-folder-'));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

test('the folders above are made too, for their owner alone, and making them again changes nothing', () => {
  const folder = join(place, 'a', 'b');
  makeFolder(folder);
  makeFolder(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test('a file in the way is said', () => {
  writeFileSync(join(place, 'file'), '');
  expect(() => makeFolder(join(place, 'file', 'below'))).toThrow(/not a (folder|directory)/);
});

// Node's mkdir with `recursive` runs for ever here.
test.runIf(process.platform === 'linux')('a place that takes no folders is said, and soon', () => {
  expect(() => makeFolder('/proc/no/such/place')).toThrow();
});
