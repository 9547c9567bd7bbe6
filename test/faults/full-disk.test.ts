import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createCausewayClient } from '../../sdks/typescript/index.js';
import { systemClock } from '../../src/kernel/clock.js';
import { defineOperation, openSqliteStore, settleNothing } from '../../src/store/index.js';
import { freshMsisdn } from '../../tools/demo/numbers.js';
import { CHECKOUT, createHome, type GatewayHome, type GatewayProcess, startGateway } from '../../tools/gateway/gateway-process.js';
import { openScriptedSmsc, type ScriptedSmsc } from '../fakes/scripted-smsc.js';
import { becomesReady, filesAreWhole, goesOn, type Load, nothingIsLostOrDoubled, PATIENCE, readiness, startLoad } from './load.js';
import { mountSmallDisk, noSmallDisk, type SmallDisk } from './small-disk.js';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 60_000 });

/** A copy of partners/ in which the link of E-Plus leads to an SMSC of the test's own. */
function partnersWithSmsc(port: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-partners-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(CHECKOUT, 'partners'), folder, { recursive: true });
  const file = join(folder, 'e-plus', 'partner.yaml');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('{ host: sandbox, port: 0 }', `{ host: 127.0.0.1, port: ${port} }`));
  return folder;
}

describe.skipIf(noSmallDisk !== undefined)(`a data folder on a small disk ${noSmallDisk ?? ''}`, () => {
  let disk: SmallDisk;
  let home: GatewayHome;
  let gateway: GatewayProcess | undefined;
  let load: Load | undefined;
  let smsc: ScriptedSmsc;
  beforeEach(async () => {
    disk = mountSmallDisk(96);
    smsc = await openScriptedSmsc({ clock: systemClock, systemIds: ['causeway'], onSubmit: async () => randomUUID() });
    const own = await createHome({ dataDir: join(disk.folder, 'data') });
    home = { ...own, variables: { ...own.variables, CAUSEWAY_PARTNERS_DIR: partnersWithSmsc(smsc.port) } };
  });
  afterEach(async () => {
    await load?.close();
    await gateway?.stop();
    await smsc.close();
    home.remove();
    disk.unmount();
  });

  test('that is full: writes are refused in words, reads go on, /readyz names it; with room again all goes on, nothing lost or doubled', async () => {
    gateway = await startGateway(home);
    const partner = createCausewayClient({ serverUrl: home.url, ...home.credentials() });
    load = await startLoad(home);
    const { refused, reads } = load;
    await goesOn(load);

    disk.fill();
    // What the logs still had room for goes through; then both files refuse.
    await vi.waitFor(() => expect(Math.min(refused.length, load?.unsent() ?? 0)).toBeGreaterThan(5), PATIENCE);
    expect(new Set(refused.map((refusal) => JSON.stringify(refusal)))).toEqual(
      new Set([
        JSON.stringify({
          status: 503,
          retryAfter: '5',
          code: 'UNAVAILABLE',
          detail: 'The store cannot be written at the moment; nothing was stored.',
          hint: 'Send the same request again after the time in Retry-After, with the same Idempotency-Key.',
        }),
      ]),
    );
    const { notReady, reasons } = await readiness(home);
    expect(notReady).toContain('disk');
    expect(reasons?.['disk']).toBe('The disk of the data folder is full: 0 MiB are left.');
    const readsBefore = reads.length;
    await vi.waitFor(() => expect(reads.length).toBeGreaterThan(readsBefore + 20), PATIENCE);
    expect(new Set(reads)).toEqual(new Set([200]));

    // A handset answers meanwhile: the SMSC is told to come back later, and does.
    const from = freshMsisdn();
    const answer = { sourceAddr: from.slice(1), destinationAddr: '9995790000001', shortMessage: Buffer.from('while it is full') };
    await expect(smsc.deliver('causeway', answer)).rejects.toMatchObject({ code: 'SMPP.REFUSED', statusName: 'ESME_RX_T_APPN' });
    expect(await replies()).toEqual([]);

    disk.clear();
    await becomesReady(home);
    await goesOn(load);
    await smsc.deliver('causeway', answer);
    await vi.waitFor(async () => expect(await replies()).toHaveLength(1), PATIENCE);
    await nothingIsLostOrDoubled(home, load);
    expect(await replies(), 'the answer came once').toHaveLength(1);
    await load.close();
    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
    filesAreWhole(home.dataDir);

    async function replies(): Promise<unknown[]> {
      const { items } = await partner.listEvents({ query: { limit: 200 } });
      return items.filter((event) => event.type === 'com.causeway.v1.sms-reply.received');
    }
  });

  test('that is read-only at the start is refused in one sentence', async () => {
    gateway = await startGateway(home);
    await gateway.stop();
    disk.setReadOnly(true);
    gateway = await startGateway(home);
    expect(await gateway.exited).toEqual({ code: 1, signal: null });
    expect(gateway.output().trim()).toBe(
      `CAUSEWAY_DATA_DIR is ${JSON.stringify(home.dataDir)}, which cannot be written; fix: make it a writable folder, or set CAUSEWAY_DATA_DIR to another one.`,
    );
    disk.setReadOnly(false);
    gateway = await startGateway(home);
    await becomesReady(home);
  });

  test('a checkpoint that finds no room fails, and both writers go on', async () => {
    const store = await openSqliteStore(join(disk.folder, 'store'));
    const write = defineOperation<{ id: string }, undefined>({
      name: 'test.write',
      statements: [
        `INSERT INTO outbox (id, topic, payload, created_at) SELECT b.value ->> 'id', 'test', '${'x'.repeat(100_000)}', 0 FROM :batch`,
      ],
      settle: settleNothing,
    });
    const count = (partnerId: string) => store.control.transact((tx) => tx.eventCounter.create({ data: { partnerId, position: 0 } }));
    try {
      for (let n = 0; n < 10; n++) await store.messages.run(write, { id: `before ${n}` });
      await count('before');
      disk.fill();
      await expect(store.checkpoint()).rejects.toThrow(/full/);
      disk.clear();
      await store.messages.run(write, { id: 'after' });
      await count('after');
      await store.checkpoint();
      const [row] = await store.messages.read<{ n: number }>('SELECT COUNT(*) AS n FROM outbox');
      expect([Number(row?.n), await store.control.read.eventCounter.count()]).toEqual([11, 2]);
    } finally {
      await store.close();
    }
  });
});
