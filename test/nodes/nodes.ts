import { randomBytes } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
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
  const database = `causeway_nodes_${randomBytes(6).toString('hex')}`;
  const url = new URL(given.databaseUrl);
  await onDatabase(url.href, `CREATE DATABASE ${database}`);
  url.pathname = `/${database}`;
  const homes = [await createHome(), await createHome()] as const;
  const doors = [await openDoor(homes.map((home) => home.url)), await openDoor(homes.map((home) => home.url).reverse())] as const;
  const shared = {
    CAUSEWAY_DATABASE_URL: url.href,
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
    sql: (text) => onDatabase(url.href, text),
    async close() {
      await Promise.all(nodes.map((node) => node.process().stop()));
      for (const door of doors) await door.close();
      for (const home of homes) home.remove();
      await onDatabase(given.databaseUrl, `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
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

/** A port that leads to the first of these that answers, as a load balancer would. */
async function openDoor(urls: readonly string[]): Promise<{ url: string; close(): Promise<void> }> {
  const open = new Set<Socket>();
  const server = createServer((client) => lead(client, urls));
  function lead(client: Socket, [first, ...others]: readonly string[]): void {
    if (first === undefined) return void client.destroy();
    const { hostname, port } = new URL(first);
    const node = connect({ host: hostname, port: Number(port) });
    const next = () => lead(client, others);
    node.once('error', next);
    node.once('connect', () => {
      node.off('error', next);
      for (const [from, to] of [
        [client, node],
        [node, client],
      ] as const) {
        open.add(from);
        from.on('error', () => to.destroy());
        from.on('close', () => {
          open.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
    });
  }
  server.on('connection', (client) => client.on('error', () => client.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function onDatabase(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
