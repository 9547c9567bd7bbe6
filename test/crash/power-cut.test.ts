/** The power of a gateway on SQLite is cut, in a copy of its files, while a load runs: what was answered is in the copy. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Crash, openCrash } from '../../tools/crash/crash.js';
import { cutPower } from '../../tools/crash/power-cut.js';
import { tornAfterLastCommit } from '../../tools/crash/wal.js';

const TEST_MS_MAX = 300_000;
const SEED = Number(process.env['CRASH_SEED'] ?? 20_261_123);
const CUTS = 2;

let crash: Crash;
beforeAll(async () => {
  crash = await openCrash({ seed: SEED, repeatablesMax: 60 });
}, TEST_MS_MAX);
afterAll(() => crash?.close(), TEST_MS_MAX);

test('at any moment, the files open and hold everything that was answered', { timeout: TEST_MS_MAX }, async () => {
  for (let cut = 0; cut < CUTS; cut++) {
    await crash.answers(40 + crash.random(60));
    expect(await cutPower(crash)).toEqual([]);
  }
});

test('without their logs they would not: the comparison sees what is missing', { timeout: TEST_MS_MAX }, async () => {
  await crash.answers(20);
  // A database that is not whole does not even start.
  const findings = await cutPower(crash, (wal) => wal.subarray(0, 0)).then(
    (found) => found.length,
    () => 1,
  );
  expect(findings).toBeGreaterThan(0);
});

test('a torn log keeps its commits, and what lies behind the last of them is ignored', () => {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-wal-'));
  const at = (name: string) => join(folder, name);
  const database = new Database(at('whole.db'));
  try {
    database.pragma('journal_mode=WAL');
    database.pragma('cache_size=5');
    database.exec('CREATE TABLE row (text TEXT)');
    const insert = database.prepare('INSERT INTO row VALUES (?)');
    insert.run('committed');
    database.exec('BEGIN');
    // More than the cache holds: pages of the open transaction are in the log already.
    for (let count = 0; count < 100; count++) insert.run('x'.repeat(4_000));
    copyFileSync(at('whole.db'), at('cut.db'));
    const wal = readFileSync(at('whole.db-wal'));
    const torn = tornAfterLastCommit(wal);
    expect(torn.length).toBeLessThan(wal.length);
    writeFileSync(at('cut.db-wal'), torn);
    const cut = new Database(at('cut.db'));
    expect(cut.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(cut.prepare('SELECT text FROM row').pluck().all()).toEqual(['committed']);
    cut.close();
  } finally {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
