import type { Operation, Row } from './operation.js';

/** A value that a statement can be given. */
export type Parameter = string | number | null;

/** The store of the hot path: `messages.db` on SQLite, the same tables of the one database on PostgreSQL. */
export interface MessageStore {
  /**
   * Hands an item to the writer. Resolves after the commit that holds it; never before.
   *
   * @throws GatewayError `UNAVAILABLE` when too much is waiting or the store is closing; nothing was written then.
   */
  run<Item, Result>(operation: Operation<Item, Result>, item: Item): Promise<Result>;
  /** Reads committed rows. Parameters are `$1`, `$2`, …, in both databases. */
  read<R extends Row = Row>(sql: string, parameters?: readonly Parameter[]): Promise<R[]>;
  /** Items that wait for a commit, for metrics and backpressure. */
  waiting(): number;
}
