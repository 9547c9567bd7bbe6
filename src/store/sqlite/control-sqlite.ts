import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3';
import type { SqlDriverAdapterFactory } from '@prisma/driver-adapter-utils';
import type { Closable } from '../../kernel/closing-stack.js';
import type { ControlStore } from '../control.js';
import { asUnavailable } from '../database-failure.js';
import { Prisma, PrismaClient } from '../generated/sqlite/client.js';
import { controlWriter } from './control-writer.js';
import { CHECKPOINT, PRAGMAS, WAIT } from './pragmas.js';

/** How long one transaction may run before it is rolled back; a bulk chunk of 200 rows takes about 100 ms. */
const TRANSACTION_MS_MAX = 10_000;

/**
 * Opens `gateway.db`: a reader client, and a writer client that only `transact` uses, one transaction at a time
 * (ADR 0002). The file must have been migrated.
 */
export async function openSqliteControl(file: string): Promise<ControlStore & Closable & { checkpoint(): Promise<void> }> {
  const reader = await openClient(new PrismaBetterSqlite3({ url: `file:${file}` }));
  const writer = await openClient(controlWriter(file));
  await reader.$queryRawUnsafe('PRAGMA query_only=ON');
  let last: Promise<unknown> = Promise.resolve();
  return {
    read: reader,
    skipLocked: Prisma.empty,
    transact(work) {
      const mine = last.then(async () => {
        const hints: (() => void)[] = [];
        const result = await writer
          .$transaction((tx) => work(tx, { afterCommit: (hint) => hints.push(hint) }), { timeout: TRANSACTION_MS_MAX })
          .catch((failure: unknown) => {
            throw asUnavailable(failure);
          });
        for (const hint of hints) hint();
        return result;
      });
      last = mine.catch(() => undefined);
      return mine;
    },
    checkpoint() {
      const mine = last.then(async () => {
        const pragma = (text: string) => writer.$queryRawUnsafe(`PRAGMA ${text}`);
        await pragma(WAIT.forNobody);
        try {
          await pragma(CHECKPOINT);
        } finally {
          await pragma(WAIT.asUsual);
        }
      });
      last = mine.catch(() => undefined);
      return mine;
    },
    async close() {
      await last;
      await reader.$disconnect();
      await writer.$disconnect();
    },
  };
}

async function openClient(adapter: SqlDriverAdapterFactory): Promise<PrismaClient> {
  const client = new PrismaClient({ adapter });
  for (const pragma of PRAGMAS) await client.$queryRawUnsafe(`PRAGMA ${pragma}`);
  return client;
}
