import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { createDatabase, type Database } from '../gateway/database.js';
import { type Door, openDoor } from '../gateway/door.js';
import { dumpDatabase } from '../gateway/dump-database.js';
import { CHECKOUT, createHome, type GatewayHome } from '../gateway/gateway-process.js';
import { createNode, type Node } from './node.js';

/** Where the gateways of a run live: their folders, their database, and partners whose SMSC outlives them. */
export interface Place {
  readonly nodes: readonly Node[];
  /** Where the back office and where the phones go: with two nodes each to another one while both are there. */
  readonly doors: readonly [backOffice: string, phones: string];
  /** The folders of the first node; all nodes share them. */
  readonly home: GatewayHome;
  readonly database: Database | undefined;
  /** What its gateways are started with. */
  readonly variables: Readonly<Record<string, string>>;
  /** All that is at rest right now, by its name. */
  atRest(): Promise<Map<string, Buffer>>;
  /** Ends the gateways and removes everything. */
  close(): Promise<void>;
}

export interface PlaceOptions {
  /** 2 need PostgreSQL and NATS. */
  nodes: 1 | 2;
  /** A server of PostgreSQL; SQLite without it. */
  databaseUrl?: string | undefined;
  natsUrl?: string | undefined;
  smsc: { port: number; password: string };
  onOutput(text: string): void;
  onFault(words: string): void;
}

export async function openPlace(options: PlaceOptions): Promise<Place> {
  const database = options.databaseUrl === undefined ? undefined : await createDatabase(options.databaseUrl);
  const homes = await Promise.all(Array.from({ length: options.nodes }, () => createHome()));
  const [home] = homes;
  if (!home) throw new Error('there is a home');
  const urls = homes.map(({ url }) => url);
  const opened: Door[] = options.nodes === 1 ? [] : [await openDoor(urls), await openDoor([...urls].reverse())];
  const doors: [string, string] = [opened[0]?.url ?? home.url, opened[1]?.url ?? home.url];
  const partnersDir = join(home.dataDir, '..', 'partners');
  writePartners(partnersDir, options.smsc.port);
  const shared = {
    ...(database && { CAUSEWAY_DATABASE_URL: database.url }),
    ...(options.natsUrl !== undefined && { CAUSEWAY_NATS_URL: options.natsUrl }),
    CAUSEWAY_DATA_DIR: home.dataDir,
    CAUSEWAY_KEYS_DIR: home.keysDir,
    CAUSEWAY_PARTNERS_DIR: partnersDir,
    CAUSEWAY_PUBLIC_URL: doors[0],
    CAUSEWAY_LOG_LEVEL: 'debug',
    EPLUS_SMPP_PASSWORD: options.smsc.password,
  };
  const { onOutput, onFault } = options;
  const nodes = homes.map((own, index) => {
    const variables = { ...own.variables, ...shared };
    const name = homes.length === 1 ? 'the gateway' : `node ${index + 1}`;
    return createNode({ name, home: { ...own, url: doors[0], variables }, onOutput, onFault });
  });
  return {
    nodes,
    doors,
    home,
    database,
    variables: shared,
    async atRest() {
      const files = home.files();
      for (const [table, content] of database ? await dumpDatabase(database.url) : []) files.set(`table ${table}`, content);
      return files;
    },
    async close() {
      await Promise.all(nodes.map((node) => node.retire()));
      await Promise.all(opened.map((door) => door.close()));
      for (const each of homes) each.remove();
      await database?.drop();
    },
  };
}

/** The partners as they are, but for E-Plus: its SMSC is ours, and nothing here waits for a limit. */
function writePartners(folder: string, smscPort: number): void {
  cpSync(join(CHECKOUT, 'partners'), folder, { recursive: true });
  const file = join(folder, 'e-plus', 'partner.yaml');
  const partner = parseDocument(readFileSync(file, 'utf8'));
  partner.setIn(['smpp', 'links', 0, 'sites'], [{ host: '127.0.0.1', port: smscPort }]);
  partner.setIn(['rateLimits'], { readPerSecond: 10_000, writePerSecond: 10_000, tokenPerMinute: 6_000 });
  partner.setIn(['sms', 'capPerRecipientPerDay'], 1_000);
  writeFileSync(file, partner.toString());
}
