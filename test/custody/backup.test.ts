import { fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createCausewayClient } from '../../sdks/typescript/index.js';
import { luhnDigit } from '../../src/kernel/iccid.js';
import { makeBackup, openSqliteStore, readManifest, restoreBackup, verifyBackup } from '../../src/store/index.js';
import { createHome, type GatewayHome, type GatewayProcess, startGateway } from '../../tools/gateway/gateway-process.js';
import { createPlace, linesOf, type Place } from '../process/program.js';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const NOW = Date.UTC(2026, 10, 22);
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'causeway-backup-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);
const idsIn = (file: string, sql: string): string[] => {
  const database = new Database(file, { readonly: true });
  try {
    return database.prepare(sql).pluck().all() as string[];
  } finally {
    database.close();
  }
};

describe('while a gateway works', () => {
  let home: GatewayHome;
  let gateway: GatewayProcess;
  let place: Place;
  beforeAll(async () => {
    place = await createPlace();
    home = await createHome();
    gateway = await startGateway(home);
  });
  afterAll(async () => {
    await gateway.stop();
    await place.leave();
    home.remove();
  });

  async function causeway(...args: string[]): Promise<{ code: number | null; said: string }> {
    const program = place.run('dist/cli/main.js', args, home.variables);
    const { code } = await program.ended;
    return { code, said: program.output() };
  }

  test('everything that was answered before the backup began is in it, it verifies, and a gateway starts from it', async () => {
    const partner = createCausewayClient({ serverUrl: home.url, ...home.credentials() });
    const answered: string[] = [];
    let isOver = false;
    async function write(lane: number): Promise<void> {
      for (let number = 0; !isOver; number += 1) {
        const digits = `8999957${lane}${String(number).padStart(10, '0')}`;
        const iccid = `${digits}${luhnDigit(digits)}`;
        const batch = await partner.createSimBatch({ body: { market: 'XS', sims: [{ iccid }] }, headers: { 'Idempotency-Key': iccid } });
        answered.push(batch.id);
      }
    }
    const writing = [1, 2, 3].map(write);
    await vi.waitFor(() => expect(answered.length).toBeGreaterThan(20), { timeout: 30_000 });
    const before = [...answered];
    const made = await causeway('backup', at('one'));
    const during = answered.length - before.length;
    isOver = true;
    await Promise.all(writing);

    expect(made.said).toContain('ok: backup of');
    expect(made.said).toContain('The keys are not in it');
    expect(made.code).toBe(0);
    expect(during, 'it was written to meanwhile').toBeGreaterThan(0);
    expect(idsIn(at('one/gateway.db'), 'SELECT id FROM sim_batch')).toEqual(expect.arrayContaining(before));
    expect(readdirSync(at('one')).sort()).toEqual(['gateway.db', 'manifest.json', 'messages.db']);
    for (const name of readdirSync(at('one'))) expect(statSync(at(`one/${name}`)).mode & 0o077, name).toBe(0);

    const drill = await causeway('restore', at('one'), '--check');
    expect(drill.said).toContain('opens it');
    expect(drill.code).toBe(0);

    const refused = await causeway('restore', at('one'), '--force');
    expect(refused).toEqual({ code: 1, said: expect.stringContaining('Another process uses the data folder') });

    // The same keys, another data folder: what a new machine has after a loss.
    const data = at('data');
    const restored = await place.run('dist/cli/main.js', ['restore', at('one')], { ...home.variables, CAUSEWAY_DATA_DIR: data }).ended;
    expect(restored.code).toBe(0);
    const again = place.start({ CAUSEWAY_DATA_DIR: data, CAUSEWAY_KEYS_DIR: home.keysDir });
    await again.url();
    again.child.kill('SIGTERM');
    expect((await again.ended).code).toBe(0);
    expect(idsIn(join(data, 'gateway.db'), 'SELECT id FROM sim_batch')).toEqual(expect.arrayContaining(before));
  });

  test('a folder that is not empty is left alone', async () => {
    writeFileSync(at('something'), 'of somebody');
    const { code, said } = await causeway('backup', folder);
    expect(code).toBe(1);
    expect(linesOf(said)).toEqual([expect.stringContaining('is not empty')]);
    expect(readdirSync(folder)).toEqual(['something']);
  });

  test('with PostgreSQL it names pg_dump and does nothing', async () => {
    const program = place.run('dist/cli/main.js', ['backup', at('pg')], {
      ...home.variables,
      CAUSEWAY_DATABASE_URL: 'postgresql://u:p@127.0.0.1:1/x',
    });
    expect((await program.ended).code).toBe(1);
    expect(program.stderr()).toContain('pg_dump');
    expect(existsSync(at('pg'))).toBe(false);
  });
});

