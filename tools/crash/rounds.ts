import type { Crash } from './crash.js';
import type { Node } from './node.js';
import { cutPower } from './power-cut.js';

/** What happened in one round. */
export interface Round {
  readonly number: number;
  readonly what: string;
  readonly inFlight: Readonly<Record<string, number>>;
  readonly answered: number;
}

/** One in so many kills comes while the gateway starts. */
const AT_START = 8;
const STARTING_MS_MAX = 1_500;
const ANSWERS_MAX = 120;
const SERVING_MS_MAX = 400;
/** A round in so many looks for secrets while everything is under way. */
const LOOK_EVERY = 20;
const REPEATS = 3;

/** Kills one of the gateways at random moments, so many times, and each time starts it again while the load goes on. */
export async function killInRounds(crash: Crash, rounds: number, onRound: (round: Round) => void): Promise<void> {
  const { place, ledger, random } = crash;
  const starting = new Map<Node, Promise<void>>();
  const started = (node: Node): Promise<void> => starting.get(node) ?? Promise.resolve();

  for (let number = 1; number <= rounds; number++) {
    const node = place.nodes[random(place.nodes.length)];
    if (!node) return;
    const isAtStart = starting.has(node) && random(AT_START) === 0;
    if (isAtStart) await pause(random(STARTING_MS_MAX));
    else {
      await started(node);
      await crash.answers(random(ANSWERS_MAX));
      await pause(random(SERVING_MS_MAX));
    }
    const inFlight = ledger.inFlight();
    await node.kill();
    onRound({ number, what: `${node.name} killed${isAtStart ? ' while it starts' : ''}`, inFlight, answered: ledger.answered() });
    const start = node.start();
    // Who waits for the start is told of its failure.
    start.catch(() => undefined);
    starting.set(node, start);
    if (number % LOOK_EVERY === LOOK_EVERY / 2) await crash.lookForLeaks();
    await crash.repeat(REPEATS);
  }
  await Promise.all(place.nodes.map(started));
}

/** Cuts the power of copies of the gateway at random moments, while itself goes on. */
export async function cutPowerInRounds(crash: Crash, rounds: number, onRound: (round: Round) => void): Promise<void> {
  const { ledger, random } = crash;
  for (let number = 1; number <= rounds; number++) {
    await crash.answers(random(ANSWERS_MAX));
    await pause(random(SERVING_MS_MAX));
    const inFlight = ledger.inFlight();
    onRound({ number, what: 'power cut', inFlight, answered: ledger.answered() });
    for (const finding of await cutPower(crash)) ledger.fault(finding);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
