import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isGatewayError } from '../../src/kernel/errors.js';
import { asUnavailable } from '../../src/store/database-failure.js';
import { openSqliteStore, type Store } from '../../src/store/index.js';
import { openTestStore } from '../fakes/store.js';

let store: Store;
beforeEach(async () => {
  store = await openTestStore();
});
afterEach(() => store.close());

const anItem = (id: string) => ({ id, topic: 'test', payload: '{}', createdAt: new Date(0) });

describe('the control plane', () => {
  // A Prisma client on SQLite is one connection: without the reader, this read would see the row.
  test('a read does not see what a transaction has not committed', async () => {
    let seenInside = -1;
    await store.control.transact(async (tx) => {
      await tx.outboxItem.create({ data: anItem('a') });
      seenInside = await store.control.read.outboxItem.count();
    });
    expect(seenInside).toBe(0);
    expect(await store.control.read.outboxItem.count()).toBe(1);
  });

  test("a rollback takes nobody else's write with it", async () => {
    const results = await Promise.allSettled([
      store.control.transact(async (tx) => {
        await tx.outboxItem.create({ data: anItem('bad') });
        throw new Error('no');
      }),
      store.control.transact((tx) => tx.outboxItem.create({ data: anItem('good') })),
    ]);
    expect(results.map((result) => result.status)).toEqual(['rejected', 'fulfilled']);
    expect((await store.control.read.outboxItem.findMany()).map((row) => row.id)).toEqual(['good']);
  });

  test('hints run after the commit, and not after a rollback', async () => {
    const hints: string[] = [];
    await store.control.transact(async (_, { afterCommit }) => afterCommit(() => hints.push('committed')));
    await store.control
      .transact(async (_, { afterCommit }) => {
        afterCommit(() => hints.push('rolled back'));
        throw new Error('no');
      })
      .catch(() => {});
    expect(hints).toEqual(['committed']);
  });
});

test.each([
  [{ code: 'SQLITE_FULL', message: '' }, true],
  [{ code: 'SQLITE_IOERR_WRITE', message: '' }, true],
  [{ code: '53100', message: 'could not extend file' }, true],
  [{ code: '25006', message: 'cannot execute INSERT in a read-only transaction' }, true],
  [{ code: '57P01', message: 'terminating connection due to administrator command' }, true],
  [{ code: 'P2010', message: 'Raw query failed. Message: `database or disk is full`' }, true],
  [{ code: 'SQLITE_CONSTRAINT_UNIQUE', message: '' }, false],
  [{ code: '23505', message: 'duplicate key' }, false],
  [{ code: 'NOT_FOUND', message: 'NOT_FOUND: There is no such plan.' }, false],
])('%j is told as 503: %s', (failure, isTold) => {
  expect(isGatewayError(asUnavailable(failure), 'UNAVAILABLE')).toBe(isTold);
});

describe('on SQLite', () => {
  let folder: string;
  let sqlite: Store;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'causeway-'));
    sqlite = await openSqliteStore(folder);
  });
  afterEach(async () => {
    await sqlite.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('a commit is on the disk before it is answered: WAL with full sync on the writer and the reader', async () => {
    const [mode] = await sqlite.control.transact((tx) => tx.$queryRawUnsafe<{ journal_mode: string }[]>('PRAGMA journal_mode'));
    const [sync] = await sqlite.control.transact((tx) => tx.$queryRawUnsafe<{ synchronous: number | bigint }[]>('PRAGMA synchronous'));
    expect(mode?.journal_mode).toBe('wal');
    expect(Number(sync?.synchronous)).toBe(2);
  });

  test('a full disk is 503, stores nothing, and is over when there is room again', async () => {
    const pages = (most: number) => sqlite.control.transact((tx) => tx.$queryRawUnsafe(`PRAGMA max_page_count=${most}`));
    const [{ page_count: used } = { page_count: 0n }] = await sqlite.control.transact((tx) =>
      tx.$queryRawUnsafe<{ page_count: bigint }[]>('PRAGMA page_count'),
    );
    await pages(Number(used) + 2);
    const large = { ...anItem('large'), payload: 'x'.repeat(100_000) };
    await expect(sqlite.control.transact((tx) => tx.outboxItem.create({ data: large }))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await pages(1_000_000);
    expect(await sqlite.control.read.outboxItem.count()).toBe(0);
    await sqlite.control.transact((tx) => tx.outboxItem.create({ data: large }));
  });

  test('a second process on the same folder is told so', async () => {
    await expect(openSqliteStore(folder)).rejects.toMatchObject({ code: 'STORE.LOCKED' });
  });
});
