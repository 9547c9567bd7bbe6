import type { Clock } from './clock.js';
import type { Closable } from './closing-stack.js';
import type { Log } from './log.js';
import { runPeriodically } from './periodic.js';

export interface ClockWatch extends Closable {
  /** The last jump: how far (negative: back), and how long ago. Undefined while there was none. */
  lastJump(): { byMs: number; agoMs: number } | undefined;
  /** Looks now. It also does so by itself, every second. */
  look(): Promise<void>;
  close(): Promise<void>;
}

const EVERY_MS = 1_000;
/** What time synchronisation sets at once; what it corrects slowly is less from one look to the next. */
const JUMP_MS_MIN = 5_000;

/**
 * Notices that the machine's clock was set: the wall clock then goes another way than the monotonic one. A machine that
 * slept looks the same as a clock that was put forward.
 *
 * @param onJump told each jump, after it is known to `lastJump`; what it rejects with is logged.
 */
export function watchClock({ clock, log, onJump }: { clock: Clock; log: Log; onJump(byMs: number): Promise<void> }): ClockWatch {
  let apart = clock.now() - clock.monotonicMs();
  let last: { byMs: number; at: number } | undefined;
  const periodic = runPeriodically({ name: 'clock watch', everyMs: EVERY_MS, clock, log }, async () => {
    const byMs = clock.now() - clock.monotonicMs() - apart;
    apart += byMs;
    if (Math.abs(byMs) < JUMP_MS_MIN) return;
    last = { byMs: Math.round(byMs), at: clock.monotonicMs() };
    log.warn({ byMs: last.byMs }, 'the wall clock jumped');
    await onJump(last.byMs);
  });
  return {
    lastJump: () => last && { byMs: last.byMs, agoMs: clock.monotonicMs() - last.at },
    look: () => periodic.finished(),
    close: () => periodic.close(),
  };
}
