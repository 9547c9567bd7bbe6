import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AdaptiveRate, createAdaptiveRate } from '../../src/sms/links/adaptive-rate.js';
import { createFakeClock, type FakeClock } from '../fakes/clock.js';

/** An SMSC that takes so many segments a second, counted in windows of a tenth of a second or of a whole one. */
function createGrant(clock: FakeClock, windowMs: number) {
  let window = -1;
  let taken = 0;
  return {
    takes(perSecond: number): boolean {
      const now = Math.floor(clock.monotonicMs() / windowMs);
      if (now !== window) [window, taken] = [now, 0];
      if (taken >= (perSecond * windowMs) / 1_000) return false;
      taken++;
      return true;
    },
  };
}

const STEP_MS = 10;

/** Sends as fast as the rate lets it; answers come after `roundTripMs`. Counts what was accepted and refused. */
async function send(clock: FakeClock, rate: AdaptiveRate, forMs: number, takes: () => boolean, roundTripMs = 40) {
  const told = { accepted: 0, refused: 0 };
  for (const end = clock.monotonicMs() + forMs; clock.monotonicMs() < end; await clock.advance(STEP_MS)) {
    while (rate.waitMs() === 0) {
      rate.take(1);
      const isTaken = takes();
      told[isTaken ? 'accepted' : 'refused']++;
      clock.setTimer(roundTripMs, () => (isTaken ? rate.accepted(1) : rate.throttled()));
    }
  }
  return told;
}

describe('the rate of a link', () => {
  test.each([
    { grant: 30, windowMs: 1_000 },
    { grant: 100, windowMs: 1_000 },
    { grant: 100, windowMs: 100 },
    { grant: 190, windowMs: 1_000 },
  ])('comes within a tenth of a grant of $grant/s in windows of $windowMs ms, with few refusals', async ({ grant, windowMs }) => {
    const clock = createFakeClock();
    const rate = createAdaptiveRate(clock, () => 200);
    const smsc = createGrant(clock, windowMs);
    await send(clock, rate, 5_000, () => smsc.takes(grant));
    const { accepted, refused } = await send(clock, rate, 30_000, () => smsc.takes(grant));
    expect(accepted).toBeGreaterThan(0.9 * grant * 30);
    expect(refused).toBeLessThan(0.1 * grant * 30);
  });

  test('follows a grant that changes, down and up again, within a tenth', async () => {
    const clock = createFakeClock();
    const rate = createAdaptiveRate(clock, () => 200);
    const smsc = createGrant(clock, 100);
    await send(clock, rate, 10_000, () => smsc.takes(200));
    for (let round = 0; round < 5; round++) {
      const slow = await send(clock, rate, 60_000, () => smsc.takes(60));
      expect(slow.accepted).toBeGreaterThan(0.9 * 60 * 60);
      expect(slow.refused).toBeLessThan(0.1 * 60 * 60);
      const fast = await send(clock, rate, 60_000, () => smsc.takes(200));
      expect(fast.accepted).toBeGreaterThan(0.9 * 200 * 60);
      expect(fast.refused).toBeLessThan(0.1 * 200 * 60);
    }
  });

  test('never passes what was agreed, and never falls to nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 300 }),
        fc.array(
          fc.oneof(
            fc.constant('throttled' as const),
            fc.integer({ min: 0, max: 99 }),
            fc.constant('accepted' as const),
            fc.constant('wait' as const),
          ),
          { maxLength: 200 },
        ),
        async (max, happenings) => {
          const clock = createFakeClock();
          const rate = createAdaptiveRate(clock, () => max);
          for (const happening of happenings) {
            if (happening === 'throttled') rate.throttled();
            else if (happening === 'accepted') rate.accepted(1);
            else if (happening === 'wait') await clock.advance(170);
            else rate.congestion(happening);
            rate.waitMs();
            expect(rate.perSecond()).toBeGreaterThanOrEqual(1);
            expect(rate.perSecond()).toBeLessThanOrEqual(max);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  test('what nobody uses up does not grow', async () => {
    const clock = createFakeClock();
    const rate = createAdaptiveRate(clock, () => 200);
    const smsc = createGrant(clock, 100);
    await send(clock, rate, 5_000, () => smsc.takes(50));
    await clock.advance(1_000);
    const learnt = rate.perSecond();
    expect(learnt).toBeLessThan(60);
    for (let i = 0; i < 100; i++) {
      await clock.advance(1_000);
      expect(rate.waitMs()).toBe(0);
      rate.take(1);
      rate.accepted(1);
    }
    expect(rate.perSecond()).toBe(learnt);
  });

  test('a congestion_state of 80 and more holds the rate, and of 90 and more lowers it', async () => {
    const clock = createFakeClock();
    const rate = createAdaptiveRate(clock, () => 200);
    rate.congestion(95);
    const lowered = rate.perSecond();
    expect(lowered).toBeLessThan(200);
    rate.congestion(85);
    await send(clock, rate, 5_000, () => true);
    expect(rate.perSecond()).toBe(lowered);
    rate.congestion(40);
    await send(clock, rate, 5_000, () => true);
    expect(rate.perSecond()).toBe(200);
  });

  test('a long message is paid for by what comes after it', async () => {
    const clock = createFakeClock();
    const rate = createAdaptiveRate(clock, () => 10);
    expect(rate.waitMs()).toBe(0);
    rate.take(10);
    expect(rate.waitMs()).toBe(1_000);
    await clock.advance(1_000);
    expect(rate.waitMs()).toBe(0);
  });
});
