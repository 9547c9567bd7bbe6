import { Worker } from 'node:worker_threads';
import {
  DriverAdapterError,
  type Error as DriverError,
  type SqlDriverAdapter,
  type SqlDriverAdapterFactory,
  type SqlQuery,
  type SqlResultSet,
  type Transaction,
} from '@prisma/driver-adapter-utils';
import { GatewayError } from '../../kernel/errors.js';
import { compiled } from './compiled.js';
import type { Ask, Told } from './control-writer-thread.js';

const KIND = { provider: 'sqlite', adapterName: '@prisma/adapter-better-sqlite3' } as const;

/** Prisma's driver for the writer of `gateway.db`: its statements run in a worker thread, where an fsync stops nobody. */
export const controlWriter = (file: string): SqlDriverAdapterFactory => ({ ...KIND, connect: () => openWriter(file) });

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

async function openWriter(file: string): Promise<SqlDriverAdapter> {
  const worker = new Worker(compiled('control-writer-thread.js'), { workerData: { file } });
  await new Promise<void>((resolve, reject) => worker.once('online', resolve).once('error', reject));
  const pending = new Map<number, { resolve(result: unknown): void; reject(failure: unknown): void }>();
  let asked = 0;
  let gone: GatewayError | undefined;

  worker.on('message', (told: Told) => {
    const asker = pending.get(told.id);
    pending.delete(told.id);
    if (!('failure' in told)) asker?.resolve(told.result);
    else if (typeof told.failure === 'string') asker?.reject(new Error(told.failure));
    else asker?.reject(new DriverAdapterError(told.failure as DriverError));
  });
  worker.on('error', (cause) => end(cause));
  const exited = new Promise<void>((resolve) =>
    worker.once('exit', () => {
      end(undefined);
      resolve();
    }),
  );

  /** Nobody waits for a writer that has gone. */
  function end(cause: unknown): void {
    gone ??= new GatewayError('UNAVAILABLE', { detail: 'The store has stopped.', cause });
    for (const { reject } of pending.values()) reject(gone);
    pending.clear();
  }

  const ask = (what: WithoutId<Ask>): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (gone) return reject(gone);
      const id = ++asked;
      pending.set(id, { resolve, reject });
      worker.postMessage({ ...what, id } satisfies Ask);
    });

  const queryable = {
    ...KIND,
    queryRaw: async (query: SqlQuery) => (await ask({ act: 'queryRaw', query })) as SqlResultSet,
    executeRaw: async (query: SqlQuery) => (await ask({ act: 'executeRaw', query })) as number,
  };
  const run = async (sql: string) => void (await queryable.executeRaw({ sql, args: [], argTypes: [] }));

  return {
    ...queryable,
    executeScript: (script) => run(script),
    /** `transact` begins none before the one before it has ended. */
    async startTransaction(): Promise<Transaction> {
      await run('BEGIN');
      return {
        ...queryable,
        // Prisma sends COMMIT and ROLLBACK as statements; `rollback` alone is what it does with one that came too late.
        options: { usePhantomQuery: false },
        commit: async () => undefined,
        rollback: async () => void (await ask({ act: 'abandon' })),
        createSavepoint: (name) => run(`SAVEPOINT ${name}`),
        rollbackToSavepoint: (name) => run(`ROLLBACK TO ${name}`),
        releaseSavepoint: (name) => run(`RELEASE SAVEPOINT ${name}`),
      };
    },
    async dispose() {
      if (!gone) await ask({ act: 'close' });
      await exited;
    },
  };
}
