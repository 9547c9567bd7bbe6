/**
 * `kill -9` at each durable boundary of the story: a commit is on the disk and nobody knows of it yet. The gateway is then
 * started again on the same folder, and the story goes on to its end: nothing lost, one SMS, one price, each event with
 * one id. Which boundaries there are is found by recording a story that nothing happens in.
 *
 * `CRASH_ALL=1` takes every commit instead of a sample; `CRASH_SEED` chooses another sample.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRandom } from '../../tools/fuzz/random.js';
import { type Aftermath, type Kill, type Lane, type Moment, openLane } from './lane.js';

const IS_ALL = process.env['CRASH_ALL'] === '1';
const SEED = Number(process.env['CRASH_SEED'] ?? 20_261_122);
const LANES = 2;
/** Deaths in one story: a start costs less than a story and a start. */
const CHAIN = 5;
const CONTROL_SAMPLE = 6;
const START_SAMPLE = 2;
const RANDOM_ROUNDS = 3;
const TEST_MS_MAX = IS_ALL ? 3_600_000 : 300_000;

/** Durable before the first octet is on the wire: a process that dies here cannot know whether the SMS went out. */
const SUBMITTING = 'messages.db sms.markSubmitting';
/** The SMSC has the SMS and has answered; the answer is not durable yet. */
const ANSWERED = 'before messages.db sms.finishAttempt';

let lanes: Lane[];
let atStart: Kill[];
let inStory: Kill[];

beforeAll(async () => {
  process.stderr.write(`crash seed: ${SEED} (CRASH_SEED chooses another)\n`);
  lanes = await Promise.all(Array.from({ length: LANES }, () => openLane()));
  const [first] = lanes;
  if (!first) throw new Error('there is no lane');
  atStart = await first.crossed();
  expect(await first.play()).toEqual({ deaths: 0, outcome: 'complete', problems: [] });
  inStory = await first.crossed();
}, TEST_MS_MAX);
afterAll(() => Promise.all(lanes.map((lane) => lane.close())));

/** Each on whichever lane is free; what is not well, by name. */
async function problemsOf<T>(all: readonly [name: string, one: T][], run: (lane: Lane, one: T) => Promise<unknown>): Promise<object> {
  const left = [...all];
  const problems: Record<string, unknown> = {};
  await Promise.all(
    lanes.map(async (lane) => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const [name, one] = next;
        const problem = await run(lane, one);
        if (problem !== undefined) problems[name] = problem;
      }
    }),
  );
  return problems;
}

const isWell = (after: Aftermath, deaths: number) => after.deaths === deaths && after.outcome === 'complete' && after.problems.length === 0;

/** `count` of them, the same ones for the same seed. */
function sample<T>(all: readonly T[], count: number): T[] {
  const random = createRandom(SEED);
  const left = [...all];
  return Array.from({ length: Math.min(count, left.length) }, () => left.splice(random(left.length), 1)).flat();
}

const of = (recorded: readonly Kill[], database: string) => recorded.filter(({ boundary }) => boundary.startsWith(database));
const nameOf = ({ boundary, nth }: Kill) => `${boundary} #${nth}`;

/**
 * Stories of a few deaths each, far apart, from boundaries in the order they were crossed in.
 * Counting begins anew after each death, so a later one counts from the one before it.
 */
function chains(kills: readonly Kill[]): [string, Kill[]][] {
  const count = Math.ceil(kills.length / CHAIN);
  return Array.from({ length: count }, (_, first) => {
    const chain = kills.filter((_kill, index) => index % count === first);
    const counted = chain.map((kill, index) => {
      const since = inStory.findIndex((one) => chain[index - 1] && nameOf(one) === nameOf(chain[index - 1] ?? one)) + 1;
      return { ...kill, nth: kill.nth - inStory.slice(0, since).filter(({ boundary }) => boundary === kill.boundary).length };
    });
    return [chain.map(nameOf).join(', then '), counted];
  });
}

