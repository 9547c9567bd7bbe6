/** A point in time: whole milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

/** A timer that has been set and can be called off; cancelling twice does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * Where time comes from. Everything that waits or stamps takes a clock, so that tests move time instead of sleeping.
 */
export interface Clock {
  /** Wall-clock time. It may jump when the machine's clock is set. */
  now(): Instant;
  /** Milliseconds that only ever grow; for measuring how long something took. */
  monotonicMs(): number;
  /** Calls `run` once after `delayMs`. The timer alone does not keep the process alive. */
  setTimer(delayMs: number, run: () => void): Timer;
}

/** Node's longest timer; a longer delay would fire at once. */
const LONGEST_DELAY_MS = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, run) {
    const handle = setTimeout(run, Math.min(Math.max(0, delayMs), LONGEST_DELAY_MS));
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

/** Resolves after `delayMs` of the clock's time, or at once when `signal` aborts. It never rejects. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const timer = clock.setTimer(delayMs, done);
    function done() {
      signal?.removeEventListener('abort', done);
      timer.cancel();
      resolve();
    }
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** RFC 3339 in UTC with milliseconds, as every instant is written on the wire: `2026-11-22T18:53:57.000Z`. */
export const toRfc3339 = (instant: Instant): string => new Date(instant).toISOString();

/**
 * The time that a partner's subscribers live in: timers, expiries, renewals, quiet hours. It is the wall clock, except
 * where a sandbox partner has moved its test clock. Never used for tokens, leases, webhook timestamps or rate limits.
 */
export interface DomainClock {
  now(partnerId: string): Instant;
}
