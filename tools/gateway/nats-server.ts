import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from './free-port.js';

/** A NATS server of the test's own, that can be stopped and started again on its port. */
export interface NatsServer {
  readonly url: string;
  start(): Promise<void>;
  /** As a crash would end it. */
  kill(): Promise<void>;
  /** It reads and answers nothing until it is continued. */
  freeze(): void;
  thaw(): void;
}

export async function createNatsServer(credentials?: { user: string; password: string }): Promise<NatsServer> {
  const port = await freePort();
  let child: ChildProcess | undefined;
  const secret = credentials ? ['--user', credentials.user, '--pass', credentials.password] : [];
  return {
    url: `nats://127.0.0.1:${port}`,
    async start() {
      const started = spawn('nats-server', ['-a', '127.0.0.1', '-p', String(port), ...secret], { stdio: ['ignore', 'ignore', 'pipe'] });
      child = started;
      await new Promise<void>((resolve, reject) => {
        let said = '';
        started.once('error', reject);
        started.once('exit', () => reject(new Error(`nats-server ended: ${said}`)));
        started.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
          said += chunk;
          if (said.includes('Server is ready')) resolve();
        });
      });
    },
    async kill() {
      const running = child;
      child = undefined;
      if (!running || running.exitCode !== null) return;
      const gone = once(running, 'exit');
      running.kill('SIGCONT');
      running.kill('SIGKILL');
      await gone;
    },
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
  };
}
