import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/kernel/clock.js';
import { defineOperation, openPostgresStore, type Store, settleNothing } from '../../src/store/index.js';
import { createTestDatabase, type TestDatabase } from '../fakes/database.js';
import { type CommitFate, type DatabaseProxy, openDatabaseProxy } from '../fakes/database-proxy.js';
import { findServices } from '../fakes/services.js';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const { urls, skipped } = await findServices('postgres');

let database: TestDatabase;
let proxy: DatabaseProxy;
let store: Store;
/** Beside the proxy. */
let server: pg.Client;

const count = defineOperation<{ id: string }, undefined>({
  name: 'test.count',
  statements: [
    `INSERT INTO outbox (id, topic, payload, created_at)
     SELECT b.value ->> 'id', 'test', '1', 0 FROM :batch WHERE true
     ON CONFLICT (id) DO UPDATE SET payload = CAST(CAST(outbox.payload AS INTEGER) + 1 AS TEXT)`,
  ],
  settle: settleNothing,
});
/** By id, how often it was stored. */
async function counted(): Promise<Record<string, string>> {
  const { rows } = await server.query<{ id: string; payload: string }>('SELECT id, payload FROM outbox');
  return Object.fromEntries(rows.map(({ id, payload }) => [id, payload]));
}
const rowsOfControl = async (): Promise<string[]> =>
  (await server.query<{ id: string }>('SELECT id FROM control_outbox ORDER BY id')).rows.map(({ id }) => id);

const append = (id: string, during: () => unknown = () => undefined): Promise<void> =>
  store.control.transact(async (tx) => {
    await tx.outboxItem.create({ data: { id, topic: 'test', payload: '{}', createdAt: new Date(0) } });
    await during();
  });

const terminateAll = () =>
  server.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()');

