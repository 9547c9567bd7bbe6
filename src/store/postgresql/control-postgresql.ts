import { PrismaPg } from '@prisma/adapter-pg';
import { type Clock, sleep } from '../../kernel/clock.js';
import type { Closable } from '../../kernel/closing-stack.js';
import { backoffMs } from '../../kernel/retry.js';
import type { ControlStore } from '../control.js';
import { PrismaClient } from '../generated/postgresql/client.js';
import type { PrismaClient as SharedClient } from '../generated/sqlite/client.js';
import { asUnavailable } from '../unwritable.js';

const TRANSACTION_MS_MAX = 10_000;
const TRIES_MAX = 12;

/** Prisma's P2034 and the server's own words for "another transaction was in the way; try again". */
function isInTheWay(failure: unknown): boolean {
  const { code, message } = failure as { code?: string; message?: string };
  return code === 'P2034' || /could not serialize access|deadlock detected|TransactionWriteConflict/.test(message ?? '');
}

/**
 * The control plane on PostgreSQL. Transactions are serializable, so that "look, then write" holds between nodes as it does
 * on SQLite's single writer; one that another was in the way of is run again, so `work` changes nothing outside of `tx`.
 */
export function openPostgresControl(url: string, clock: Clock): ControlStore & Closable {
  const client = new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: 10 }) });
  // The two providers' clients have the same models; their generated types differ in name only (ADR 0001).
  const shared = client as unknown as SharedClient;
  return {
    read: shared,
    async transact(work) {
      for (let attempt = 1; ; attempt++) {
        const hints: (() => void)[] = [];
        try {
          const result = await shared.$transaction((tx) => work(tx, { afterCommit: (hint) => hints.push(hint) }), {
            timeout: TRANSACTION_MS_MAX,
            maxWait: TRANSACTION_MS_MAX,
            isolationLevel: 'Serializable',
          });
          for (const hint of hints) hint();
          return result;
        } catch (failure) {
          if (!isInTheWay(failure) || attempt === TRIES_MAX) throw asUnavailable(failure);
          await sleep(clock, backoffMs({ firstMs: 5, maxMs: 250 }, attempt));
        }
      }
    },
    close: () => client.$disconnect(),
  };
}
