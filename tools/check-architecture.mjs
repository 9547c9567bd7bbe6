#!/usr/bin/env node
/**
 * Reads every import in src/ and names the arrow that points the wrong way (DESIGN.md section 2):
 * edges → features → engine → store, bus → kernel; a feature reaches another feature only through its index.ts.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Lower may not import higher. What stands on one level may import each other only through index.ts. */
const LEVELS = {
  kernel: 0,
  bus: 1,
  store: 1,
  smpp: 1,
  config: 1,
  engine: 2,
  partners: 3,
  identity: 3,
  catalogue: 3,
  provisioning: 3,
  'zero-rating': 3,
  settlement: 3,
  sms: 3,
  events: 3,
  sandbox: 3,
  http: 4,
  admin: 4,
  cli: 5,
};
/** Parts that may import less than their level allows. */
const ONLY = {
  kernel: ['kernel'],
  bus: ['kernel'],
  store: ['kernel'],
  smpp: ['kernel'],
  config: ['kernel'],
  engine: ['kernel', 'store', 'bus'],
};
/** The composition root, its parts and the program may import everything. */
const ROOT_FILES = new Set(['main.ts', 'build.ts']);
const ROOT_PART = 'build';

const IMPORT = /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

/** @returns one sentence per wrong arrow: `src/a.ts imports src/b.ts: …`. */
export function checkArchitecture(sourceFolder) {
  const problems = [];
  for (const entry of readdirSync(sourceFolder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
    const file = join(entry.parentPath, entry.name);
    const path = relative(sourceFolder, file).split(sep);
    if (path.includes('generated') || entry.name.endsWith('.d.ts')) continue;
    const text = readFileSync(file, 'utf8');
    const from = path[0];
    const say = (what) => problems.push(`src/${path.join('/')} ${what}`);
    const processUse = /(?<![\w-])process\.(?!versions\b)[a-z]+/i.exec(text.replace(/^\s*(\*|\/\/).*$/gm, ''));
    if (processUse && path.join('/') !== 'main.ts' && from !== 'cli')
      say(`uses ${processUse[0]}: only main.ts and the cli touch the process`);
    if (path.length === 1) {
      if (!ROOT_FILES.has(from)) say('lies at the top: only main.ts and build.ts do');
      continue;
    }
    if (from === ROOT_PART) continue;
    if (!(from in LEVELS)) {
      say(`is in an unknown part: add src/${from} to DESIGN's map and to tools/check-architecture.mjs first`);
      continue;
    }
    for (const [, fromClause, dynamic] of text.matchAll(IMPORT)) {
      const target = fromClause ?? dynamic;
      if (!target.startsWith('.')) continue;
      const imported = relative(sourceFolder, resolve(dirname(file), target)).split(sep);
      const to = imported[0];
      if (to === from) continue;
      const shown = `imports src/${imported.join('/')}`;
      if (imported.length === 1 || to === ROOT_PART) say(`${shown}: nothing imports the composition root`);
      else if (ONLY[from] && !ONLY[from].includes(to)) say(`${shown}: ${from} may import only ${ONLY[from].join(', ')}`);
      else if (LEVELS[to] > LEVELS[from]) say(`${shown}: the arrow points up (${from} is below ${to})`);
      else if (LEVELS[to] >= 2 && imported.length > 1 && imported.slice(1).join('/') !== 'index.js')
        say(`${shown}: reach ${to} through its index.ts`);
    }
  }
  return problems;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = checkArchitecture(resolve(dirname(fileURLToPath(import.meta.url)), '..', 'src'));
  for (const problem of problems) process.stdout.write(`${problem}\n`);
  process.stdout.write(problems.length ? `${problems.length} arrows point the wrong way\n` : 'architecture: every arrow points down\n');
  process.exit(problems.length ? 1 : 0);
}
