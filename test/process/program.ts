import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createTestDatabase, testDatabaseUrl } from '../fakes/database.js';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A program as a person starts it: in a folder of its own, with nothing of this test run in its environment. */
export interface Program {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Both, in the order in which they came. */
  output(): string;
  /** Resolves with the match once the output shows it; rejects when the program ends before. */
  shows(pattern: RegExp): Promise<RegExpExecArray>;
  readonly ended: Promise<Ending>;
  /** The address of a gateway that serves. */
  url(): Promise<string>;
}

export type Variables = Readonly<Record<string, string>>;

/** A place for programs: whatever was started in it is gone after `leave`. */
export interface Place {
  readonly folder: string;
  readonly dataDir: string;
  readonly keysDir: string;
  /** Folders of this place and ports that the system chooses. */
  readonly variables: Variables;
  /** Runs `node <program>`. */
  run(program: string, args?: readonly string[], variables?: Variables): Program;
  /** Runs `dist/main.js` with the place's variables and these. */
  start(variables?: Variables): Program;
  /** Runs any command in a process group of its own, as a shell does. */
  spawnGroup(command: string, args: readonly string[], variables?: Variables): Program;
  leave(): Promise<void>;
}

export async function createPlace(): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-process-'));
  const started: Program[] = [];
  const dataDir = join(folder, 'data');
  const keysDir = join(folder, 'keys');
  const database = testDatabaseUrl ? await createTestDatabase(testDatabaseUrl, 'empty') : undefined;
  const variables = {
    CAUSEWAY_HTTP_PORT: '0',
    CAUSEWAY_OPS_PORT: '0',
    CAUSEWAY_SMPP_LISTEN_PORT: '0',
    CAUSEWAY_DATA_DIR: dataDir,
    CAUSEWAY_KEYS_DIR: keysDir,
    ...(database && { CAUSEWAY_DATABASE_URL: withPassword(database.url) }),
  };

  function launch(command: string, args: readonly string[], given: Variables, detached: boolean): Program {
    const own = Object.entries(process.env).filter(([name]) => !/^(CAUSEWAY_|VITEST|NODE_ENV|npm_)/.test(name));
    const child = spawn(command, args, {
      cwd: ROOT,
      env: { ...Object.fromEntries(own), ...given },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached,
    });
    const program = watch(child);
    started.push(program);
    return program;
  }

  return {
    folder,
    dataDir,
    keysDir,
    variables,
    run: (program, args = [], given = {}) => launch(process.execPath, [join(ROOT, program), ...args], given, false),
    start: (given = {}) => launch(process.execPath, [join(ROOT, 'dist/main.js')], { ...variables, ...given }, false),
    spawnGroup: (command, args, given = {}) => launch(command, args, { ...variables, ...given }, true),
    async leave() {
      for (const { child } of started) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await Promise.all(started.map((program) => program.ended));
      rmSync(folder, { recursive: true, force: true });
      await database?.drop();
    },
  };
}

/** Production takes no database without one; a server that trusts whoever reaches it asks for none. */
function withPassword(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  url.password ||= randomBytes(12).toString('hex');
  return url.href;
}

function watch(child: ChildProcess): Program {
  const written: { to: 'stdout' | 'stderr'; text: string }[] = [];
  const waiting = new Set<() => void>();
  let isOver = false;
  const ended = new Promise<Ending>((resolve) => {
    child.once('close', (code, signal) => {
      isOver = true;
      resolve({ code, signal });
      for (const look of waiting) look();
    });
  });
  for (const to of ['stdout', 'stderr'] as const) {
    child[to]?.setEncoding('utf8').on('data', (text: string) => {
      written.push({ to, text });
      for (const look of waiting) look();
    });
  }
  const textOf = (to?: 'stdout' | 'stderr') => written.flatMap((part) => (to === undefined || part.to === to ? part.text : [])).join('');
  const shows = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      function look(): void {
        const found = pattern.exec(textOf());
        if (!found && !isOver) return;
        waiting.delete(look);
        if (found) resolve(found);
        else reject(new Error(`the program ended and never showed ${pattern}:\n${textOf()}`));
      }
      waiting.add(look);
      look();
    });
  return {
    child,
    ended,
    shows,
    stdout: () => textOf('stdout'),
    stderr: () => textOf('stderr'),
    output: () => textOf(),
    url: async () => (await shows(/Causeway serves at (http:\/\/[^\s]+)\n[\s\S]*Ctrl-C stops it cleanly/))[1] ?? '',
  };
}

export const linesOf = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '');

/** Several starts of a whole gateway, on a machine that does other things as well. */
export const PROCESS_TEST_MS_MAX = 120_000;
