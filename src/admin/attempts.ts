import { createHash } from 'node:crypto';
import type { Clock } from '../kernel/clock.js';
import { GatewayError } from '../kernel/errors.js';

/** How many of something one may do in a while. */
export interface AttemptLimit {
  max: number;
  windowMs: number;
  /** Said to whoever is past it. */
  detail: string;
}

export interface Attempts {
  /**
   * Counts one attempt.
   *
   * @returns how to take it back, for one that turned out to be good.
   * @throws GatewayError `TOO_MANY_REQUESTS` with Retry-After.
   */
  take(who: string): () => void;
}

/** However many addresses and accounts are tried: the one whose window began first makes room. */
const REMEMBERED_MAX = 10_000;

/** Counts attempts in fixed windows that begin with the first one, in memory, on the injected clock. */
export function createAttempts(clock: Clock, { max, windowMs, detail }: AttemptLimit): Attempts {
  const counted = new Map<string, { since: number; count: number }>();
  return {
    take(who) {
      // What was typed as an e-mail may be a password: it is not kept as it is.
      const key = createHash('sha256').update(who).digest('base64url');
      const now = clock.monotonicMs();
      let window = counted.get(key);
      if (!window || now - window.since >= windowMs) {
        counted.delete(key);
        if (counted.size >= REMEMBERED_MAX) counted.delete(counted.keys().next().value ?? key);
        window = { since: now, count: 0 };
        counted.set(key, window);
      }
      if (window.count >= max) {
        const seconds = Math.max(1, Math.ceil((window.since + windowMs - now) / 1_000));
        throw new GatewayError('TOO_MANY_REQUESTS', {
          detail,
          hint: `Wait ${seconds} s and try again.`,
          headers: { 'Retry-After': String(seconds) },
        });
      }
      const own = window;
      own.count += 1;
      return () => {
        own.count = Math.max(0, own.count - 1);
      };
    },
  };
}
