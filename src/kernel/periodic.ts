import type { Clock, Timer } from './clock.js';
import type { Closable } from './closing-stack.js';
import type { Log } from './log.js';
import { backoffMs } from './retry.js';

export interface Periodic extends Closable {
  /** A hint that there is work now. Losing one costs at most `everyMs`. */
  wake(): void;
  /** Resolves when a pass that began after this call has ended, and rejects with what made it fail. */
  finished(): Promise<void>;
  /** Begins no further pass and resolves when the one under way has ended. */
  close(): Promise<void>;
}

export interface PeriodicOptions {
  /** For the log: which work failed. */
  name: string;
  /** How long after the end of one pass the next begins by itself. */
  everyMs: number;
  clock: Clock;
  log: Log;
}

/** A pass that fails is tried again sooner than a slow sweep would, but never in a tight loop. */
const AFTER_FAILURE = { firstMs: 100, maxMs: 5_000 };

/**
 * Runs `pass` at once, whenever woken, and `everyMs` after the last one ended: the periodic sweep that finds what a lost
 * wake-up forgot. Passes never overlap; wake-ups during one make one more. A failure is logged, and the next try waits.
 *
 * @param pass answers true when it left work over: the next pass then begins at once.
 */
export function runPeriodically({ name, everyMs, clock, log }: PeriodicOptions, pass: () => Promise<unknown>): Periodic {
  let timer: Timer | undefined;
  let running: Promise<void> | undefined;
  let isWoken = false;
  let isClosed = false;
  let failures = 0;
  let lastFailure: unknown;

  async function passes(): Promise<void> {
    try {
      let isMore: boolean;
      do {
        isWoken = false;
        isMore = (await pass()) === true;
        failures = 0;
      } while ((isMore || isWoken) && !isClosed);
    } catch (failure) {
      failures++;
      lastFailure = failure;
      log.error({ work: name, failures, err: failure }, 'periodic work failed');
    }
  }

  function run(): Promise<void> {
    timer?.cancel();
    running ??= passes().finally(() => {
      running = undefined;
      if (isClosed) return;
      // Somebody may have come between the last look and here.
      if (isWoken && failures === 0) return void run();
      timer = clock.setTimer(failures > 0 ? Math.min(everyMs, backoffMs(AFTER_FAILURE, failures)) : everyMs, () => void run());
    });
    return running;
  }

  void run();
  return {
    wake() {
      isWoken = true;
      // While it fails, only time starts it: whoever wakes it must not turn a fault into a busy loop.
      if (!isClosed && failures === 0) void run();
    },
    async finished() {
      isWoken = true;
      while (isWoken && !isClosed) await run();
      if (failures > 0) throw lastFailure;
    },
    async close() {
      isClosed = true;
      timer?.cancel();
      await running;
      timer?.cancel();
    },
  };
}
