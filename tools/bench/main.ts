/** `npm run bench -- <name> [--json] [--runs N]`: measures us beside a peer, in turn, and prints a table and a line of JSON. */
import { parseArgs } from 'node:util';
import type { Bench } from './bench.js';
import { compare, type Result, table } from './compare.js';

/** Each in a module of its own, loaded when it is asked for: one needs Kannel, another a database. */
const BENCHES: Readonly<Record<string, () => Promise<{ bench: Bench }>>> = {
  'smpp-codec': () => import('./smpp-codec.js'),
  'smpp-loopback': () => import('./smpp-loopback.js'),
  'smpp-many': () => import('./smpp-many.js'),
};
/** The fewest from which a median and a spread mean something. */
const RUNS_MIN = 5;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, runs: { type: 'string', default: String(RUNS_MIN) } },
});
const [name = '', ...rest] = positionals;
const load = BENCHES[name];
const runs = Number(values.runs);
if (!load || rest.length > 0 || !Number.isInteger(runs) || runs < RUNS_MIN) {
  process.stderr.write(`npm run bench -- <name> [--json] [--runs N, at least ${RUNS_MIN}]\nnames: ${Object.keys(BENCHES).join(', ')}\n`);
  process.exit(2);
}

const say = (progress: string): void => void process.stderr.write(`${progress}\n`);
const { bench } = await load();
say(`${bench.name}: ${bench.what}`);
const opened = await bench.open({ say });
const results: Result[] = [];
try {
  for (const comparison of opened.comparisons) results.push(await compare(comparison, { benchName: bench.name, runs, say }));
} finally {
  await opened.close();
}
process.stdout.write(`\n${table(results)}`);
if (values.json) for (const result of results) process.stdout.write(`${JSON.stringify(result)}\n`);
