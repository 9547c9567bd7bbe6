import pg from 'pg';

/**
 * Everything that a PostgreSQL database holds, as `pg_dump` would write it: by table, the text of every value of every row,
 * one on a line, at one moment. What was deleted and not vacuumed yet is not in it.
 */
export async function dumpDatabase(url: string): Promise<Map<string, Buffer>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    const tables = await client.query<{ schema: string; name: string; values: string }>(
      `SELECT c.table_schema AS schema, c.table_name AS name,
         string_agg(format('%I::text', c.column_name), ', ' ORDER BY c.ordinal_position) AS values
       FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
       WHERE t.table_type = 'BASE TABLE' AND c.table_schema NOT IN ('pg_catalog', 'information_schema')
       GROUP BY c.table_schema, c.table_name`,
    );
    const dump = new Map<string, Buffer>();
    for (const { schema, name, values } of tables.rows) {
      const rows = await client.query<{ row: string }>(
        `SELECT concat_ws(E'\\n', ${values}) AS row FROM ${client.escapeIdentifier(schema)}.${client.escapeIdentifier(name)}`,
      );
      dump.set(name, Buffer.from(rows.rows.map(({ row }) => `${row}\n`).join('')));
    }
    return dump;
  } finally {
    await client.end();
  }
}
