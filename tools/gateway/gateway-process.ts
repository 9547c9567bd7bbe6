import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.js';

/** What is durable of one gateway: its folders and ports, which stay the same over restarts. */
export interface GatewayHome {
  readonly url: string;
  readonly operationsUrl: string;
  readonly dataDir: string;
  readonly keysDir: string;
  /** The `CAUSEWAY_*` variables of a gateway that lives here. */
  readonly variables: Readonly<Record<string, string>>;
  /** The sandbox client that the gateway made for E-Plus. */
  credentials(): { clientId: string; clientSecret: string };
  /** Every file of both folders as it is on the disk right now, by its path. */
  files(): Map<string, Buffer>;
  remove(): void;
}

export interface GatewayProcess {
  readonly child: ChildProcess;
  /** All that it has written to its output, in order. */
  output(): string;
  /** How it ended; resolves then. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Asks it to drain and close, and waits until it has. */
  stop(): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** This file runs from tools/ in tests, and from dist/tools/ in programs. */
const above = fileURLToPath(new URL('../../', import.meta.url));
export const CHECKOUT = basename(above) === 'dist' ? resolve(above, '..') : resolve(above);
export const MAIN_PROGRAM = join(CHECKOUT, 'dist', 'main.js');

/** How long a start may take on a busy machine before it counts as one that hangs. */
const START_MS_MAX = 90_000;

/**
 * Folders of its own and ports that are free right now.
 *
 * @param given.dataDir on another disk, for instance; whoever gives it removes it.
 */
export async function createHome(given: { dataDir?: string } = {}): Promise<GatewayHome> {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-home-'));
  const httpPort = await freePort();
  const opsPort = await freePort();
  const dataDir = given.dataDir ?? join(folder, 'data');
  const keysDir = join(folder, 'keys');
  return {
    url: `http://127.0.0.1:${httpPort}`,
    operationsUrl: `http://127.0.0.1:${opsPort}`,
    dataDir,
    keysDir,
    variables: {
      CAUSEWAY_HTTP_PORT: String(httpPort),
      CAUSEWAY_OPS_PORT: String(opsPort),
      CAUSEWAY_SMPP_LISTEN_PORT: '0',
      CAUSEWAY_DATA_DIR: dataDir,
      CAUSEWAY_KEYS_DIR: keysDir,
    },
    credentials() {
      const { partners } = JSON.parse(readFileSync(join(dataDir, 'sandbox-credentials.json'), 'utf8')) as {
        partners: Record<string, { clientId: string; clientSecret: string }>;
      };
      const own = partners['e-plus'];
      if (!own) throw new Error('the sandbox made no credentials for e-plus');
      return own;
    },
    files: () => new Map([dataDir, keysDir].flatMap((each) => (existsSync(each) ? readAll(each) : []))),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/**
 * Starts a gateway as a process of its own.
 *
 * @param given.program run with Node; `dist/main.js` unless told otherwise.
 * @param given.onSpawn told of the process as soon as it is there: it may be killed while it starts.
 * @returns once it serves or has ended.
 */
export async function startGateway(
  home: GatewayHome,
  given: {
    program?: string;
    args?: readonly string[];
    env?: Readonly<Record<string, string>>;
    onSpawn?: (child: ChildProcess) => void;
  } = {},
): Promise<GatewayProcess> {
  const foreign = Object.entries(process.env).filter(([name]) => !name.startsWith('CAUSEWAY_') && !name.startsWith('VITEST'));
  const child = spawn(process.execPath, [given.program ?? MAIN_PROGRAM, ...(given.args ?? [])], {
    env: { ...Object.fromEntries(foreign), NODE_ENV: 'production', ...home.variables, ...given.env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  given.onSpawn?.(child);
  const chunks: string[] = [];
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal })),
  );
  let isServing = false;
  const serving = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        chunks.push(chunk);
        // The welcome comes once both listeners are open.
        if (isServing || !chunks.join('').includes(`Causeway serves at ${home.url}`)) return;
        isServing = true;
        resolve();
      });
    }
  });
  const late = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`the gateway did not serve within ${START_MS_MAX / 1_000} s:\n${chunks.join('')}`));
    }, START_MS_MAX);
    void Promise.race([serving, exited]).then(() => clearTimeout(timer));
  });
  await Promise.race([serving, exited, late]);
  return {
    child,
    output: () => chunks.join(''),
    exited,
    async stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

function readAll(folder: string): [string, Buffer][] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name))]);
}
