import { dumpDatabase } from '../../tools/gateway/dump-database.js';
import { createHome, type GatewayHome } from '../../tools/gateway/gateway-process.js';
import { createTestDatabase, testDatabaseUrl } from './database.js';

export interface TestHome extends Omit<GatewayHome, 'remove'> {
  /** All that it has written: the files of both folders, and each table of its database where that is PostgreSQL, by name. */
  written(): Promise<Map<string, Buffer>>;
  remove(): Promise<void>;
}

/** A home on the database that the suite runs on: SQLite files, or a PostgreSQL database of its own. */
export async function createTestHome(): Promise<TestHome> {
  const home = await createHome();
  const database = testDatabaseUrl ? await createTestDatabase(testDatabaseUrl) : undefined;
  return {
    ...home,
    variables: { ...home.variables, ...(database && { CAUSEWAY_DATABASE_URL: database.url }) },
    written: async () => new Map([...home.files(), ...(database ? await dumpDatabase(database.url) : [])]),
    async remove() {
      home.remove();
      await database?.drop();
    },
  };
}
