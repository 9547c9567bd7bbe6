/**
 * `npm run causeway -- <command>`: what people do beside running the service. Exit codes: 0 ok, 1 refused or failed,
 * 3 something was checked and is not well, 4 usage.
 */
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { ConfigurationError } from '../config/index.js';
import { systemClock } from '../kernel/clock.js';
import { isGatewayError } from '../kernel/errors.js';
import { backup, restore } from './backup.js';
import type { CommandContext } from './command-context.js';
import { doctor } from './doctor.js';
import { readEnvFile } from './env-file.js';
import { explain } from './explain.js';
import { init } from './init.js';
import { lintPartners } from './partner-lint.js';
import { keysRotate } from './rotate-master-key.js';

const EXIT_FAILED = 1;
const EXIT_INVALID = 3;
const EXIT_USAGE = 4;
const shippedPartners = fileURLToPath(new URL('../../partners/', import.meta.url));

// What these commands make holds numbers and wrapped keys: it is its owner's alone.
process.umask(0o077);
const env = { ...readEnvFile('.env'), ...process.env };
const context: CommandContext = { env, write: (text) => void process.stdout.write(text), now: () => systemClock.now() };

/** Runs a command and keeps its exit code. */
const exitWith =
  <Given extends unknown[]>(command: (...given: Given) => Promise<number> | number) =>
  async (...given: Given): Promise<void> => {
    process.exitCode = await command(...given);
  };

const program = new Command('causeway').description('Work with a Causeway gateway from the shell.').exitOverride();

program
  .command('init')
  .description('Ask a few questions, write .env, and make the data and keys folders. Safe to run again.')
  .option('--env <name>', 'sandbox or production')
  .option('--http-port <port>', 'the public port')
  .option('--ops-port <port>', 'the operations port')
  .option('--public-url <origin>', 'what partners and apps see')
  .option('--data-dir <folder>', 'the databases')
  .option('--keys-dir <folder>', 'the master key')
  .option('--database-url <url>', 'PostgreSQL, in place of SQLite')
  .option('--file <path>', 'the file to write', '.env')
  .option('--yes', 'ask nothing: flags and defaults are the answers', false)
  .option('--force', 'write the file anew although it is there; the old one is kept beside it', false)
  .action(
    exitWith((options) => init(context, options, process.stdin.isTTY ? { input: process.stdin, output: process.stdout } : undefined)),
  );

program
  .command('doctor')
  .description('Look at everything that the gateway needs; each line says how to fix it.')
  .option('--json', 'one JSON object, for programs', false)
  .action(exitWith((options: { json: boolean }) => doctor({ ...context, partnersDir: env['CAUSEWAY_PARTNERS_DIR'] }, options)));

program
  .command('explain')
  .description('Tell what an error code, or an SMPP command_status by name or number, means.')
  .argument('<code>', 'IDEMPOTENCY.KEY_REUSED, ESME_RTHROTTLED, 0x58, 88')
  .action(exitWith((code: string) => explain(context, code)));

program
  .command('backup')
  .description('Copy both databases into a folder while the gateway runs. The keys are not in it.')
  .argument('<folder>', 'a new or empty folder')
  .action(exitWith((folder: string) => backup(context, folder)));

program
  .command('restore')
  .description('Verify a backup and put it in the place of the databases; the gateway must be stopped.')
  .argument('<folder>', 'what backup made')
  .option('--check', 'only try it, in a temporary folder: nothing is changed', false)
  .option('--force', 'move databases that are there aside', false)
  .action(exitWith((folder: string, options: { check: boolean; force: boolean }) => restore(context, folder, options)));

program
  .command('keys')
  .description('The master key.')
  .command('rotate')
  .description('Make a new master key and wrap every secret anew with it.')
  .option('--finish', 'PostgreSQL, after every node was restarted: drop the old key', false)
  .action(exitWith((options: { finish: boolean }) => keysRotate(context, options)));

program
  .command('partner')
  .description('The operators and hubs in partners/.')
  .command('lint')
  .description('Check every partner.yaml and the market policies; each problem names file, line and fix.')
  .argument('[folder]', 'the partners folder', env['CAUSEWAY_PARTNERS_DIR'] ?? shippedPartners)
  .action(exitWith((folder: string) => lintPartners(folder, env, context.write)));

try {
  await program.parseAsync();
} catch (failure) {
  const { exitCode } = failure as { exitCode?: number };
  if (exitCode !== undefined) process.exitCode = exitCode === 0 ? 0 : EXIT_USAGE;
  else process.exitCode = explainFailure(failure);
}

function explainFailure(failure: unknown): number {
  if (failure instanceof ConfigurationError) {
    for (const problem of failure.problems) process.stderr.write(`${problem}\n`);
    return EXIT_INVALID;
  }
  if (!isGatewayError(failure)) {
    const { message, code } = failure as { message: string; code?: string };
    process.stderr.write(`It failed: ${code === undefined ? '' : `${code}: `}${message}\n`);
    return EXIT_FAILED;
  }
  process.stderr.write(`${failure.hint ? `${failure.detail} ${failure.hint}` : failure.detail}\n`);
  return EXIT_FAILED;
}
