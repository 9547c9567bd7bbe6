import type { Clock, Instant, Timer } from '../../src/kernel/clock.js';

export interface FakeClock extends Clock {
  /** Moves time forward, firing due timers in order and letting promises settle between them. */
  advance(ms: number): Promise<void>;
  /** Timers that are set and have not fired. */
  pending(): number;
}

/** A clock that stands still until it is told to move. It starts at 2026-11-22T10:00:00Z unless told otherwise. */
export function createFakeClock(start: Instant = Date.UTC(2026, 10, 22, 10)): FakeClock {
  let now = start;
  let order = 0;
  const timers = new Set<{ at: number; order: number; run: () => void }>();
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    now: () => now,
    monotonicMs: () => now - start,
    setTimer(delayMs, run): Timer {
      const timer = { at: now + Math.max(0, delayMs), order: order++, run };
      timers.add(timer);
      return { cancel: () => void timers.delete(timer) };
    },
    async advance(ms) {
      const end = now + ms;
      await settle();
      for (;;) {
        const due = [...timers].filter((t) => t.at <= end).sort((a, b) => a.at - b.at || a.order - b.order)[0];
        if (!due) break;
        timers.delete(due);
        now = Math.max(now, due.at);
        due.run();
        await settle();
      }
      now = end;
      await settle();
    },
    pending: () => timers.size,
  };
}
