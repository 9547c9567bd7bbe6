import type { Clock } from '../../kernel/clock.js';

/** How fast a link may go, in segments a second. A long message may overdraw: what comes after it waits the longer. */
export interface TokenBucket {
  /** 0 when one more message may go now, else how long to wait. */
  waitMs(): number;
  take(segments: number): void;
}

/**
 * @param perSecond asked each time, since nodes share a link's rate; also the burst, bounded to a tenth of a second's worth
 *   so that an SMSC's own window is not met at once.
 */
export function createTokenBucket(clock: Clock, perSecond: () => number): TokenBucket {
  const burst = () => Math.max(1, perSecond() / 10);
  let tokens = burst();
  let filledAt = clock.monotonicMs();

  function fill(): void {
    const now = clock.monotonicMs();
    tokens = Math.min(burst(), tokens + ((now - filledAt) * perSecond()) / 1_000);
    filledAt = now;
  }

  return {
    waitMs() {
      fill();
      return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) * 1_000) / perSecond());
    },
    take(segments) {
      fill();
      tokens -= segments;
    },
  };
}