test('both copies are of one moment: a row on its way from one file to the other is never in neither', async () => {
  const data = at('data');
  await (await openSqliteStore(data)).close();
  const rows = 8;
  const mover = fork(fileURLToPath(new URL('move-rows.mjs', import.meta.url)), [data, String(rows)], { execArgv: [] });
  const ended = once(mover, 'exit');
  await once(mover, 'message');
  const arrived = new Set<string>();
  try {
    for (let round = 0; round < 30; round += 1) {
      const copy = at(`copy-${round}`);
      await makeBackup(data, copy, NOW);
      const inControl = idsIn(join(copy, 'gateway.db'), 'SELECT id FROM control_outbox');
      const inMessages = idsIn(join(copy, 'messages.db'), 'SELECT id FROM outbox');
      expect(new Set([...inControl, ...inMessages]).size, `round ${round}`).toBe(rows);
      arrived.add(`${inControl.length} ${inMessages.length}`);
    }
  } finally {
    mover.send('over');
    await ended;
  }
  expect(arrived.size, 'the rows moved').toBeGreaterThan(1);
});

describe('restore', () => {
  beforeEach(async () => {
    await (await openSqliteStore(at('data'))).close();
    await makeBackup(at('data'), at('backup'), NOW);
  });

  test('a backup with a changed byte, without a file or without a manifest is refused, and nothing was touched', async () => {
    await makeBackup(at('data'), at('other'), NOW);
    appendFileSync(at('backup/messages.db'), 'x');
    await expect(restoreBackup(at('backup'), at('fresh'), { force: false, now: NOW })).rejects.toMatchObject({
      code: 'STORE.BACKUP_DAMAGED',
    });
    rmSync(at('backup/messages.db'));
    await expect(verifyBackup(at('backup'))).rejects.toMatchObject({ code: 'STORE.BACKUP_DAMAGED' });
    rmSync(at('other/manifest.json'));
    await expect(verifyBackup(at('other'))).rejects.toMatchObject({ code: 'STORE.BACKUP_DAMAGED' });
    expect(readdirSync(at('fresh'))).toEqual(['lock.db']);
  });

  test('databases that are there are refused, and moved aside with force', async () => {
    await expect(restoreBackup(at('backup'), at('data'), { force: false, now: NOW })).rejects.toMatchObject({ code: 'CONFIG.INVALID' });
    const store = await openSqliteStore(at('data'));
    await store.control.transact((tx) => tx.eventCounter.create({ data: { partnerId: 'later', position: 1n } }));
    await store.close();
    const { replaced } = await restoreBackup(at('backup'), at('data'), { force: true, now: NOW });
    expect(idsIn(at('data/gateway.db'), 'SELECT "partnerId" FROM event_counter')).toEqual([]);
    expect(idsIn(join(replaced ?? '', 'gateway.db'), 'SELECT "partnerId" FROM event_counter')).toEqual(['later']);
  });

  test('one that died half-way keeps the gateway from starting until it is run again', async () => {
    writeFileSync(at('data/restore-unfinished'), at('backup'));
    rmSync(at('data/messages.db'));
    await expect(openSqliteStore(at('data'))).rejects.toMatchObject({ code: 'STORE.RESTORE_UNFINISHED' });
    expect(existsSync(at('data/messages.db'))).toBe(false);
    await restoreBackup(at('backup'), at('data'), { force: true, now: NOW });
    await (await openSqliteStore(at('data'))).close();
  });

  test('the manifest names the migrations and the sums', () => {
    const { files } = readManifest(at('backup'));
    expect(files.map(({ name }) => name)).toEqual(['gateway.db', 'messages.db']);
    for (const { migrations } of files) expect(migrations.length).toBeGreaterThan(0);
    expect(readFileSync(at('backup/manifest.json'), 'utf8')).not.toMatch(/key/i);
  });
});
