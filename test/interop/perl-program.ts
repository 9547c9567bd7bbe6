import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A line that the program wrote. */
// biome-ignore lint/suspicious/noExplicitAny: what another program says, read by tests that look at it.
export type Line = Record<string, any>;

/** A program over Net::SMPP that speaks lines of JSON. */
export interface PerlProgram {
  /** Everything that it has written so far. */
  readonly lines: readonly Line[];
  /** Tells it something, and waits for the line that it writes then. */
  tell(order: object): Promise<Line>;
  /** The next line that was not waited for. @throws what the program complained of, when it has ended. */
  next(): Promise<Line>;
  /** Ends its input, or the program itself, and waits for its end. */
  stop(): Promise<void>;
}

export async function startPerl(name: 'esme' | 'smsc', ...args: readonly string[]): Promise<PerlProgram> {
  const file = fileURLToPath(new URL(`net-smpp/${name}.pl`, import.meta.url));
  const child = spawn('perl', [file, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  const complaints: string[] = [];
  const lines: Line[] = [];
  const waiting: { resolve: (line: Line) => void; reject: (failure: Error) => void }[] = [];
  let taken = 0;
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => void complaints.push(chunk));
  createInterface({ input: child.stdout }).on('line', (text) => {
    lines.push(JSON.parse(text) as Line);
    const first = waiting.shift();
    if (first) first.resolve(lines[taken++] ?? {});
  });
  let isOver = false;
  const over = () => new Error(`${name}.pl has ended:\n${complaints.join('')}`);
  void ended.then(() => {
    isOver = true;
    for (const { reject } of waiting.splice(0)) reject(over());
  });
  const next = (): Promise<Line> => {
    const line = lines[taken];
    if (line) {
      taken++;
      return Promise.resolve(line);
    }
    return isOver ? Promise.reject(over()) : new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  };
  return {
    lines,
    next,
    tell(order) {
      child.stdin.write(`${JSON.stringify(order)}\n`);
      return next();
    },
    async stop() {
      child.stdin.end();
      child.kill('SIGTERM');
      await ended;
    },
  };
}
