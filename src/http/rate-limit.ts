import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { GatewayError } from '../kernel/errors.js';

/** partner.yaml `rateLimits`. */
export interface RateLimits {
  readPerSecond: number;
  writePerSecond: number;
  tokenPerMinute: number;
}

export const DEFAULT_RATE_LIMITS: RateLimits = { readPerSecond: 200, writePerSecond: 100, tokenPerMinute: 60 };

/** What one address may ask of the operations that need no token, in a minute. Several partners may share a NAT. */
export const PUBLIC_PER_MINUTE = 600;

export type RateClass = 'read' | 'write' | 'token' | 'public';

/** The window that a class is counted in, and how much fits in. */
export interface Policy {
  quota: number;
  windowSeconds: number;
}

export interface RateLimiter {
  /**
   * Counts one request.
   *
   * @returns the headers that the answer carries (draft-ietf-httpapi-ratelimit-headers).
   * @throws GatewayError `TOO_MANY_REQUESTS` with Retry-After.
   */
  take(rateClass: RateClass, who: string, policy: Policy): Promise<Record<string, string>>;
}

export function policyOf(rateClass: RateClass, limits: RateLimits, publicPerMinute = PUBLIC_PER_MINUTE): Policy {
  switch (rateClass) {
    case 'read':
      return { quota: limits.readPerSecond, windowSeconds: 1 };
    case 'write':
      return { quota: limits.writePerSecond, windowSeconds: 1 };
    case 'token':
      return { quota: limits.tokenPerMinute, windowSeconds: 60 };
    case 'public':
      return { quota: publicPerMinute, windowSeconds: 60 };
  }
}

/** Counts in memory: a window that is over is forgotten, so the size is bounded by the callers of one window. */
export function createRateLimiter(): RateLimiter {
  const limiters = new Map<string, RateLimiterMemory>();
  return {
    async take(rateClass, who, { quota, windowSeconds }) {
      const name = `${rateClass}:${quota}:${windowSeconds}`;
      const limiter = limiters.get(name) ?? new RateLimiterMemory({ keyPrefix: name, points: quota, duration: windowSeconds });
      limiters.set(name, limiter);
      let state: RateLimiterRes;
      let refused = false;
      try {
        state = await limiter.consume(who);
      } catch (failure) {
        if (!(failure instanceof RateLimiterRes)) throw failure;
        state = failure;
        refused = true;
      }
      const seconds = Math.max(1, Math.ceil(state.msBeforeNext / 1_000));
      const headers = {
        'RateLimit-Policy': `"${rateClass}";q=${quota};w=${windowSeconds}`,
        RateLimit: `"${rateClass}";r=${Math.max(0, state.remainingPoints)};t=${seconds}`,
      };
      if (!refused) return headers;
      throw new GatewayError('TOO_MANY_REQUESTS', {
        detail: `More than ${quota} ${rateClass} requests in ${windowSeconds} s.`,
        hint: `Wait ${seconds} s and try again.`,
        headers: { ...headers, 'Retry-After': String(seconds) },
      });
    },
  };
}

/** Who an address is for counting: an IPv6 subscriber has a whole /64. */
export function addressKey(address: string): string {
  const bare = address.replace(/^::ffff:(?=\d+\.)/, '');
  return bare.includes(':') ? `${expandIpv6(bare).slice(0, 4).join(':')}::/64` : bare;
}

function expandIpv6(address: string): string[] {
  const [head = '', tail] = address.split('::');
  const left = head.split(':').filter(Boolean);
  const right = (tail ?? '').split(':').filter(Boolean);
  return [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
}
