import { afterEach, expect, test } from 'vitest';
import { createLog } from '../../src/kernel/log.js';
import { type Periodic, runPeriodically } from '../../src/kernel/periodic.js';
import { createFakeClock } from '../fakes/clock.js';

let periodic: Periodic | undefined;
afterEach(() => periodic?.close());

const start = (pass: () => Promise<boolean | undefined>) => {
  const clock = createFakeClock();
  periodic = runPeriodically({ name: 'test', everyMs: 1_000, clock, log: createLog('silent') }, pass);
  return { clock, work: periodic };
};

test('it works at once, and again when the time is over', async () => {
  let passes = 0;
  const { clock } = start(async () => void passes++);
  await clock.advance(0);
  expect(passes).toBe(1);
  await clock.advance(999);
  expect(passes).toBe(1);
  await clock.advance(1);
  expect(passes).toBe(2);
});

test('a wake-up during a pass makes one more, however many there were, and passes never overlap', async () => {
  let passes = 0;
  let inside = 0;
  let most = 0;
  const { clock, work } = start(async () => {
    passes++;
    most = Math.max(most, ++inside);
    await new Promise<void>((resolve) => setImmediate(resolve));
    inside--;
    return undefined;
  });
  for (let i = 0; i < 5; i++) work.wake();
  await clock.advance(0);
  await clock.advance(0);
  await clock.advance(0);
  expect({ passes, most }).toEqual({ passes: 2, most: 1 });
});

test('a wake-up is not lost in the moment in which a pass ends', async () => {
  let passes = 0;
  const { clock, work } = start(async () => void passes++);
  for (let turn = 0; turn < 10; turn++) {
    const before = passes;
    // From a microtask, so that every place between the pass and its end is met.
    let chain = Promise.resolve();
    for (let depth = 0; depth < turn; depth++) chain = chain.then(() => undefined);
    await chain;
    work.wake();
    await clock.advance(0);
    expect(passes).toBeGreaterThan(before);
  }
});

test('work that is left over is taken up at once', async () => {
  let left = 3;
  const { clock } = start(async () => --left > 0);
  await clock.advance(0);
  expect(left).toBe(0);
});

test('while it fails, wake-ups do not turn it into a busy loop, and the next try comes in time', async () => {
  let passes = 0;
  const { clock, work } = start(async () => {
    passes++;
    throw new Error('no');
  });
  await clock.advance(0);
  for (let i = 0; i < 100; i++) work.wake();
  await clock.advance(0);
  expect(passes).toBe(1);
  await clock.advance(100);
  expect(passes).toBe(2);
});

test('who waits for a pass is told when it failed', async () => {
  let fails = true;
  const { clock, work } = start(async () => {
    if (fails) throw new Error('the other side is away');
    return undefined;
  });
  await clock.advance(0);
  await expect(work.finished()).rejects.toThrow('the other side is away');
  fails = false;
  await expect(work.finished()).resolves.toBeUndefined();
});

test('closing waits for the pass under way and leaves no timer', async () => {
  const { clock, work } = start(async () => undefined);
  await work.close();
  expect(clock.pending()).toBe(0);
});
