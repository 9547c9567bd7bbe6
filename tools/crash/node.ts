import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { type GatewayHome, type GatewayProcess, startGateway } from '../gateway/gateway-process.js';

/** One gateway that is killed and started again. */
export interface Node {
  readonly name: string;
  isStarting(): boolean;
  /** @returns when it serves, or was killed before it did. @throws when it ended by itself. */
  start(): Promise<void>;
  /** `kill -9`, also while it starts. @returns when it is gone. */
  kill(): Promise<void>;
  /** Stops the whole process at once, in the middle of whatever it does, for as long as `work` takes. */
  frozen<T>(work: () => Promise<T>): Promise<T>;
  /** Ends it as a person would. */
  stop(): Promise<void>;
  /** Kills it for good: whoever would start it again does not. */
  retire(): Promise<void>;
}

export interface NodeOptions {
  name: string;
  home: GatewayHome;
  /** Told all that a process has written, when that process has ended. */
  onOutput(text: string): void;
  /** Told that it ended although nobody killed it. */
  onFault(words: string): void;
}

const TAIL_LINES = 20;

/** From one start to its end. */
interface Life {
  child?: ChildProcess;
  gateway?: GatewayProcess;
  /** We ended it. */
  isOurs: boolean;
}

export function createNode({ name, home, onOutput, onFault }: NodeOptions): Node {
  let life: Life = { isOurs: false };
  let isRetired = false;

  const isRunning = ({ child }: Life): boolean => child !== undefined && child.exitCode === null && child.signalCode === null;
  const lastWords = (output: string): string => output.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');

  async function start(): Promise<void> {
    if (isRetired) return;
    const mine: Life = { isOurs: false };
    life = mine;
    const gateway = await startGateway(home, {
      onSpawn(child) {
        mine.child = child;
      },
    });
    mine.gateway = gateway;
    void gateway.exited.then(({ code, signal }) => {
      onOutput(gateway.output());
      if (!mine.isOurs) onFault(`${name} ended by itself (${signal ?? code}); its last words:\n${lastWords(gateway.output())}`);
    });
    if (!isRunning(mine) && !mine.isOurs) throw new Error(`${name} did not start:\n${lastWords(gateway.output())}`);
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const { child } = life;
    if (!child || !isRunning(life)) return;
    life.isOurs = true;
    const gone = new Promise((resolve) => child.once('close', resolve));
    child.kill(signal);
    await gone;
  }

  return {
    name,
    isStarting: () => isRunning(life) && life.gateway === undefined,
    start,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    async retire() {
      isRetired = true;
      await end('SIGKILL');
    },
    async frozen(work) {
      const { child } = life;
      if (!child || !isRunning(life)) throw new Error(`${name} does not run`);
      child.kill('SIGSTOP');
      try {
        await isStopped(child.pid ?? 0);
        return await work();
      } finally {
        child.kill('SIGCONT');
      }
    },
  };
}

/** Each thread stops at the end of the system call that it is in. */
async function isStopped(pid: number): Promise<void> {
  const tasks = `/proc/${pid}/task`;
  while (!readdirSync(tasks).every((task) => /^State:\s+T/m.test(readFileSync(`${tasks}/${task}/status`, 'utf8'))))
    await new Promise((resolve) => setImmediate(resolve));
}
