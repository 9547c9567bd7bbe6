/**
 * The one writer of messages.db, in a thread of its own so that an fsync never stops the event loop. It runs the
 * transactions it is sent, one after the other, and answers each after its commit.
 */
import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import type { GroupAnswer, WriteGroup } from '../group-commit.js';
import type { StatementRows } from '../operation.js';
import { CHECKPOINT, setPragmas } from './pragmas.js';

const port = parentPort;
if (!port) throw new Error('the writer runs in a worker thread only');

const database = new Database((workerData as { file: string }).file);
setPragmas(database);

const prepared = new Map<string, Database.Statement>();

function runStatement(sql: string, batch: string): StatementRows {
  let statement = prepared.get(sql);
  if (!statement) {
    const members = sql.replace(/:members\((\w+)\)/g, "json_each(b.value, '$.$1') AS e");
    statement = database.prepare(members.replaceAll(':batch', 'json_each(?1) AS b'));
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

port.on('message', (message: readonly WriteGroup[] | 'checkpoint' | 'close') => {
  if (message === 'checkpoint') {
    for (const pragma of CHECKPOINT) database.pragma(pragma);
    port.postMessage('checkpointed');
    return;
  }
  if (message === 'close') {
    database.pragma('wal_checkpoint(TRUNCATE)');
    database.close();
    port.close();
    return;
  }
  port.postMessage(answer(message));
});
