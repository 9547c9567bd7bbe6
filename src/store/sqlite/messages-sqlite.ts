import { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import type { Closable } from '../../kernel/closing-stack.js';
import { createGroupCommit, type GroupAnswer, type WriteGroup } from '../group-commit.js';
import type { MessageStore } from '../messages.js';
import type { Row } from '../operation.js';
import { compiled } from './compiled.js';
import { setPragmas } from './pragmas.js';
import type { Checkpointed } from './writer-thread.js';

/**
 * Opens `messages.db`: a reader on this thread, and the writer in a worker thread, so that an fsync never stops the event
 * loop. The file must have been migrated.
 */
export async function openSqliteMessages(file: string): Promise<MessageStore & Closable & { checkpoint(): Promise<void> }> {
  const reader = new Database(file);
  setPragmas(reader);
  reader.pragma('query_only=ON');
  const readStatements = new Map<string, Database.Statement>();

  const writer = await startWriter(file);
  const { run, waiting, close } = createGroupCommit(writer.write);

  return {
    run,
    waiting,
    checkpoint: writer.checkpoint,
    async read<R extends Row>(sql: string, parameters: readonly (string | number | null)[] = []): Promise<R[]> {
      let statement = readStatements.get(sql);
      if (!statement) {
        statement = reader.prepare(sql.replace(/\$(\d+)/g, '?$1'));
        readStatements.set(sql, statement);
      }
      if (parameters.length === 0) return statement.all() as R[];
      return statement.all(Object.fromEntries(parameters.map((value, index) => [index + 1, value]))) as R[];
    },
    async close() {
      await close();
      reader.close();
      await writer.close();
    },
  };
}

/** The worker thread, one batch at a time. */
async function startWriter(file: string) {
  const worker = new Worker(compiled('writer-thread.js'), { workerData: { file } });
  await new Promise<void>((resolve, reject) => worker.once('online', resolve).once('error', reject));
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  let gone: unknown;
  let closing = false;
  let pending: { resolve(answers: GroupAnswer[]): void; reject(failure: unknown): void } | undefined;

  let checkpoints: { resolve(): void; reject(failure: unknown): void }[] = [];

  worker.on('message', (answer: GroupAnswer[] | Checkpointed) => {
    if (!('checkpoint' in answer)) pending?.resolve(answer);
    else if (answer.checkpoint === 'done') checkpoints.shift()?.resolve();
    else checkpoints.shift()?.reject(Object.assign(new Error(answer.message), { code: answer.code }));
  });
  worker.on('error', (failure) => {
    gone = failure;
    pending?.reject(failure);
  });
  // Nobody waits for a writer that has gone.
  void exited.then(() => {
    for (const { resolve } of checkpoints) resolve();
    checkpoints = [];
  });

  return {
    write: (groups: readonly WriteGroup[]) =>
      new Promise<GroupAnswer[]>((resolve, reject) => {
        if (gone) return reject(gone);
        pending = { resolve, reject };
        worker.postMessage(groups);
      }),
    /** Takes its turn between two batches. */
    checkpoint: () =>
      new Promise<void>((resolve, reject) => {
        if (gone || closing) return resolve();
        checkpoints.push({ resolve, reject });
        worker.postMessage('checkpoint');
      }),
    async close() {
      closing = true;
      if (!gone) worker.postMessage('close');
      await exited;
    },
  };
}
