import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readOptions } from '../config/index.js';
import { checkPartners } from '../partners/index.js';
import type { CommandContext } from './command-context.js';
import { type Check, fail, ok } from './doctor/check.js';
import { checkDatabase } from './doctor/database.js';
import { checkFolders, checkNode, checkSpace } from './doctor/machine.js';
import { checkGateway } from './doctor/running.js';

/** What `causeway doctor` exits with when something fails; warnings alone are 0. */
const EXIT_INVALID = 3;

/**
 * `causeway doctor`: looks at everything that the gateway needs and changes nothing. One line each: ok, warn or fail, what
 * was seen, and how to fix it.
 *
 * @returns the exit code: 0, or 3 when anything fails.
 */
export async function doctor(context: CommandContext & { partnersDir: string | undefined }, { json }: { json: boolean }): Promise<number> {
  const { options, problems } = readOptions(context.env);
  const checks: Check[] = [checkNode()];
  if (problems.length === 0) checks.push(ok('configuration', `${options.CAUSEWAY_ENV}, every variable is well`));
  for (const problem of problems) {
    const [detail, fix] = problem.split('; fix: ');
    checks.push(fail('configuration', detail ?? problem, fix ?? 'correct the variable; docs/configuration.md lists every option'));
  }
  const {
    CAUSEWAY_DATA_DIR: dataDir = './data',
    CAUSEWAY_KEYS_DIR: keysDir = './keys',
    CAUSEWAY_PARTNERS_DIR: partnersDir = './partners',
  } = options;
  checks.push(...checkFolders(dataDir, keysDir));
  checks.push(await checkPartnersFolder(context.partnersDir ?? partnersDir, context));
  checks.push(...(await checkDatabase({ databaseUrl: options.CAUSEWAY_DATABASE_URL, dataDir, keysDir, now: context.now() })));
  checks.push(...(await checkGateway(options)));
  checks.push(checkSpace(existsSync(dataDir) ? dataDir : '.'));

  const isWell = checks.every(({ status }) => status !== 'fail');
  if (json) context.write(`${JSON.stringify({ ok: isWell, checks })}\n`);
  else
    for (const { status, name, detail, fix } of checks) {
      context.write(`${status.padEnd(5)} ${name}: ${detail}\n`);
      if (fix !== undefined) context.write(`${' '.repeat(6)}fix: ${fix}\n`);
    }
  return isWell ? 0 : EXIT_INVALID;
}

async function checkPartnersFolder(folder: string, { env }: CommandContext): Promise<Check> {
  const { problems, registry } = await checkPartners(folder, env);
  if (registry !== undefined) return ok('partners', `${registry.all().length} in ${join(folder)}, all valid`);
  return fail('partners', problems[0] ?? 'not valid', `npm run causeway -- partner lint (${problems.length} in all)`);
}
