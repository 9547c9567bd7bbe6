import { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import type { Closable } from '../../kernel/closing-stack.js';
import { GatewayError } from '../../kernel/errors.js';
import type { MessageStore } from '../messages.js';
import type { Operation, Row, StatementRows } from '../operation.js';
import { setPragmas } from './pragmas.js';
import type { GroupAnswer, WriteAnswer, WriteGroup } from './writer-protocol.js';

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

/** Compiled code only: a worker thread cannot load TypeScript, so tests and tools use the built writer. */
const writerUrl = new URL(import.meta.url.replace(/\/src\/(store\/sqlite)\/[^/]+$/, '/dist/$1/x').replace(/[^/]+$/, 'writer-thread.js'));

/**
 * Opens `messages.db`: a reader on this thread, and the writer in a worker thread that serves all waiting callers with
 * one transaction. The file must have been migrated.
 */
export async function openSqliteMessages(file: string): Promise<MessageStore & Closable> {
  const reader = new Database(file);
  setPragmas(reader);
  reader.pragma('query_only=ON');
  const readStatements = new Map<string, Database.Statement>();

  const worker = new Worker(writerUrl, { workerData: { file } });
  await new Promise<void>((resolve, reject) => worker.once('online', resolve).once('error', reject));
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));

  let waiting: Waiting[] = [];
  let inFlight: Waiting[][] | undefined;
  let scheduled = false;
  let stopped: GatewayError | undefined;

  function flush(): void {
    scheduled = false;
    if (inFlight || waiting.length === 0) return;
    const taken = waiting.slice(0, BATCH_ITEMS_MAX);
    waiting = waiting.slice(BATCH_ITEMS_MAX);
    inFlight = [...groupByOperation(taken).values()];
    const groups: WriteGroup[] = inFlight.map((group) => ({
      statements: group[0]?.operation.statements ?? [],
      items: group.map((one) => one.json),
    }));
    worker.postMessage({ groups });
  }

  function settle(group: Waiting[], answer: GroupAnswer): void {
    if ('alone' in answer) {
      for (const [index, one] of group.entries()) {
        const own = answer.alone[index];
        if (own && 'rows' in own) settleTogether([one], own.rows);
        else one.reject(new Error(`${one.operation.name} failed: ${own?.code} ${own?.error}`));
      }
    } else settleTogether(group, answer.together);
  }

  function settleTogether(group: Waiting[], rows: StatementRows[]): void {
    try {
      const results = group[0]?.operation.settle(
        group.map((one) => one.item),
        rows,
      );
      for (const [index, one] of group.entries()) one.resolve(results?.[index]);
    } catch (failure) {
      for (const one of group) one.reject(failure);
    }
  }

  worker.on('message', (answer: WriteAnswer) => {
    const groups = inFlight ?? [];
    inFlight = undefined;
    flush();
    for (const [index, group] of groups.entries()) settle(group, answer.groups[index] ?? { alone: [] });
  });
  worker.on('error', (failure) => {
    stopped = new GatewayError('UNAVAILABLE', { detail: 'The message store has stopped.', cause: failure });
    for (const one of [...(inFlight ?? []).flat(), ...waiting]) one.reject(stopped);
    inFlight = undefined;
    waiting = [];
  });

  return {
    run<Item, Result>(operation: Operation<Item, Result>, item: Item): Promise<Result> {
      if (stopped) return Promise.reject(stopped);
      if (waiting.length >= WAITING_MAX) {
        return Promise.reject(new GatewayError('UNAVAILABLE', { detail: 'The message store is behind.', headers: { 'Retry-After': '1' } }));
      }
      return new Promise<Result>((resolve, reject) => {
        waiting.push({ operation, item, json: JSON.stringify(item), resolve: resolve as (result: unknown) => void, reject });
        if (!scheduled && !inFlight) {
          scheduled = true;
          setImmediate(flush);
        }
      });
    },
    async read<R extends Row>(sql: string, parameters: readonly (string | number | null)[] = []): Promise<R[]> {
      let statement = readStatements.get(sql);
      if (!statement) {
        statement = reader.prepare(sql.replace(/\$(\d+)/g, '?$1'));
        readStatements.set(sql, statement);
      }
      if (parameters.length === 0) return statement.all() as R[];
      return statement.all(Object.fromEntries(parameters.map((value, index) => [index + 1, value]))) as R[];
    },
    waiting: () => waiting.length + (inFlight ?? []).reduce((sum, group) => sum + group.length, 0),
    async close() {
      if (stopped) return void (await exited);
      while (inFlight || waiting.length > 0) await new Promise<void>((resolve) => setImmediate(resolve));
      stopped = new GatewayError('UNAVAILABLE', { detail: 'The message store is closing.' });
      reader.close();
      worker.postMessage('close');
      await exited;
    },
  };
}

/** By hand, since Node 20 has no Map.groupBy. */
function groupByOperation(items: Waiting[]): Map<Waiting['operation'], Waiting[]> {
  const groups = new Map<Waiting['operation'], Waiting[]>();
  for (const item of items) {
    const group = groups.get(item.operation);
    if (group) group.push(item);
    else groups.set(item.operation, [item]);
  }
  return groups;
}
