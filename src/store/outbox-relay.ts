import type { Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import { type Periodic, runPeriodically } from '../kernel/periodic.js';

/** What one store's commit asks the other to do. `id` is what its consumer recognises a repeat by. */
export interface OutboxEntry {
  position: number;
  id: string;
  topic: string;
  payload: string;
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
export function startOutboxRelay({ name, pull, deliver, remove, clock, log }: OutboxRelayOptions): Periodic {
  return runPeriodically({ name: `outbox of ${name}`, everyMs: SWEEP_MS, clock, log }, async () => {
    const entries = await pull(BATCH_MAX);
    if (entries.length === 0) return false;
    await deliver(entries);
    await remove(entries);
    return true;
  });
}
