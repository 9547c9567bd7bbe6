/**
 * The one writer of messages.db, in a thread of its own so that an fsync never stops the event loop. It runs the
 * transactions it is sent, one after the other, and answers each after its commit.
 */
import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import type { GroupAnswer, WriteGroup } from '../group-commit.js';
import type { StatementRows } from '../operation.js';
import { CHECKPOINT, setPragmas, WAIT } from './pragmas.js';

/** How a checkpoint ended. */
export type Checkpointed = { checkpoint: 'done' } | { checkpoint: 'failed'; message: string; code: string };

const port = parentPort;
if (!port) throw new Error('the writer runs in a worker thread only');

const database = new Database((workerData as { file: string }).file);
setPragmas(database);

const prepared = new Map<string, Database.Statement>();

/** An item is parsed once: `json_each` alone writes its text anew, and `->>` reads it, for each member that is asked for. */
const BATCH = 'b AS MATERIALIZED (SELECT key, jsonb(value) AS value FROM json_each(?1))';
const members = (name: string): string =>
  `e AS MATERIALIZED (SELECT b.key AS place, m.key AS key, jsonb(m.value) AS value FROM b, json_each(b.value, '$.${name}') AS m)`;

function compile(sql: string): string {
  const name = /:members\((\w+)\)/.exec(sql)?.[1];
  const tables = name === undefined ? BATCH : `${BATCH}, ${members(name)}`;
  return `WITH ${tables} ${sql.replaceAll(':batch', 'b').replaceAll(`:members(${name})`, 'e').replaceAll(':skipLocked', '')}`;
}

function runStatement(sql: string, batch: string): StatementRows {
  let statement = prepared.get(sql);
  if (!statement) {
    statement = database.prepare(compile(sql));
    prepared.set(sql, statement);
  }
  if (statement.reader) return statement.all({ 1: batch }) as StatementRows;
  statement.run({ 1: batch });
  return [];
}

const runGroup = (group: WriteGroup): StatementRows[] => {
  const batch = `[${group.items.join(',')}]`;
  return group.statements.map((sql) => runStatement(sql, batch));
};

const runTogether = database.transaction((groups: readonly WriteGroup[]) => groups.map(runGroup));

/** After a failed transaction: each item in one of its own, so that only the one at fault fails. */
function runAlone(group: WriteGroup): GroupAnswer {
  return {
    alone: group.items.map((item) => {
      try {
        const [rows] = runTogether.immediate([{ statements: group.statements, items: [item] }]);
        return { rows: rows ?? [] };
      } catch (failure) {
        const { message, code } = failure as { message: string; code?: string };
        return { error: message, code: code ?? 'ERROR' };
      }
    }),
  };
}

function answer(groups: readonly WriteGroup[]): GroupAnswer[] {
  try {
    return runTogether.immediate(groups).map((together) => ({ together }));
  } catch {
    return groups.map(runAlone);
  }
}

/** On a full disk there may be no room for it: the log stays, and with it all that was answered. */
function checkpoint(): Checkpointed {
  try {
    database.pragma(WAIT.forNobody);
    database.pragma(CHECKPOINT);
    return { checkpoint: 'done' };
  } catch (failure) {
    const { message, code } = failure as { message: string; code?: string };
    return { checkpoint: 'failed', message, code: code ?? 'ERROR' };
  } finally {
    database.pragma(WAIT.asUsual);
  }
}

port.on('message', (message: readonly WriteGroup[] | 'checkpoint' | 'close') => {
  if (message === 'checkpoint') {
    port.postMessage(checkpoint());
    return;
  }
  if (message === 'close') {
    checkpoint();
    database.close();
    port.close();
    return;
  }
  port.postMessage(answer(message));
});
