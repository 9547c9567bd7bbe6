/** A row as the database gives it: text, numbers and nulls. */
export type Row = Record<string, string | number | null>;

/** What one statement answered: its `RETURNING` or `SELECT` rows, or none. */
export type StatementRows = readonly Row[];

/**
 * A write on the hot path, as data: set-based SQL that serves a whole batch of callers in one transaction.
 *
 * Callers hand in one item each; the writer runs all that are waiting together and tells the callers only after the
 * commit (group commit). Because an operation is SQL and not code, the same text runs in SQLite's writer thread and on
 * PostgreSQL. Every statement sees the whole batch:
 *
 * - `:batch` in a FROM clause is a table `b` with a row for each item: `b.key` is its place in the batch (from 0) and
 *   `b.value` its JSON. Read fields with `b.value ->> 'name'` (text) or `CAST(b.value ->> 'name' AS BIGINT)`.
 * - `:members(name)` is a table `e` with a row for each member of the items' arrays of that name (one array in a statement):
 *   `e.value` as above, and `e.place` the `b.key` of its item.
 * - `:skipLocked` ends a SELECT that takes rows: they are this transaction's until the commit, and those that another node
 *   is changing at that moment are left out. SQLite has one writer, so it is empty there.
 * - Statements run in order, in one transaction, and see what the earlier ones did.
 * - Keep to the SQL both databases share: `INSERT … SELECT … FROM :batch WHERE true ON CONFLICT …`, `UPDATE … FROM`,
 *   `RETURNING`, window functions. Instants are BIGINT milliseconds, bytes are base64url text.
 *
 * An item that makes a statement fail is found by running the batch's items one by one; only its caller sees the error.
 */
export interface Operation<Item, Result> {
  /** `engine.sendMessages`: unique, for logs and metrics. */
  readonly name: string;
  readonly statements: readonly string[];
  /** Each caller's answer from the statements' rows, in the items' order. Runs after the commit. */
  settle(items: readonly Item[], rows: readonly StatementRows[]): Result[];
}

export const defineOperation = <Item, Result>(operation: Operation<Item, Result>): Operation<Item, Result> => operation;

/** `settle` for operations whose callers need only know that it is stored. */
export const settleNothing = (items: readonly unknown[]): undefined[] => items.map(() => undefined);
