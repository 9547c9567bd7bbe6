import { PrismaPg } from '@prisma/adapter-pg';
import type { Clock } from '../../kernel/clock.js';
import type { Closable } from '../../kernel/closing-stack.js';
import { assert } from '../../kernel/errors.js';
import type { ControlReader, ControlStore, ControlTransaction } from '../control.js';
import { asUnavailable, isAway } from '../database-failure.js';
import { Prisma, PrismaClient } from '../generated/postgresql/client.js';
import { wasCommitted } from './commit-fate.js';
import { persevere } from './persevere.js';
import { poolConfig } from './pool-config.js';

const TRANSACTION_MS_MAX = 10_000;
const READERS_MAX = 6;
const WRITERS_MAX = 6;

/**
 * The control plane on PostgreSQL. Transactions are serializable, so that "look, then write" holds between nodes as it does
 * on SQLite's single writer; one that another was in the way of, or whose connection was lost, is run again, so `work`
 * changes nothing outside of `tx`. Reads have connections of their own: transactions that read beside themselves would wait
 * for each other's.
 *
 * The two providers' clients have the same models; their generated types differ in name only (ADR 0001).
 */
export function openPostgresControl(url: string, clock: Clock, onError: (failure: Error) => void): ControlStore & Closable {
  const open = (max: number) =>
    new PrismaClient({ adapter: new PrismaPg(poolConfig(url, max), { onPoolError: onError, onConnectionError: onError }) });
  const writer = open(WRITERS_MAX);
  const reader = open(READERS_MAX);
  const retrying = reader.$extends({
    query: {
      $allOperations: ({ args, query }) =>
        persevere(clock, () => query(args)).catch((failure: unknown) => {
          throw asUnavailable(failure);
        }),
    },
  });
  const ask = (sql: string, parameter: string) => reader.$queryRawUnsafe<Record<string, unknown>[]>(sql, parameter);

  return {
    read: retrying as unknown as ControlReader,
    skipLocked: Prisma.raw('FOR UPDATE SKIP LOCKED'),
    async transact(work, { takesWork = false } = {}) {
      const attempt = async () => {
        const hints: (() => void)[] = [];
        let done: { result: Awaited<ReturnType<typeof work>>; xid: string | null } | undefined;
        try {
          await writer.$transaction(
            async (own) => {
              const tx = own as unknown as ControlTransaction;
              const result = await work(tx, { afterCommit: (hint) => hints.push(hint) });
              done = { result, xid: await writtenBy(tx) };
            },
            { timeout: TRANSACTION_MS_MAX, maxWait: TRANSACTION_MS_MAX, isolationLevel: takesWork ? 'ReadCommitted' : 'Serializable' },
          );
        } catch (failure) {
          if (!done?.xid || !isAway(failure) || !(await wasCommitted(done.xid, ask, clock))) throw failure;
        }
        assert(done, 'a transaction that was committed has done its work');
        return { result: done.result, hints };
      };
      const { result, hints } = await persevere(clock, attempt).catch((failure: unknown) => {
        throw asUnavailable(failure);
      });
      for (const hint of hints) hint();
      return result;
    },
    async close() {
      await writer.$disconnect();
      await reader.$disconnect();
    },
  };
}

/** The transaction's id, by which the server can be asked later what became of it; null when it has written nothing. */
async function writtenBy(tx: ControlTransaction): Promise<string | null> {
  const [row] = await tx.$queryRaw<{ xid: string | null }[]>`SELECT pg_current_xact_id_if_assigned()::text AS xid`;
  return row?.xid ?? null;
}
