import pg from 'pg';
import { type Clock, sleep } from '../../kernel/clock.js';
import type { Closable } from '../../kernel/closing-stack.js';
import { backoffMs } from '../../kernel/retry.js';
import { createGroupCommit, type GroupAnswer, type WriteGroup } from '../group-commit.js';
import type { MessageStore, Parameter } from '../messages.js';
import type { Row, StatementRows } from '../operation.js';

/** A batch as a table `b` with `key` (from 0) and `value`, as the operations are written. */
const BATCH = `(SELECT t.value, t.place - 1 AS key FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS t(value, place)) AS b`;

const MEMBERS = `LATERAL (SELECT m.value, m.place - 1 AS key
  FROM jsonb_array_elements(b.value -> '$1') WITH ORDINALITY AS m(value, place)) AS e`;
const compile = (sql: string): string => sql.replace(/:members\((\w+)\)/g, MEMBERS).replaceAll(':batch', BATCH);

/** BIGINT comes as text, since it may not fit a number; ours are milliseconds and counters, which do. */
const INT8 = 20;
const parsers = {
  getTypeParser: ((oid: number, format: 'text') =>
    oid === INT8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/** Another node was in the way (SQLSTATE 40001, 40P01): the same transaction goes through when it is tried again. */
const isInTheWay = (failure: unknown): boolean => ['40001', '40P01'].includes(String((failure as { code?: string }).code));
const TRIES_MAX = 8;

/** The hot path on PostgreSQL: the same operations and group commit, each batch one transaction of set-based statements. */
export function openPostgresMessages(url: string, clock: Clock, onError: (failure: Error) => void): MessageStore & Closable {
  const pool = new pg.Pool({ connectionString: url, max: 8, types: parsers });
  // An idle connection that the server cut: the pool replaces it.
  pool.on('error', onError);

  async function inTransaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const client = await pool.connect();
      try {
        await client.query('BEGIN');
        const result = await work(client);
        await client.query('COMMIT');
        client.release();
        return result;
      } catch (failure) {
        // A connection that cannot even roll back is of no more use.
        const lost = await client.query('ROLLBACK').then(
          () => false,
          () => true,
        );
        client.release(lost);
        if (!isInTheWay(failure) || attempt === TRIES_MAX) throw failure;
        await sleep(clock, backoffMs({ firstMs: 5, maxMs: 200 }, attempt));
      }
    }
  }

  async function runGroup(client: pg.PoolClient, { statements, items }: WriteGroup): Promise<StatementRows[]> {
    const batch = `[${items.join(',')}]`;
    const rows: StatementRows[] = [];
    for (const sql of statements) rows.push((await client.query<Row>(compile(sql), [batch])).rows);
    return rows;
  }

  async function runTogether(groups: readonly WriteGroup[]): Promise<StatementRows[][]> {
    return inTransaction(async (client) => {
      const answers: StatementRows[][] = [];
      for (const group of groups) answers.push(await runGroup(client, group));
      return answers;
    });
  }

  async function runAlone({ statements, items }: WriteGroup): Promise<GroupAnswer> {
    const alone: ({ rows: StatementRows[] } | { error: string; code: string })[] = [];
    for (const item of items) {
      try {
        const [rows] = await runTogether([{ statements, items: [item] }]);
        alone.push({ rows: rows ?? [] });
      } catch (failure) {
        const { message, code } = failure as { message: string; code?: string };
        alone.push({ error: message, code: code ?? 'ERROR' });
      }
    }
    return { alone };
  }

  const { run, waiting, close } = createGroupCommit(async (groups) => {
    try {
      return (await runTogether(groups)).map((together) => ({ together }));
    } catch {
      const answers: GroupAnswer[] = [];
      for (const group of groups) answers.push(await runAlone(group));
      return answers;
    }
  });

  return {
    run,
    waiting,
    async read<R extends Row>(sql: string, parameters: readonly Parameter[] = []): Promise<R[]> {
      return (await pool.query<R>(sql, [...parameters])).rows;
    },
    async close() {
      await close();
      await pool.end();
    },
  };
}
