import type { Clock, Timer } from '../kernel/clock.js';
import type { Closable } from '../kernel/closing-stack.js';
import type { Log } from '../kernel/log.js';

/** Runs `work` again and again, `everyMs` after the last run ended; a failure is logged and the next run comes all the same. */
export function repeat(
  { clock, log }: { clock: Clock; log: Log },
  everyMs: number,
  failed: string,
  work: () => Promise<unknown>,
): Closable {
  let closed = false;
  let running: Promise<void> | undefined;
  let timer: Timer = clock.setTimer(everyMs, run);

  function run(): void {
    running = (async () => {
      try {
        await work();
      } catch (failure) {
        log.error({ err: failure }, failed);
      } finally {
        if (!closed) timer = clock.setTimer(everyMs, run);
      }
    })();
  }

  return {
    async close() {
      closed = true;
      timer.cancel();
      await running;
    },
  };
}
