import { PrismaPg } from '@prisma/adapter-pg';
import type pg from 'pg';
import type { Clock } from '../../kernel/clock.js';
import type { Closable } from '../../kernel/closing-stack.js';
import type { ControlReader, ControlStore, ControlTransaction } from '../control.js';
import { asUnavailable } from '../database-failure.js';
import { Prisma, PrismaClient } from '../generated/postgresql/client.js';
import { persevere } from './persevere.js';
import { openReaders, openWriters } from './pools.js';

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
  const open = (pool: pg.Pool) =>
    new PrismaClient({ adapter: new PrismaPg(pool, { onPoolError: onError, onConnectionError: onError, disposeExternalPool: true }) });
  const writer = open(openWriters(url, WRITERS_MAX, clock));
  const reader = open(openReaders(url, READERS_MAX, clock));
  return {
    read: tellingUnavailable(reader as unknown as ControlReader),
    skipLocked: Prisma.raw('FOR UPDATE SKIP LOCKED'),
    async transact(work, { takesWork = false } = {}) {
      const attempt = async () => {
        const hints: (() => void)[] = [];
        const result = await writer.$transaction(
          (tx) => work(tx as unknown as ControlTransaction, { afterCommit: (hint) => hints.push(hint) }),
          { timeout: TRANSACTION_MS_MAX, maxWait: TRANSACTION_MS_MAX, isolationLevel: takesWork ? 'ReadCommitted' : 'Serializable' },
        );
        return { result, hints };
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

/**
 * The same client, whose failures say `UNAVAILABLE` where the server is away. Prisma's own way to do so, an extension, costs
 * as much as half of a read.
 */
function tellingUnavailable<T extends object>(client: T): T {
  const models = new Map<object, object>();
  return new Proxy(client, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member === 'function') {
        return (...given: unknown[]): Promise<unknown> =>
          Promise.resolve(member.apply(target, given)).catch((failure: unknown) => {
            throw asUnavailable(failure);
          });
      }
      if (typeof member !== 'object' || member === null) return member;
      const model = models.get(member) ?? tellingUnavailable(member);
      models.set(member, model);
      return model;
    },
  });
}
