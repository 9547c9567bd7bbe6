import { type Clock, sleep } from '../../kernel/clock.js';
import { backoffMs } from '../../kernel/retry.js';
import { isAway, isInTheWay } from '../database-failure.js';

const IN_THE_WAY = { triesMax: 12, firstMs: 5, maxMs: 250 };
/** A restarted server or a failover is often back within this; callers are told after it. */
const AWAY = { msMax: 2_000, firstMs: 50, maxMs: 500 };

/**
 * Runs `attempt` again while another transaction is in the way, and for two seconds while the server is away. Each attempt
 * must leave nothing behind when it fails so.
 */
export async function persevere<T>(clock: Clock, attempt: () => Promise<T>): Promise<T> {
  const began = clock.monotonicMs();
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (failure) {
      if (isInTheWay(failure) && tries < IN_THE_WAY.triesMax) await sleep(clock, backoffMs(IN_THE_WAY, tries));
      else if (isAway(failure) && clock.monotonicMs() - began < AWAY.msMax) await sleep(clock, backoffMs(AWAY, tries));
      else throw failure;
    }
  }
}
