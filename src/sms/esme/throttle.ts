import type { Clock } from '../../kernel/clock.js';

/** How much an account may submit. What is over is turned away, not kept waiting. */
export interface Throttle {
  /** @returns whether that many segments may come now; then they count. */
  take(segments: number): boolean;
  /** Submits that were turned away since the start. */
  readonly throttled: number;
}

/**
 * A second's worth may come in one burst, since an ESME sends a window at a time. A message of several segments may overdraw:
 * it must come whole, and what comes after it waits the longer.
 *
 * @param perSecond asked each time, since nodes share an account's rate.
 */
export function createThrottle(clock: Pick<Clock, 'monotonicMs'>, perSecond: () => number): Throttle {
  let tokens = perSecond();
  let filledAt = clock.monotonicMs();
  let throttled = 0;
  return {
    take(segments) {
      const now = clock.monotonicMs();
      tokens = Math.min(perSecond(), tokens + ((now - filledAt) * perSecond()) / 1_000);
      filledAt = now;
      if (tokens < 1) {
        throttled++;
        return false;
      }
      tokens -= segments;
      return true;
    },
    get throttled() {
      return throttled;
    },
  };
}
