/**
 * `npm run fuzz -- --minutes N [--seed S]`: mutated PDUs of every command at the decoder and at sessions over TCP, in turn, until
 * the time is up. Exit code 0 when nothing broke: no throw, no exit, no OK for what is broken, every answer within a
 * second (not counting time in which the machine ran others), memory back where it was.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/kernel/clock.js';
import { createDecoderFuzz } from './decoder-fuzz.js';
import { createSocketFuzz } from './socket-fuzz.js';
import { watchStarvation } from './starvation.js';

const ANSWER_MS_MAX = 1_000;
const MEMORY_GROWTH_OCTETS_MAX = 20 * 1_048_576;
const DECODED_PER_TURN = 20_000;
const SENT_PER_TURN = 2_000;
const PROGRESS_MS = 10_000;

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string' } } });
const minutes = Number(values.minutes);
const seed = values.seed === undefined ? 1 + Math.floor(Math.random() * 0x7fff_fffe) : Number(values.seed);
if (!(minutes > 0) || !Number.isInteger(seed)) {
  process.stderr.write('npm run fuzz -- --minutes N [--seed S]\n');
  process.exit(2);
}
const collect = globalThis.gc;
if (!collect) {
  process.stderr.write('Run it by npm run fuzz: memory is measured after a collection (node --expose-gc).\n');
  process.exit(2);
}

/** What is held after a collection, in octets: the heap and the buffers outside of it. */
async function held(collectNow: NonNullable<typeof globalThis.gc>): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collectNow();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const say = (line: string): void => void process.stdout.write(`${new Date().toISOString()} ${line}\n`);
const mega = (octets: number): string => `${(octets / 1_048_576).toFixed(1)} MB`;

say(`seed ${seed}, ${minutes} minutes; the same seed sends the same PDUs`);
const never = new Promise<void>(() => undefined);
const decoder = createDecoderFuzz(seed);
const starvation = watchStarvation();
const elapsedMs = () => performance.now() - starvation.starvedMs;
const sockets = await createSocketFuzz({ seed, clock: systemClock, passTime: () => never, elapsedMs });
// What is compiled and pooled once is not growth.
decoder.run(DECODED_PER_TURN);
await sockets.run(SENT_PER_TURN);
const heldBefore = await held(collect);
const loop = monitorEventLoopDelay({ resolution: 10 });
loop.enable();
const endsAt = performance.now() + minutes * 60_000;
let saidAt = performance.now();

function tell(): void {
  say(`decoder ${decoder.done} ${JSON.stringify(decoder.kinds)}`);
  say(`sockets ${sockets.done} ${JSON.stringify(sockets.counts)} slowest ${sockets.slowestMs.toFixed(0)} ms`);
}

const problems: string[] = [];
try {
  while (performance.now() < endsAt) {
    decoder.run(DECODED_PER_TURN);
    await sockets.run(SENT_PER_TURN);
    if (performance.now() - saidAt < PROGRESS_MS) continue;
    saidAt = performance.now();
    tell();
  }
  if (sockets.slowestMs > ANSWER_MS_MAX) problems.push(`an answer took ${sockets.slowestMs.toFixed(0)} ms`);
} catch (failure) {
  const { message, cause } = failure instanceof Error ? failure : { message: String(failure), cause: undefined };
  problems.push(`${message}${cause instanceof Error ? `\n${cause.stack}` : ''}`);
}
loop.disable();
await sockets.close();
const growth = (await held(collect)) - heldBefore;
if (growth > MEMORY_GROWTH_OCTETS_MAX) problems.push(`${mega(growth)} more memory is held than before`);
tell();
starvation.stop();
say(`memory ${growth < 0 ? '' : '+'}${mega(growth)} after a collection, resident ${mega(process.memoryUsage.rss())}`);
say(
  `longest turn of the event loop ${(loop.max / 1e6).toFixed(0)} ms; the machine ran others for ${(starvation.starvedMs / 1_000).toFixed(0)} s`,
);
for (const problem of problems) say(`BROKEN: ${problem}`);
say(problems.length === 0 ? `nothing broke (seed ${seed})` : `${problems.length} promises broken (seed ${seed})`);
process.exit(problems.length === 0 ? 0 : 1);
