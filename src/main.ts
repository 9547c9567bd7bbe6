import { buildGateway, type Gateway } from './build.js';
import { readEnvFile } from './cli/env-file.js';
import { startProblems } from './cli/start-problems.js';
import { welcome } from './cli/welcome.js';
import { ConfigurationError, readConfig } from './config/index.js';
import { isGatewayError } from './kernel/errors.js';

/** A signal to a process group often comes twice within milliseconds (npm passes it on): repeats are ignored this long. */
const REPEATED_SIGNAL_MS = 1_000;

function fail(sentences: readonly string[]): never {
  for (const sentence of sentences) process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

function explain(failure: unknown): string[] {
  if (failure instanceof ConfigurationError) return [...failure.problems];
  if (isGatewayError(failure)) return [failure.hint ? `${failure.detail} ${failure.hint}` : failure.detail];
  const { message, code } = failure as { message: string; code?: string };
  return [`Causeway could not start: ${code ? `${code}: ` : ''}${message}`];
}

// The data folder holds numbers and wrapped keys: what is made in it is its owner's alone.
process.umask(0o077);

let gateway: Gateway | undefined;
let stoppedAt: number | undefined;

/** One line however many steps there are: the next start has none of them. */
function sayOnce(words: string): () => void {
  let isSaid = false;
  return () => {
    if (!isSaid) process.stderr.write(`${words}…\n`);
    isSaid = true;
  };
}

async function stop(signal: string): Promise<void> {
  if (stoppedAt !== undefined) {
    // Somebody who asks again later does not want to wait for the drain.
    if (performance.now() - stoppedAt > REPEATED_SIGNAL_MS) process.exit(1);
    return;
  }
  stoppedAt = performance.now();
  process.stderr.write(`${signal}: finishing what is under way\n`);
  await gateway?.close();
  process.exit(0);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(signal).catch((failure) => fail(explain(failure))));

try {
  // What the environment sets itself goes before the file.
  const env = { ...readEnvFile('.env'), ...process.env };
  const problems = await startProblems(env);
  if (problems.length > 0) fail(problems);
  gateway = await buildGateway(readConfig(env), env, { onProgress: sayOnce('preparing the database') });
  // Words for people stay off standard output where programs read the log there.
  const forPeople = gateway.credentialsFile === undefined ? process.stderr : process.stdout;
  forPeople.write(welcome(gateway));
} catch (failure) {
  fail(explain(failure));
}
