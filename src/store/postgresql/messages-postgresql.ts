import pg from 'pg';
import type { Clock } from '../../kernel/clock.js';
import type { Closable } from '../../kernel/closing-stack.js';
import { asUnavailable, isAway, OUTCOME_UNKNOWN } from '../database-failure.js';
import { createGroupCommit, type GroupAnswer, type WriteGroup } from '../group-commit.js';
import type { MessageStore, Parameter } from '../messages.js';
import type { Row, StatementRows } from '../operation.js';
import { wasCommitted } from './commit-fate.js';
import { persevere } from './persevere.js';
import { poolConfig } from './pool-config.js';

/** One writes, the others read. */
const CONNECTIONS_MAX = 6;

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
  const pool = new pg.Pool({ ...poolConfig(url, CONNECTIONS_MAX), types: parsers });
  // An idle connection that the server cut: the pool replaces it.
  pool.on('error', onError);

  const ask = async (sql: string, parameter: string) => (await pool.query<Row>(sql, [parameter])).rows;

  /** Runs the work and commits it, once, whatever becomes of the connection. */
  async function inTransaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await pool.connect();
    // Between two statements nobody else listens.
    client.on('error', onError);
    let done: { result: T; xid: string } | undefined;
    try {
      const xid = await begin(client);
      done = { result: await work(client), xid };
      await client.query('COMMIT');
      release(client);
      return done.result;
    } catch (failure) {
      // A connection that cannot even roll back is of no more use.
      const isLost = await client.query('ROLLBACK').then(
        () => false,
        () => true,
      );
      release(client, isLost);
      if (done && isAway(failure) && (await wasCommitted(done.xid, ask, clock))) return done.result;
      throw failure;
    }
  }

  function release(client: pg.PoolClient, isLost = false): void {
    client.off('error', onError);
    client.release(isLost);
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
        return (await persevere(clock, () => pool.query<R>(sql, [...parameters]))).rows;
      } catch (failure) {
        throw asUnavailable(failure);
      }
    },
    async close() {
      await close();
      await pool.end();
    },
  };
}

/** Begins a transaction and says which, in one round trip. */
async function begin(client: pg.PoolClient): Promise<string> {
  const results: unknown = await client.query('BEGIN; SELECT pg_current_xact_id()::text AS xid');
  const [, chosen] = results as [unknown, pg.QueryResult<{ xid: string }>];
  return chosen.rows[0]?.xid ?? '';
}
