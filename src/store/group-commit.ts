import type { Closable } from '../kernel/closing-stack.js';
import { GatewayError } from '../kernel/errors.js';
import { asUnavailable } from './database-failure.js';
import type { Operation, StatementRows } from './operation.js';

/** One operation's share of a transaction: its statements and the items of all callers, each as JSON text. */
export interface WriteGroup {
  statements: readonly string[];
  items: readonly string[];
}

/** Either all items of a group succeeded together, or each was tried in a transaction of its own. */
export type GroupAnswer = { together: StatementRows[] } | { alone: ({ rows: StatementRows[] } | { error: string; code: string })[] };

/** Runs all groups in one transaction; when that fails, each item alone. Rejects only when the writer is gone. */
export type WriteBatch = (groups: readonly WriteGroup[]) => Promise<GroupAnswer[]>;

export interface GroupCommit extends Closable {
  /** Resolves after the commit that holds the item. */
  run<Item, Result>(operation: Operation<Item, Result>, item: Item): Promise<Result>;
  waiting(): number;
  /** Refuses new items and resolves when those that wait are committed. */
  close(): Promise<void>;
}

/** Items of one transaction; more would hold up the first caller for the sake of the last. */
const BATCH_ITEMS_MAX = 1_024;
/** Items waiting beyond which callers are told to come back: the writer is then seconds behind. */
const WAITING_MAX = 50_000;

interface Waiting {
  // biome-ignore lint/suspicious/noExplicitAny: the queue holds operations of every type; run() keeps each pair typed
  operation: Operation<any, any>;
  item: unknown;
  json: string;
  resolve(result: unknown): void;
  reject(failure: unknown): void;
}

/**
 * Collects the items of many callers and commits all that wait in one transaction: while one commit is under way, the
 * next batch gathers. The callers are told after the commit, each its own answer.
 */
export function createGroupCommit(write: WriteBatch): GroupCommit {
  let waiting: Waiting[] = [];
  let inFlight = 0;
  let flushing: Promise<void> | undefined;
  let stopped: GatewayError | undefined;

  async function flush(): Promise<void> {
    // Whoever asks in this turn of the event loop joins the first batch.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const taken = waiting.slice(0, BATCH_ITEMS_MAX);
      waiting = waiting.slice(BATCH_ITEMS_MAX);
      inFlight = taken.length;
      const groups = groupByOperation(taken);
      try {
        const answers = await write(
          groups.map((group) => ({ statements: group[0]?.operation.statements ?? [], items: group.map((one) => one.json) })),
        );
        for (const [index, group] of groups.entries()) settle(group, answers[index] ?? { alone: [] });
      } catch (cause) {
        stopped = new GatewayError('UNAVAILABLE', { detail: 'The message store has stopped.', cause });
        for (const one of [...taken, ...waiting]) one.reject(stopped);
        waiting = [];
      }
      inFlight = 0;
    }
  }

  function start(): void {
    flushing ??= flush().finally(() => {
      flushing = undefined;
      // Somebody may have come between the last look and here.
      if (waiting.length > 0) start();
    });
  }

  return {
    run<Item, Result>(operation: Operation<Item, Result>, item: Item): Promise<Result> {
      if (stopped) return Promise.reject(stopped);
      if (waiting.length >= WAITING_MAX) {
        return Promise.reject(new GatewayError('UNAVAILABLE', { detail: 'The message store is behind.', headers: { 'Retry-After': '1' } }));
      }
      return new Promise<Result>((resolve, reject) => {
        waiting.push({ operation, item, json: JSON.stringify(item), resolve: resolve as (result: unknown) => void, reject });
        start();
      });
    },
    waiting: () => waiting.length + inFlight,
    async close() {
      stopped ??= new GatewayError('UNAVAILABLE', { detail: 'The message store is closing.' });
      while (flushing) await flushing;
    },
  };
}

function settle(group: readonly Waiting[], answer: GroupAnswer): void {
  if ('together' in answer) {
    settleTogether(group, answer.together);
    return;
  }
  for (const [index, one] of group.entries()) {
    const own = answer.alone[index];
    if (own && 'rows' in own) settleTogether([one], own.rows);
    else {
      const failure = new Error(`${one.operation.name} failed: ${own?.code} ${own?.error}`);
      one.reject(asUnavailable(Object.assign(failure, { code: own?.code })));
    }
  }
}

function settleTogether(group: readonly Waiting[], rows: StatementRows[]): void {
  try {
    const items = group.map((one) => one.item);
    const results = group[0]?.operation.settle(items, rows);
    for (const [index, one] of group.entries()) one.resolve(results?.[index]);
  } catch (failure) {
    for (const one of group) one.reject(failure);
  }
}

/** In the order in which each operation was first asked for. By hand, since Node 20 has no Map.groupBy. */
function groupByOperation(items: readonly Waiting[]): Waiting[][] {
  const groups = new Map<Waiting['operation'], Waiting[]>();
  for (const item of items) {
    const group = groups.get(item.operation);
    if (group) group.push(item);
    else groups.set(item.operation, [item]);
  }
  return [...groups.values()];
}
