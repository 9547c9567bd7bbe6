import type { Crash } from './crash.js';
import type { Moment } from './ledger.js';
import type { Node } from './node.js';
import { cutPower } from './power-cut.js';

/** What happened in one round. */
export interface Round {
  readonly number: number;
  readonly what: string;
  readonly inFlight: Readonly<Record<string, number>>;
  readonly answered: number;
}

/** A gateway that starts is killed meanwhile once in so many times. */
const AT_START = 8;
const STARTING_MS_MAX = 1_500;
const ANSWERS_MAX = 120;
const SERVING_MS_MAX = 400;
/** Half of the kills come right when one of these is answered, and so before the gateway knows; the others at any time. */
const MOMENTS: readonly Moment[] = ['an SMS', 'a webhook', 'an envelope'];
const MOMENT_MS_MAX = 5_000;
/** In one round of so many both nodes are killed, and in as many one stood still before. */
const ODD = 10;
/** A node that stands still is given up after some seconds. */
const GIVEN_UP_MS_MAX = 60_000;
/** A round in so many looks for secrets while everything is under way. */
const LOOK_EVERY = 20;
const REPEATS = 3;
const LOOK_MS = 100;

/** Kills one of the gateways at random moments, so many times, and each time starts it again while the load goes on. */
export async function killInRounds(crash: Crash, rounds: number, onRound: (round: Round) => void): Promise<void> {
  const { place, ledger, random } = crash;
  const starting = new Map<Node, Promise<void>>();
  const started = (node: Node): Promise<void> => starting.get(node) ?? Promise.resolve();

  /** Waits for the moment of a kill. @returns it in words. */
  async function moment(node: Node): Promise<string> {
    if (node.isStarting() && random(AT_START) === 0) {
      await pause(random(STARTING_MS_MAX));
      return node.isStarting() ? ' while it starts' : '';
    }
    await started(node);
    await crash.answers(random(ANSWERS_MAX));
    const awaited = MOMENTS[random(2 * MOMENTS.length)];
    if (!awaited) {
      await pause(random(SERVING_MS_MAX));
      return '';
    }
    await Promise.race([ledger.next(awaited), pause(MOMENT_MS_MAX)]);
    return `, ${awaited} answered`;
  }

  for (let number = 1; number <= rounds; number++) {
    const node = place.nodes[random(place.nodes.length)];
    const other = place.nodes.find((each) => each !== node);
    if (!node) return;
    if (other && random(ODD) === 0) {
      await Promise.all([started(node), started(other)]);
      await standStill(crash, node);
    }
    const how = await moment(node);
    const victims = other && random(ODD) === 0 ? [node, other] : [node];
    const inFlight = ledger.inFlight();
    await Promise.all(victims.map((victim) => victim.kill()));
    const what = `${victims.map(({ name }) => name).join(' and ')} killed${how}`;
    onRound({ number, what, inFlight, answered: ledger.answered() });
    for (const victim of victims) {
      const start = victim.start();
      // Who waits for the start is told of its failure.
      start.catch(() => undefined);
      starting.set(victim, start);
    }
    if (number % LOOK_EVERY === LOOK_EVERY / 2) await crash.lookForLeaks();
    await crash.repeat(REPEATS);
  }
  await Promise.all(place.nodes.map(started));
}

/**
 * Stops a node, in the middle of whatever it does, until the other has taken its work over; then it goes on as if nothing
 * had been, as a machine does that was paused.
 */
export async function standStill({ place, ledger }: Crash, node: Node): Promise<void> {
  const alive = async (): Promise<number> => {
    const rows = (await place.database?.sql("SELECT count(*)::int AS nodes FROM node_lease WHERE name LIKE 'node/%'")) ?? [];
    return Number(rows[0]?.['nodes']);
  };
  await node.frozen(async () => {
    const end = Date.now() + GIVEN_UP_MS_MAX;
    while ((await alive()) > 1 && Date.now() < end) await pause(LOOK_MS);
    if (Date.now() > end) ledger.fault({ kind: 'lost', what: `the work of ${node.name}, which stood still: nobody took it over` });
  });
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
