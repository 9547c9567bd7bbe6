import type { Clock, Timer } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';

const SWEEP_MS = 60_000;

/** Runs `sweep` at once and then every minute after it ended, until closed; a failure is logged and the next one tries again. */
export function startSweeper(clock: Clock, log: Log, sweep: () => Promise<void>): { close(): Promise<void> } {
  let timer: Timer | undefined;
  let isClosed = false;

  async function run(): Promise<void> {
    try {
      await sweep();
    } catch (failure) {
      if (!isClosed) log.error({ failure: failure instanceof Error ? failure.name : 'unknown' }, 'engine sweep failed');
    }
    if (!isClosed) {
      timer = clock.setTimer(SWEEP_MS, () => {
        running = run();
      });
    }
  }

  let running = run();
  return {
    async close() {
      isClosed = true;
      timer?.cancel();
      await running;
    },
  };
}