/** Kills at all of these. */
async function crashAt(kills: readonly Kill[]): Promise<object> {
  const order = new Map(inStory.map((kill, index) => [nameOf(kill), index]));
  const inOrder = [...kills].sort((a, b) => (order.get(nameOf(a)) ?? 0) - (order.get(nameOf(b)) ?? 0));
  return problemsOf(chains(inOrder), async (lane, chain) => {
    const after = await lane.play({ kills: chain });
    if (isWell(after, chain.length)) return undefined;
    if (after.problems.length > 0 || after.outcome !== 'complete') return after;
    // One was not crossed (what is settled in one commit depends on timing, and a restart does some of the work by itself):
    // each alone then, and at its first crossing, which every story has.
    const alone = [];
    for (const { boundary } of chain) alone.push(await lane.play({ kills: [{ boundary, nth: 1 }] }));
    return alone.every((each) => isWell(each, 1)) ? undefined : alone;
  });
}

test('killed right after any kind of commit of messages.db, the story goes on', { timeout: TEST_MS_MAX }, async () => {
  const commits = of(inStory, 'messages.db').filter(({ boundary }) => boundary !== SUBMITTING);
  // The recorder sees what the story is made of: without these it would prove nothing.
  expect(commits.map(nameOf)).toEqual(
    expect.arrayContaining(
      ['engine.sendMessages', 'engine.claimFallbacks', 'sms.insert', 'sms.finishAttempt', 'sms.change', 'sms.insertInbound'].map(
        (operation) => `messages.db ${operation} #1`,
      ),
    ),
  );
  expect(await crashAt(IS_ALL ? commits : commits.filter(({ nth }) => nth === 1))).toEqual({});
});

// These two have a lane each.
test.concurrent('killed between the mark and the wire, the outcome is unknown and the SMS is not sent again', {
  timeout: TEST_MS_MAX,
}, async () => {
  // The mark is durable and the SMSC has nothing, but after a restart that looks the same as if it had: whoever sends
  // again may send twice, whoever says delivered may lie. So the state is unknown, and this is the only boundary with it.
  const after = await lanes[0]?.play({ kills: [{ boundary: SUBMITTING, nth: 1 }] });
  expect(after).toEqual({ deaths: 1, outcome: 'unknown', problems: [] });
});

test.concurrent('killed with the SMSC’s answer in hand, the SMS is not sent again', { timeout: TEST_MS_MAX }, async () => {
  // Its receipt tells the outcome later; whether the story sees `unknown` before that depends on how soon it comes.
  const after = await lanes[1]?.play({ kills: [{ boundary: ANSWERED, nth: 1 }] });
  expect(after).toMatchObject({ deaths: 1, problems: [] });
});

test('killed after a commit of gateway.db, the story goes on', { timeout: TEST_MS_MAX }, async () => {
  const commits = of(inStory, 'gateway.db');
  expect(commits.length).toBeGreaterThan(CONTROL_SAMPLE);
  expect(await crashAt(IS_ALL ? commits : sample(commits, CONTROL_SAMPLE))).toEqual({});
});

test('killed during its first start, it starts again and the story goes on', { timeout: TEST_MS_MAX }, async () => {
  const commits = [...of(atStart, 'messages.db'), ...of(atStart, 'gateway.db')];
  const kills = IS_ALL ? commits : sample(commits, START_SAMPLE);
  const problems = await problemsOf(
    kills.map((kill) => [nameOf(kill), kill]),
    async (_, kill) => {
      const lane = await openLane(kill);
      const after = await lane.play();
      await lane.close();
      // Some of a start's work goes on when it serves already.
      return lane.deaths() === 1 && isWell({ ...after, deaths: 1 }, 1) ? undefined : { ...after, deaths: lane.deaths() };
    },
  );
  expect(problems).toEqual({});
});

test('killed at any moment, the story goes on, or says that the outcome is unknown', { timeout: TEST_MS_MAX }, async () => {
  const random = createRandom(SEED);
  const moments = Array.from({ length: RANDOM_ROUNDS }, (): Moment => ({ step: 1 + random(12), ms: random(60) }));
  const problems = await problemsOf(
    moments.map((moment) => [`${moment.ms} ms after step ${moment.step}`, moment]),
    async (lane, moment) => {
      const after = await lane.play({ moment });
      return after.deaths === 1 && after.problems.length === 0 ? undefined : after;
    },
  );
  expect(problems).toEqual({});
});
