/**
 * `npm run crash -- --rounds N [--seed S] [--database sqlite|postgresql] [--nodes 2] [--power-cut] [--json]`: kills gateways
 * at random moments under a running load, or cuts the power of copies of one, and compares what was answered with what is
 * there. Exit code 1 when something is missing, there twice, or where nobody may read it.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { type Outcome, openCrash } from './crash.js';
import type { Finding } from './ledger.js';
import { cutPowerInRounds, killInRounds, type Round } from './rounds.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    database: { type: 'string' },
    nodes: { type: 'string', default: '1' },
    'power-cut': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const seed = Number(values.seed);
const nodes = Number(values.nodes);
const database = values.database ?? (nodes === 1 ? 'sqlite' : 'postgresql');
const isPowerCut = values['power-cut'];
const isDatabase = database === 'sqlite' ? nodes === 1 : database === 'postgresql' && !isPowerCut;
if (!Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(seed) || (nodes !== 1 && nodes !== 2) || !isDatabase) {
  process.stderr.write('npm run crash -- --rounds N [--seed S] [--database sqlite|postgresql] [--nodes 1|2] [--power-cut] [--json]\n');
  process.stderr.write('Two nodes need PostgreSQL and NATS; power is cut of one gateway on SQLite.\n');
  process.exit(2);
}
const databaseUrl =
  database === 'postgresql' ? (process.env['CAUSEWAY_TEST_DATABASE_URL'] ?? 'postgresql://postgres@127.0.0.1:5432/postgres') : undefined;
const natsUrl = nodes === 2 ? (process.env['CAUSEWAY_TEST_NATS_URL'] ?? 'nats://127.0.0.1:4222') : undefined;

const say = (line: string) => process.stdout.write(`${line}\n`);
const began = Date.now();

function sayRound({ number, what, inFlight, answered }: Round): void {
  const flying = Object.entries(inFlight).map(([kind, count]) => `${count} ${kind}`);
  const rate = Math.round((answered * 1_000) / (Date.now() - began));
  say(`${String(number).padStart(4)}/${rounds}  ${what}; in flight ${flying.join(', ')}; ${answered} answered, ${rate}/s`);
}

async function run(): Promise<Outcome> {
  say(`${rounds} rounds on ${database}${nodes === 2 ? ', two nodes' : ''}; seed ${seed}`);
  const crash = await openCrash({ nodes: nodes === 2 ? 2 : 1, databaseUrl, natsUrl, seed, ...(isPowerCut && { repeatablesMax: 300 }) });
  const stop = () => void crash.close().finally(() => process.exit(130));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  try {
    await (isPowerCut ? cutPowerInRounds : killInRounds)(crash, rounds, sayRound);
    say('the load ends; what is under way comes to its end');
    return await crash.judge();
  } finally {
    await crash.close();
  }
}

const { answered, findings } = await run();
const count = (kind: Finding['kind']) => findings.filter((finding) => finding.kind === kind).length;
for (const { kind, what } of findings) say(`${kind.toUpperCase()}  ${what}`);
const [lost, doubled, leaked] = [count('lost'), count('doubled'), count('leaked')];
say(
  `${rounds} rounds in ${Math.round((Date.now() - began) / 1_000)} s: ${answered} answered, ${lost} lost, ${doubled} doubled, ${leaked} leaked`,
);
if (values.json) say(JSON.stringify({ rounds, answered, lost, doubled, leaked }));
process.exit(findings.length === 0 ? 0 : 1);
