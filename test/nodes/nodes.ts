import { fileURLToPath } from 'node:url';
import { createDatabase } from '../../tools/gateway/database.js';
import { openDoor } from '../../tools/gateway/door.js';
import { createHome, type GatewayHome, type GatewayProcess, startGateway } from '../../tools/gateway/gateway-process.js';
import type { Kill } from '../crash/lane.js';

const program = fileURLToPath(new URL('../crash/run-gateway.mjs', import.meta.url));

export interface Node {
  /** Its own address. */
  readonly url: string;
  process(): GatewayProcess;
  /** Commits that it crossed since it was told to die, or began. */
  crossed(): Promise<string[]>;
  /** @param kill.file of several nodes only the one dies that makes this file. */
  dieAt(kill: Kill & { file: string }): Promise<void>;
  isUp(): boolean;
  start(): Promise<void>;
}

/** Two nodes of one gateway: one database, one NATS, one set of keys. */
export interface Nodes {
  readonly nodes: readonly [Node, Node];
  /** An address that leads to the first node while it is there, and then to the other; and the other way round. */
  readonly doors: readonly [string, string];
  readonly home: GatewayHome;
  sql(text: string): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

export async function startNodes(given: { databaseUrl: string; natsUrl: string }): Promise<Nodes> {
  const database = await createDatabase(given.databaseUrl);
  const homes = [await createHome(), await createHome()] as const;
  const doors = [await openDoor(homes.map((home) => home.url)), await openDoor(homes.map((home) => home.url).reverse())] as const;
  const shared = {
    CAUSEWAY_DATABASE_URL: database.url,
    CAUSEWAY_NATS_URL: given.natsUrl,
    CAUSEWAY_DATA_DIR: homes[0].dataDir,
    CAUSEWAY_KEYS_DIR: homes[0].keysDir,
    CAUSEWAY_PUBLIC_URL: doors[0].url,
    CAUSEWAY_LOG_LEVEL: process.env['NODES_LOG'] ?? 'warn',
  };
  const nodes = [createNode(homes[0], doors[0].url, shared), createNode(homes[1], doors[0].url, shared)] as const;
  await Promise.all(nodes.map((node) => node.start()));
  return {
    nodes,
    doors: [doors[0].url, doors[1].url],
    home: homes[0],
    sql: database.sql,
    async close() {
      await Promise.all(nodes.map((node) => node.process().stop()));
      for (const door of doors) await door.close();
      for (const home of homes) home.remove();
      await database.drop();
    },
  };
}

function createNode(home: GatewayHome, publicUrl: string, shared: Readonly<Record<string, string>>): Node {
  let running: GatewayProcess | undefined;
  const now = (): GatewayProcess => {
    if (!running) throw new Error('the node was never started');
    return running;
  };
  async function ask<T>(message: object): Promise<T> {
    const { child, exited, output } = now();
    const answered = new Promise<T>((resolve) => child.once('message', (answer) => resolve(answer as T)));
    child.send(message);
    return Promise.race([answered, exited.then(({ signal }) => Promise.reject(new Error(`the node ended: ${signal}\n${output()}`)))]);
  }
  return {
    url: home.url,
    process: now,
    crossed: async () => (await ask<{ crossed: string[] }>({ report: true })).crossed,
    dieAt: async (kill) => void (await ask({ kill })),
    isUp: () => now().child.exitCode === null && now().child.signalCode === null,
    async start() {
      running = await startGateway({ ...home, url: publicUrl, variables: { ...home.variables, ...shared } }, { program });
      if (running.child.exitCode !== null) throw new Error(`the node did not start:\n${running.output()}`);
    },
  };
}