describe.skipIf(skipped)(`a lost connection${skipped ? ` (${skipped})` : ''}`, () => {
  beforeEach(async () => {
    database = await createTestDatabase(urls.postgres);
    proxy = await openDatabaseProxy(database.url);
    store = await openPostgresStore(proxy.url, systemClock, () => undefined);
    server = new pg.Client({ connectionString: database.url });
    await server.connect();
  });
  afterEach(async () => {
    await store.close();
    await proxy.close();
    await server.end();
    await database.drop();
  });

  test.each<[string, () => unknown]>([
    ['ended by the server', () => terminateAll()],
    ['cut by the network', () => proxy.cut()],
  ])('%s while nobody uses it is not noticed by anybody', async (_, lose) => {
    await append('a');
    await store.messages.run(count, { id: 'a' });
    await lose();
    expect(await store.control.read.outboxItem.count()).toBe(1);
    expect(await store.messages.read('SELECT id FROM outbox')).toEqual([{ id: 'a' }]);
    await lose();
    await Promise.all([append('b'), store.messages.run(count, { id: 'b' })]);
    expect(await rowsOfControl()).toEqual(['a', 'b']);
    expect(await counted()).toEqual({ a: '1', b: '1' });
  });

  test.each<[string, () => unknown]>([
    ['ended by the server', () => terminateAll()],
    ['cut by the network', () => proxy.cut()],
  ])('%s in the middle of a transaction: it is run again, and is there once', async (_, lose) => {
    let runs = 0;
    await append('a', () => runs++ === 0 && lose());
    expect(runs).toBe(2);
    expect(await rowsOfControl()).toEqual(['a']);
  });

  test.each<CommitFate>(['lost on the way', 'lost, half open', 'answer lost'])(
    'a COMMIT that is %s: what was stored is there once, and the caller is told so',
    async (fate) => {
      const ofControl = proxy.onCommit(fate);
      let hints = 0;
      let runs = 0;
      await store.control.transact(async (tx, { afterCommit }) => {
        runs++;
        afterCommit(() => hints++);
        await tx.outboxItem.create({ data: { id: 'a', topic: 'test', payload: '{}', createdAt: new Date(0) } });
      });
      expect({ happened: ofControl(), runs, hints }).toEqual({ happened: 1, runs: fate === 'answer lost' ? 1 : 2, hints: 1 });
      expect(await rowsOfControl()).toEqual(['a']);

      const ofMessages = proxy.onCommit(fate);
      await Promise.all(['a', 'b', 'c'].map((id) => store.messages.run(count, { id })));
      expect(ofMessages()).toBe(1);
      expect(await counted()).toEqual({ a: '1', b: '1', c: '1' });
    },
  );

  test('a server that is away for long is 503 for every caller, with nothing stored, and all goes on when it is back', async () => {
    await append('a');
    await proxy.stop();
    const calls = [
      append('b'),
      store.control.read.outboxItem.count(),
      store.messages.read('SELECT 1 AS one'),
      ...Array.from({ length: 50 }, (_, i) => store.messages.run(count, { id: `item-${i}` })),
    ];
    const answers = await Promise.allSettled(calls);
    for (const answer of answers) expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'UNAVAILABLE', status: 503 } });
    await proxy.start();
    await Promise.all([append('c'), store.messages.run(count, { id: 'c' })]);
    expect(await rowsOfControl()).toEqual(['a', 'c']);
    expect(await counted()).toEqual({ c: '1' });
  });

  test('a server that takes connections and says nothing is 503 as well', async () => {
    proxy.cut();
    proxy.swallow(true);
    const answers = await Promise.allSettled([append('a'), store.messages.read('SELECT 1 AS one'), store.messages.run(count, { id: 'a' })]);
    for (const answer of answers) expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'UNAVAILABLE' } });
    proxy.swallow(false);
    proxy.cut();
    await append('a');
    expect(await rowsOfControl()).toEqual(['a']);
  });

  test('when the server stays away after a COMMIT, the caller is told that it may be stored', async () => {
    for (const write of [() => append('a'), () => store.messages.run(count, { id: 'a' })]) {
      proxy.onCommit('answer lost, and the server stays away');
      await expect(write()).rejects.toMatchObject({ code: 'UNAVAILABLE', detail: expect.stringContaining('it may be there') });
      await proxy.start();
    }
    expect([await rowsOfControl(), await counted()]).toEqual([['a'], { a: '1' }]);
    await append('b');
  });

  test('no connection is kept for good by transactions whose connection was lost', async () => {
    for (let round = 0; round < 15; round++) {
      let runs = 0;
      await append(`round-${round}`, () => runs++ === 0 && proxy.cut());
    }
    await Promise.all(Array.from({ length: 30 }, (_, i) => append(`after-${i}`)));
    expect(await rowsOfControl()).toHaveLength(45);
  });

  test('load goes on while all connections are ended again and again: nothing is missing and nothing is twice', {
    timeout: 60_000,
  }, async () => {
    const told = { control: new Set<string>(), messages: new Set<string>() };
    let isOver = false;
    const refused: unknown[] = [];
    const load = async (worker: number): Promise<void> => {
      for (let i = 0; !isOver; i++) {
        const id = `${worker}-${i}`;
        await append(id).then(
          () => told.control.add(id),
          (failure: unknown) => refused.push(failure),
        );
        await store.messages.run(count, { id }).then(
          () => told.messages.add(id),
          (failure: unknown) => refused.push(failure),
        );
      }
    };
    const workers = Array.from({ length: 8 }, (_, worker) => load(worker));
    for (let round = 0; round < 25; round++) {
      const before = told.messages.size;
      while (told.messages.size < before + 5) await store.messages.read('SELECT 1 AS one');
      await (round % 2 === 0 ? terminateAll() : proxy.cut());
    }
    isOver = true;
    await Promise.all(workers);
    for (const failure of refused) expect(failure).toMatchObject({ code: 'UNAVAILABLE' });
    expect(new Set(await rowsOfControl())).toEqual(told.control);
    const stored = await counted();
    expect(new Set(Object.keys(stored))).toEqual(told.messages);
    expect(new Set(Object.values(stored))).toEqual(new Set(['1']));
  });
});
