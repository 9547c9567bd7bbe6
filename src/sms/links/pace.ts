import type { Clock } from '../../kernel/clock.js';

/**
 * Bounds how fast something goes for each of many keys, by the time at which the key would be even again (the generic cell
 * rate algorithm, ITU-T I.371): one number for a key, and none for a key that is even.
 */
export interface Pace {
  /** 0 when one more may go now, else how long to wait. */
  waitMs(key: string): number;
  take(key: string, segments: number): void;
}

/** Keys that are even again are forgotten once there are so many more. */
const SWEEP_KEYS = 10_000;

/**
 * @param perSecondOf segments a second; undefined: unbounded.
 * @param burst segments that may go at once.
 */
export function createPace(clock: Clock, perSecondOf: (key: string) => number | undefined, burst: (perSecond: number) => number): Pace {
  const evenAt = new Map<string, number>();
  let sweepAt = SWEEP_KEYS;

  function sweep(now: number): void {
    for (const [key, at] of evenAt) if (at <= now) evenAt.delete(key);
    sweepAt = evenAt.size + SWEEP_KEYS;
  }

  return {
    waitMs(key) {
      const at = evenAt.get(key);
      const perSecond = at === undefined ? undefined : perSecondOf(key);
      if (at === undefined || perSecond === undefined) return 0;
      const ahead = at - clock.monotonicMs() - ((burst(perSecond) - 1) * 1_000) / perSecond;
      return Math.max(0, Math.ceil(ahead));
    },
    take(key, segments) {
      const perSecond = perSecondOf(key);
      if (perSecond === undefined) return;
      const now = clock.monotonicMs();
      evenAt.set(key, Math.max(now, evenAt.get(key) ?? now) + (segments * 1_000) / perSecond);
      if (evenAt.size > sweepAt) sweep(now);
    },
  };
}
