import pg from 'pg';
import type { Clock } from '../../kernel/clock.js';
import type { Closable } from '../../kernel/closing-stack.js';
import { asUnavailable, isAway, OUTCOME_UNKNOWN } from '../database-failure.js';
import { createGroupCommit, type GroupAnswer, type WriteGroup } from '../group-commit.js';
import type { MessageStore, Parameter } from '../messages.js';
import type { Row, StatementRows } from '../operation.js';
import { persevere } from './persevere.js';
import { BEGIN, openReaders, openWriters } from './pools.js';

const READERS_MAX = 5;

/** A batch as a table `b` with `key` (from 0) and `value`, as the operations are written. */
const BATCH = `(SELECT t.value, t.place - 1 AS key FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS t(value, place)) AS b`;

const members = (name: string): string =>
  `(SELECT b.key AS place, m.value FROM ${BATCH}, LATERAL jsonb_array_elements(b.value -> '${name}') AS m(value)) AS e`;
// By functions: a text to put in would have its $1 taken for a group of the pattern.
const compile = (sql: string): string =>
  sql
    .replace(/:members\((\w+)\)/g, (_, name: string) => members(name))
    .replaceAll(':batch', () => BATCH)
    .replaceAll(':skipLocked', 'FOR UPDATE SKIP LOCKED');

/** BIGINT comes as text, since it may not fit a number; ours are milliseconds and counters, which do. */
const INT8 = 20;
const parsers = {
  getTypeParser: ((oid: number, format: 'text') =>
    oid === INT8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/** The hot path on PostgreSQL: the same operations and group commit, each batch one transaction of set-based statements. */
export function openPostgresMessages(url: string, clock: Clock, onError: (failure: Error) => void): MessageStore & Closable {
  const readers = openReaders(url, READERS_MAX, clock, parsers);
  const writer = openWriters(url, 1, clock, parsers);
  // An idle connection that the server cut: the pool replaces it.
  for (const pool of [readers, writer]) pool.on('error', onError);

  async function inTransaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await writer.connect();
    try {
      await client.query(BEGIN);
      const result = await work(client);
      await client.query('COMMIT');
      return result;
    } catch (failure) {
      await client.query('ROLLBACK').catch(() => undefined);
      throw failure;
    } finally {
      client.release();
    }
  }

  async function runGroup(client: pg.PoolClient, { statements, items }: WriteGroup): Promise<StatementRows[]> {
    const batch = `[${items.join(',')}]`;
    const rows: StatementRows[] = [];
    for (const sql of statements) rows.push((await client.query<Row>(compile(sql), [batch])).rows);
    return rows;
  }

  const runTogether = (groups: readonly WriteGroup[]): Promise<StatementRows[][]> =>
    persevere(clock, () =>
      inTransaction(async (client) => {
        const answers: StatementRows[][] = [];
        for (const group of groups) answers.push(await runGroup(client, group));
        return answers;
      }),
    );

  async function write(groups: readonly WriteGroup[]): Promise<GroupAnswer[]> {
    /** Set once the server is away for longer than we wait: then nothing more is tried. */
    let gone: { error: string; code: string } | undefined;
    const failed = (failure: unknown): { error: string; code: string } => {
      const { message, code } = failure as { message: string; code?: string };
      const isUnknown = code === OUTCOME_UNKNOWN;
      const answer = { error: message, code: code ?? (isAway(failure) ? 'ECONNRESET' : 'ERROR') };
      if (isUnknown || isAway(failure)) gone = answer;
      return answer;
    };
    try {
      return (await runTogether(groups)).map((together) => ({ together }));
    } catch (failure) {
      failed(failure);
    }
    const answers: GroupAnswer[] = [];
    for (const { statements, items } of groups) {
      const alone: ({ rows: StatementRows[] } | { error: string; code: string })[] = [];
      for (const item of items) {
        const own = gone ?? (await runTogether([{ statements, items: [item] }]).then(([rows]) => ({ rows: rows ?? [] }), failed));
        alone.push(own);
      }
      answers.push({ alone });
    }
    return answers;
  }

  const { run, waiting, close } = createGroupCommit(write);

  return {
    run,
    waiting,
    async read<R extends Row>(sql: string, parameters: readonly Parameter[] = []): Promise<R[]> {
      try {
        return (await readers.query<R>(sql, [...parameters])).rows;
      } catch (failure) {
        throw asUnavailable(failure);
      }
    },
    async close() {
      await close();
      await writer.end();
      await readers.end();
    },
  };
}
