import type { Clock, Timer } from '../kernel/clock.js';
import type { Closable } from '../kernel/closing-stack.js';
import type { Log } from '../kernel/log.js';
import { backoffMs } from '../kernel/retry.js';

/** What one store's commit asks the other to do. `id` is what its consumer recognises a repeat by. */
export interface OutboxEntry {
  position: number;
  id: string;
  topic: string;
  payload: string;
}

export interface OutboxRelay extends Closable {
  /** A hint that something was committed. Losing it costs at most one sweep. */
  wake(): void;
  /** Resolves when everything that was committed before the call has been delivered. */
  drained(): Promise<void>;
  close(): Promise<void>;
}

export interface OutboxRelayOptions {
  name: string;
  /** The oldest entries, in order of position. */
  pull(limit: number): Promise<OutboxEntry[]>;
  /** Commits the entries' effects in the other store. It may be called again with entries it has seen. */
  deliver(entries: OutboxEntry[]): Promise<void>;
  /** Forgets delivered entries. */
  remove(entries: OutboxEntry[]): Promise<void>;
  clock: Clock;
  log: Log;
}

const BATCH_MAX = 200;
const SWEEP_MS = 1_000;

/**
 * Carries what was committed in one store over to the other: at least once and in order, so the consumer is idempotent.
 * It works when woken, sweeps every second for what a lost wake-up forgot, and backs off while the other side fails.
 */
export function startOutboxRelay({ name, pull, deliver, remove, clock, log }: OutboxRelayOptions): OutboxRelay {
  let timer: Timer | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  let closed = false;
  let failures = 0;

  async function pass(): Promise<void> {
    for (;;) {
      const entries = await pull(BATCH_MAX);
      if (entries.length === 0) return;
      await deliver(entries);
      await remove(entries);
    }
  }

  function run(): Promise<void> {
    timer?.cancel();
    running ??= (async () => {
      try {
        do {
          again = false;
          await pass();
        } while (again);
        failures = 0;
      } catch (failure) {
        failures++;
        log.error({ relay: name, failures, err: failure }, 'outbox relay failed');
      } finally {
        running = undefined;
        if (!closed) timer = clock.setTimer(failures ? backoffMs({ firstMs: 100, maxMs: 5_000 }, failures) : SWEEP_MS, () => void run());
      }
    })();
    return running;
  }

  void run();
  return {
    wake() {
      again = true;
      if (!closed && failures === 0) void run();
    },
    async drained() {
      again = true;
      await run();
    },
    async close() {
      closed = true;
      timer?.cancel();
      await running;
      timer?.cancel();
    },
  };
}
