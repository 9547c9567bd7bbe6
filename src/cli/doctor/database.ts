import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import pg from 'pg';
import { readMasterKey, signingKeyPurpose } from '../../identity/index.js';
import { isGatewayError } from '../../kernel/errors.js';
import { pendingMigrations, postgresMigrations, sqliteMigrations } from '../../store/index.js';
import { type Check, fail, ok, warn } from './check.js';

const SKEW_MS_MAX = 2_000;
const CONNECT_MS_MAX = 5_000;

interface Given {
  databaseUrl: string | undefined;
  dataDir: string;
  keysDir: string;
  now: number;
}

type Applied = { migration_name: string; checksum: string };
type Signing = { kid: string; wrappedKey: string };

const MIGRATIONS = 'SELECT migration_name, checksum FROM _prisma_migrations WHERE rolled_back_at IS NULL';
const SIGNING = 'SELECT kid, "wrappedKey" FROM signing_key ORDER BY "activeFrom" DESC LIMIT 1';

/** The schema, the master key against the data, and the clock: read only, whether a gateway runs or not. */
export async function checkDatabase(given: Given): Promise<Check[]> {
  return given.databaseUrl === undefined ? checkSqlite(given) : await checkPostgres(given.databaseUrl, given);
}

function checkSqlite({ dataDir, keysDir, now }: Given): Check[] {
  if (existsSync(join(dataDir, 'restore-unfinished')))
    return [fail('database', `a restore into ${dataDir} was interrupted`, 'npm run causeway -- restore <folder> --force')];
  const files = [
    { name: 'gateway.db', known: sqliteMigrations.control() },
    { name: 'messages.db', known: sqliteMigrations.messages() },
  ];
  const present = files.filter(({ name }) => existsSync(join(dataDir, name)));
  if (present.length === 0) return [ok('database', `none in ${dataDir} yet; the first start makes it`)];
  if (present.length < files.length)
    return [
      fail(
        'database',
        `only ${present[0]?.name} is in ${dataDir}`,
        'put the other file back, or restore a backup: docs/runbooks/restore.md',
      ),
    ];
  const checks: Check[] = [];
  for (const { name, known } of files) {
    checks.push(
      looked(name, () => {
        const database = new Database(join(dataDir, name), { readonly: true });
        try {
          if (name === 'gateway.db') {
            checks.push(checkMasterKey(keysDir, database.prepare(SIGNING).get() as Signing | undefined));
            const newest = (database.prepare('SELECT MAX("recordedAt") AS at FROM event').get() as { at: number | string | null }).at;
            checks.push(checkClock('the newest event', newest === null ? now : new Date(newest).getTime(), now, 'ahead'));
          }
          return schemaOf(name, known, database.prepare(MIGRATIONS).all() as Applied[]);
        } finally {
          database.close();
        }
      }),
    );
  }
  return checks;
}

async function checkPostgres(url: string, { keysDir, now }: Given): Promise<Check[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_MS_MAX });
  try {
    await client.connect();
    const { rows: clocks } = await client.query<{ ms: string }>('SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms');
    const clock = checkClock('PostgreSQL', Number(clocks[0]?.ms ?? now), now, 'either way');
    const { rows: tables } = await client.query<{ there: string | null }>("SELECT to_regclass('_prisma_migrations') AS there");
    if (tables[0]?.there === null) return [ok('database', 'PostgreSQL answers and is empty; the first start migrates it'), clock];
    const { rows: applied } = await client.query<Applied>(MIGRATIONS);
    const schema = looked('PostgreSQL', () => schemaOf('PostgreSQL', postgresMigrations(), applied));
    if (schema.status === 'fail') return [schema, clock];
    const { rows: keys } = await client.query<Signing>(SIGNING);
    return [schema, checkMasterKey(keysDir, keys[0]), clock];
  } catch (failure) {
    return [
      fail(
        'database',
        `PostgreSQL does not answer as it should (${codeOf(failure)})`,
        'check CAUSEWAY_DATABASE_URL, and that the server runs and lets this user in',
      ),
    ];
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** What a check that throws means. */
function looked(name: string, check: () => Check): Check {
  try {
    return check();
  } catch (failure) {
    if (isGatewayError(failure)) return fail('database', `${name}: ${failure.detail}`, failure.hint ?? 'docs/errors has a page');
    return fail('database', `${name} cannot be read (${codeOf(failure)})`, 'restore a backup: docs/runbooks/restore.md');
  }
}

function schemaOf(name: string, known: Parameters<typeof pendingMigrations>[0], applied: Applied[]): Check {
  const pending = pendingMigrations(known, applied);
  if (pending.length === 0) return ok('database', `${name}: the schema is up to date`);
  return warn('database', `${name}: ${pending.length} migrations are not applied yet`, 'take a backup; the next start applies them');
}

function checkMasterKey(keysDir: string, key: Signing | undefined): Check {
  const name = 'master key';
  try {
    const ring = readMasterKey(keysDir);
    if (key !== undefined) ring.unwrap(key.wrappedKey, signingKeyPurpose(key.kid));
    if (ring.size() > 1)
      return warn(
        name,
        `${ring.size()} keys: a rotation was begun`,
        'npm run causeway -- keys rotate goes on with it (docs/runbooks/key-rotation.md)',
      );
    return ok(name, key === undefined ? 'is there; nothing is wrapped yet' : 'opens the data');
  } catch (failure) {
    const { detail, hint } = isGatewayError(failure) ? failure : { detail: 'It cannot be read.', hint: undefined };
    return fail(name, detail, hint ?? 'Put the key back that wrapped this data.');
  }
}

function checkClock(than: string, theirs: number, now: number, bad: 'ahead' | 'either way'): Check {
  const ahead = Math.round(theirs - now);
  const isWell = bad === 'ahead' ? ahead <= SKEW_MS_MAX : Math.abs(ahead) <= SKEW_MS_MAX;
  if (isWell) return ok('clock', `agrees with ${than}`);
  return warn(
    'clock',
    `${than} is ${Math.abs(ahead)} ms ${ahead > 0 ? 'ahead of' : 'behind'} this machine`,
    'let both take their time from NTP; tokens and leases trust it',
  );
}

function codeOf(failure: unknown): string {
  const code: unknown = failure instanceof Error ? Reflect.get(failure, 'code') : undefined;
  return typeof code === 'string' ? code : 'no code';
}
