import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigurationError } from '../config/index.js';
import { acrossPartners } from './across-partners.js';
import { createMarketPolicies, type MarketPolicies } from './market-policies.js';
import { type Problem, shownProblem } from './problem.js';
import { MARKETS_FILE, readMarkets } from './read-markets.js';
import { type PartnerFile, readPartner } from './read-partner.js';
import { readSharedNotices } from './read-templates.js';
import { createPartnerRegistry, type PartnerRegistry } from './registry.js';

type Env = Readonly<Record<string, string | undefined>>;

export interface PartnersCheck {
  /** Every problem of every file, one sentence each, in the order of files and lines. */
  problems: readonly string[];
  /** Only when there is no problem. */
  registry: PartnerRegistry | undefined;
}

/**
 * Reads `<directory>/<id>/partner.yaml` of every partner, with its key files and templates, the market policies in
 * `<directory>/_markets/markets.yaml`, and the notices that all have in `<directory>/_notices/`. Folders whose name begins with `_` or `.` are no partners.
 *
 * @param env where `${env:NAME}` references are looked up.
 */
export async function checkPartners(directory: string, env: Env): Promise<PartnersCheck> {
  const { problems, registry } = await read(directory, env);
  return { problems: inOrder(problems), registry };
}

/**
 * `checkPartners` for a gateway that starts: every partner must also be of the gateway's own environment, which
 * `env.CAUSEWAY_ENV` names (the sandbox when it is not set).
 *
 * @throws ConfigurationError with every problem of every file at once.
 */
export async function loadPartners(directory: string, env: Env): Promise<PartnerRegistry> {
  const { files, problems, registry } = await read(directory, env);
  const own = env['CAUSEWAY_ENV'] === 'production' ? 'production' : 'sandbox';
  for (const { yaml, document } of files) {
    if (document.environment === undefined || document.environment === own) continue;
    problems.push({
      file: yaml.file,
      line: yaml.lineOf(['environment']),
      path: ['environment'],
      message: `is ${document.environment}, and this gateway is ${own}; fix: set CAUSEWAY_ENV, or give CAUSEWAY_PARTNERS_DIR a folder of ${own} partners`,
    });
  }
  if (problems.length > 0 || registry === undefined) throw new ConfigurationError(inOrder(problems));
  return registry;
}

interface Reading {
  files: PartnerFile[];
  problems: Problem[];
  registry: PartnerRegistry | undefined;
}

async function read(directory: string, env: Env): Promise<Reading> {
  const folders = await foldersIn(directory);
  if (folders === undefined || folders.length === 0) {
    const message = folders
      ? 'holds no partner; fix: copy _template/ to a folder of its own'
      : 'cannot be read; fix: set CAUSEWAY_PARTNERS_DIR';
    return { files: [], problems: [{ file: directory, line: 0, path: [], message }], registry: undefined };
  }
  const shared = await readSharedNotices(directory);
  const readings = await Promise.all(folders.map((folder) => readPartner(join(directory, folder), folder, env, shared.notices)));
  const files = readings.flatMap(({ file }) => file ?? []);
  const markets = await readMarkets(join(directory, ...MARKETS_FILE));
  const problems = [
    ...readings.flatMap((reading) => reading.problems),
    ...markets.problems,
    ...shared.problems,
    ...acrossPartners(files, markets.markets && new Set(Object.keys(markets.markets))),
  ];
  const policies: MarketPolicies | undefined = markets.markets && createMarketPolicies(markets.markets);
  const partners = readings.flatMap(({ partner }) => partner ?? []);
  return { files, problems, registry: policies && problems.length === 0 ? createPartnerRegistry(partners, policies) : undefined };
}

async function foldersIn(directory: string): Promise<string[] | undefined> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.isFile() && !/^[_.]/.test(entry.name))
      .map((entry) => entry.name)
      .sort();
  } catch {
    return undefined;
  }
}

function inOrder(problems: readonly Problem[]): string[] {
  return [...problems].sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1)).map(shownProblem);
}
