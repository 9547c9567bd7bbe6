import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { GatewayError } from '../kernel/errors.js';

/** How much of something one device or address may do in a window. */
export interface Limit {
  points: number;
  windowSeconds: number;
}

/**
 * Bounds against abuse. Those by address are wide, since whole networks of subscribers share one address behind their
 * operator's translation; those by device are what a busy person needs.
 */
export interface EngineLimits {
  /** Registrations by address. */
  registrations: Limit;
  /** Tokens asked for by address. */
  tokens: Limit;
  /** Numbers looked up by device: whoever may ask for many can list who has an account. */
  contacts: Limit;
  /** One-time keys taken by device: whoever takes many leaves others only the fallback key. */
  keyClaims: Limit;
  /** Streams opened by address. */
  streams: Limit;
  /** Calls over one stream. */
  streamCalls: Limit;
}

export const DEFAULT_LIMITS: EngineLimits = {
  registrations: { points: 60, windowSeconds: 60 },
  tokens: { points: 300, windowSeconds: 60 },
  contacts: { points: 500, windowSeconds: 3_600 },
  keyClaims: { points: 600, windowSeconds: 600 },
  streams: { points: 600, windowSeconds: 60 },
  streamCalls: { points: 1_000, windowSeconds: 10 },
};

export interface Limiter {
  /** @throws GatewayError `TOO_MANY_REQUESTS` with `Retry-After`. */
  take(key: string, points?: number): Promise<void>;
}

/** Counts in this process's memory: a limit against abuse need not be exact over nodes. Keys go when their window ends. */
export function createLimiter({ points, windowSeconds }: Limit): Limiter {
  const counter = new RateLimiterMemory({ points, duration: windowSeconds });
  return {
    async take(key, taken = 1) {
      try {
        await counter.consume(key, taken);
      } catch (refusal) {
        if (!(refusal instanceof RateLimiterRes)) throw refusal;
        const seconds = Math.max(1, Math.ceil(refusal.msBeforeNext / 1_000));
        throw new GatewayError('TOO_MANY_REQUESTS', {
          detail: `This is allowed again in ${seconds} s.`,
          headers: { 'Retry-After': String(seconds) },
        });
      }
    },
  };
}

/** One key for whoever shares an address; of IPv6 the first 64 bits, since a single home has them all. */
export function addressKey(address: string | undefined): string {
  if (!address) return 'unknown';
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!plain.includes(':')) return plain;
  const [head = '', tail] = plain.split('::');
  const front = head.split(':').filter((group) => group !== '');
  const back = tail === undefined ? [] : tail.split(':').filter((group) => group !== '');
  const groups = [...front, ...Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0'), ...back];
  return `${groups.slice(0, 4).join(':')}::/64`;
}
