import type { Prisma, PrismaClient } from './generated/sqlite/client.js';

/** The reads of the control plane: committed rows only. */
export type ControlReader = Omit<PrismaClient, '$transaction' | '$connect' | '$disconnect' | '$on' | '$extends'>;

/** One open transaction of the control plane. */
export type ControlTransaction = Prisma.TransactionClient;

/** Things to do once a transaction is durable: wake-ups, which are hints only (a sweep finds what a lost one forgot). */
export interface AfterCommit {
  afterCommit(hint: () => void): void;
}

export interface TransactionOptions {
  /**
   * It changes only rows that it has taken with `skipLocked`. Then it need not be serializable on PostgreSQL, where many
   * nodes may take work side by side and none has to begin anew because of another.
   */
  readonly takesWork?: boolean;
}

/**
 * The store of the control plane (partners' state, plans, sims, orders, subscriptions, events, webhooks, audit): Prisma
 * on `gateway.db`, or on the one PostgreSQL database.
 */
export interface ControlStore {
  readonly read: ControlReader;
  /**
   * Runs `work` in one transaction and resolves after its commit; when `work` throws, nothing of it is there.
   * On SQLite transactions run one at a time: a Prisma client is one connection there, and a second transaction's
   * statements would end up inside the first (traps.md). So `work` does no I/O but its own statements.
   */
  transact<T>(work: (tx: ControlTransaction, hints: AfterCommit) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /**
   * Ends a SELECT of a transaction that takes work: its rows are this transaction's until the commit, and those that another
   * node is taking at that moment are left out. It is empty on SQLite, which has one writer.
   */
  readonly skipLocked: Prisma.Sql;
}
