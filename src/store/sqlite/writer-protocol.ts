import type { StatementRows } from '../operation.js';

/** One operation's share of a transaction: its statements and the items of all callers, each as JSON text. */
export interface WriteGroup {
  statements: readonly string[];
  items: readonly string[];
}

export interface WriteRequest {
  groups: readonly WriteGroup[];
}

/** Either all items of a group succeeded together, or each was tried alone. */
export type GroupAnswer = { together: StatementRows[] } | { alone: ({ rows: StatementRows[] } | { error: string; code: string })[] };

export interface WriteAnswer {
  groups: GroupAnswer[];
}
