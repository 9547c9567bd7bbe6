import { chmodSync, existsSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';
import { ConfigurationError, printEnvExample, readOptions } from '../config/index.js';
import { masterKeyFile, openMasterKey } from '../identity/index.js';
import { makeFolder } from '../kernel/make-folder.js';
import type { CommandContext } from './command-context.js';
import { readEnvFile } from './env-file.js';

export interface InitOptions {
  env?: string;
  httpPort?: string;
  opsPort?: string;
  publicUrl?: string;
  dataDir?: string;
  keysDir?: string;
  databaseUrl?: string;
  file: string;
  yes: boolean;
  force: boolean;
}

interface Question {
  variable: string;
  flag: keyof InitOptions;
  words: string;
  /** What Enter answers; none: the variable is left out. */
  usual?: string;
  onlyInProduction?: true;
}

const QUESTIONS: readonly Question[] = [
  { variable: 'CAUSEWAY_ENV', flag: 'env', words: 'sandbox, or production with real subscribers?', usual: 'sandbox' },
  { variable: 'CAUSEWAY_HTTP_PORT', flag: 'httpPort', words: 'Port of the public listener?', usual: '8080' },
  { variable: 'CAUSEWAY_OPS_PORT', flag: 'opsPort', words: 'Port of the operations listener?', usual: '9090' },
  { variable: 'CAUSEWAY_PUBLIC_URL', flag: 'publicUrl', words: 'Origin that partners and apps see, https?', onlyInProduction: true },
  { variable: 'CAUSEWAY_ORIGIN_TEXT', flag: 'publicUrl', words: 'Origin that serves messages?', onlyInProduction: true },
  { variable: 'CAUSEWAY_ORIGIN_MEDIA', flag: 'publicUrl', words: 'Origin that serves media?', onlyInProduction: true },
  { variable: 'CAUSEWAY_ORIGIN_CALLS', flag: 'publicUrl', words: 'Origin that serves calls?', onlyInProduction: true },
  { variable: 'CAUSEWAY_DATA_DIR', flag: 'dataDir', words: 'Folder of the databases?', usual: './data' },
  { variable: 'CAUSEWAY_KEYS_DIR', flag: 'keysDir', words: 'Folder of the master key?', usual: './keys' },
  { variable: 'CAUSEWAY_DATABASE_URL', flag: 'databaseUrl', words: 'PostgreSQL URL (empty: SQLite)?' },
];

/** What a person answers; undefined when the input ended. */
type Ask = (question: string) => Promise<string>;

/**
 * `causeway init`: writes `.env` with every option explained and the answers filled in, makes the folders for their owner
 * alone, and a master key where there is neither one nor data. A `.env` that is there is left as it is, but for `force`.
 *
 * @param terminal where to ask; without one, and with `yes`, flags and defaults are the answers.
 * @returns the exit code. @throws ConfigurationError when an answer from a flag is not valid; nothing was written then.
 */
export async function init(
  context: CommandContext,
  options: InitOptions,
  terminal?: { input: Readable; output: Writable },
): Promise<number> {
  const { write } = context;
  const isThere = existsSync(options.file);
  let answers: Record<string, string>;
  if (isThere && !options.force) {
    answers = readEnvFile(options.file);
    write(`${options.file} is there and was left as it is (--force writes it anew).\n`);
  } else {
    answers = await collect(options, options.yes ? undefined : terminal);
    const { problems } = readOptions(answers);
    // Production wants more than is asked here; what is missing is told, and the file is written all the same.
    const wrong = problems.filter((problem) =>
      Object.keys(answers).some((name) => problem.startsWith(`${name} is `) && !/^\S+ is not set/.test(problem)),
    );
    if (wrong.length > 0) throw new ConfigurationError(wrong);
    if (isThere) renameSync(options.file, `${options.file}.before`);
    writeFileSync(options.file, filledIn(answers), { mode: 0o600, flag: 'wx' });
    write(`wrote ${options.file}${isThere ? `; the old one is ${options.file}.before` : ''}\n`);
    for (const problem of problems) write(`still to do: ${problem}\n`);
  }
  makeFolders(context, { ...answers, ...given(context.env) });
  write('Next: npm run causeway -- doctor, then npm start\n');
  return 0;
}

/** What the process's own environment says goes before the file, here as at the start. */
const given = (env: CommandContext['env']): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''));

async function collect(options: InitOptions, terminal: { input: Readable; output: Writable } | undefined): Promise<Record<string, string>> {
  const lines = terminal && createInterface(terminal);
  const ask: Ask | undefined = lines && ((question) => lines.question(question));
  const answers: Record<string, string> = {};
  try {
    for (const question of QUESTIONS) {
      if (question.onlyInProduction && answers['CAUSEWAY_ENV'] !== 'production') continue;
      const flag = question.variable.startsWith('CAUSEWAY_ORIGIN_') ? undefined : options[question.flag];
      const answer = typeof flag === 'string' ? flag : ask ? await askUntilValid(ask, question) : question.usual;
      if (answer !== undefined && answer !== '') answers[question.variable] = answer;
    }
  } finally {
    lines?.close();
  }
  return answers;
}

async function askUntilValid(ask: Ask, { variable, words, usual }: Question): Promise<string | undefined> {
  for (;;) {
    const answer = (await ask(`${words}${usual === undefined ? '' : ` [${usual}]`} `)).trim() || usual;
    if (answer === undefined) return undefined;
    const problem = readOptions({ [variable]: answer }).problems.find((one) => one.startsWith(variable));
    if (problem === undefined) return answer;
    await ask(`${problem} (Enter to answer again) `);
  }
}

/** .env.example with these answers in the place of the defaults. */
function filledIn(answers: Readonly<Record<string, string>>): string {
  return printEnvExample()
    .replace(
      /^# Printed from .*\n# Nothing here needs .*$/m,
      '# Written by npm run causeway -- init. docs/configuration.md has the same in one table.',
    )
    .split('\n')
    .map((line) => {
      const name = /^#(CAUSEWAY_[A-Z_]+)=/.exec(line)?.[1];
      const answer = name === undefined ? undefined : answers[name];
      return answer === undefined ? line : `${name}=${/^[\w./:@+-]*$/.test(answer) ? answer : JSON.stringify(answer)}`;
    })
    .join('\n');
}

function makeFolders({ write }: CommandContext, answers: Readonly<Record<string, string>>): void {
  const dataDir = answers['CAUSEWAY_DATA_DIR'] ?? './data';
  const keysDir = answers['CAUSEWAY_KEYS_DIR'] ?? './keys';
  for (const folder of [dataDir, keysDir]) {
    const isNew = !existsSync(folder);
    makeFolder(folder);
    if ((statSync(folder).mode & 0o077) !== 0) {
      chmodSync(folder, 0o700);
      write(`${folder} is its owner's alone now\n`);
    } else if (isNew) write(`made ${folder}\n`);
  }
  if (existsSync(masterKeyFile(keysDir))) return;
  // A key that is made beside data of another key would only hide what is missing.
  if (existsSync(join(dataDir, 'gateway.db')) || answers['CAUSEWAY_DATABASE_URL'] !== undefined) {
    write(`there is no master key in ${keysDir}: put the one there that wrapped the data\n`);
    return;
  }
  openMasterKey({ keysFolder: keysDir, environment: 'sandbox' });
  write(`made a master key in ${keysDir}: keep a copy of it apart from the data\n`);
}
