import { describe, expect, test, vi } from 'vitest';
import { sleep, systemClock, toRfc3339 } from '../../src/kernel/clock.js';
import { ClosingStack } from '../../src/kernel/closing-stack.js';
import { ERROR_CODES } from '../../src/kernel/error-codes.js';
import { assert, GatewayError, invalidField, isGatewayError, notFound } from '../../src/kernel/errors.js';
import { multiply } from '../../src/kernel/money.js';
import { decodeCursor, encodeCursor, pageOf } from '../../src/kernel/page.js';
import { backoffMs } from '../../src/kernel/retry.js';
import { createFakeClock } from '../fakes/clock.js';

describe('money', () => {
  test('is counted in whole minor units', () => {
    expect(multiply({ amountMinor: 4, currency: 'EUR' }, 3)).toEqual({ amountMinor: 12, currency: 'EUR' });
    expect(multiply({ amountMinor: 0, currency: 'JMD' }, 1_000_000)).toEqual({ amountMinor: 0, currency: 'JMD' });
  });

  test('is never rounded in silence', () => {
    expect(() => multiply({ amountMinor: Number.MAX_SAFE_INTEGER, currency: 'EUR' }, 2)).toThrow(RangeError);
    expect(() => multiply({ amountMinor: 1, currency: 'EUR' }, 0.5)).toThrow(RangeError);
    expect(() => multiply({ amountMinor: 1, currency: 'EUR' }, Number.NaN)).toThrow(RangeError);
  });
});

describe('backoff', () => {
  const backoff = { firstMs: 100, maxMs: 5_000 };

  test('doubles up to its most', () => {
    expect([1, 2, 3, 6, 7, 50, 5_000].map((attempt) => backoffMs(backoff, attempt, 0.999_999))).toEqual([
      100, 200, 400, 3_200, 5_000, 5_000, 5_000,
    ]);
  });

  test('is half fixed and half random', () => {
    for (let attempt = 1; attempt < 20; attempt++) {
      const full = Math.min(5_000, 100 * 2 ** (attempt - 1));
      expect(backoffMs(backoff, attempt, 0)).toBe(full / 2);
      const drawn = Array.from({ length: 50 }, () => backoffMs(backoff, attempt));
      expect(Math.min(...drawn)).toBeGreaterThanOrEqual(full / 2);
      expect(Math.max(...drawn)).toBeLessThanOrEqual(full);
      expect(new Set(drawn).size).toBeGreaterThan(5);
    }
  });

  test('grows by another factor when told to, and never below the first', () => {
    expect(backoffMs({ ...backoff, factor: 1 }, 9, 0)).toBe(50);
    expect(backoffMs(backoff, 0, 0)).toBe(50);
    expect(backoffMs(backoff, -3, 0)).toBe(50);
  });
});

describe('pages', () => {
  const KEY = /^k[0-9]+$/;
  const page = (count: number, limit: number) =>
    pageOf(
      Array.from({ length: Math.min(count, limit + 1) }, (_, n) => `k${n}`),
      limit,
      (row) => row,
      (row) => row.toUpperCase(),
    );

  test.each([
    [0, 2, [], null],
    [2, 2, ['K0', 'K1'], null],
    [3, 2, ['K0', 'K1'], 'k1'],
  ])('%i rows in pages of %i', (count, limit, items, next) => {
    expect(page(count, limit)).toEqual({ items, hasMore: next !== null, nextCursor: next === null ? null : encodeCursor(next) });
  });

  test('a cursor comes back as the key that it was made of', () => {
    expect(decodeCursor(encodeCursor('k17'), KEY)).toBe('k17');
    expect(decodeCursor(undefined, KEY)).toBeUndefined();
  });

  test.each(['', 'k17', '!!!', encodeCursor('x17'), `${encodeCursor('k17')}${encodeCursor('\n')}`, 'a'.repeat(10_000)])(
    'refused: %j',
    (cursor) => {
      const failure = (() => {
        try {
          return decodeCursor(cursor, KEY);
        } catch (thrown) {
          return thrown;
        }
      })();
      expect(isGatewayError(failure, 'INVALID_ARGUMENT') && failure.errors?.[0]?.pointer).toBe('/query/after');
    },
  );
});

describe('time', () => {
  test('is written in UTC with milliseconds', () => {
    expect(toRfc3339(Date.UTC(2026, 10, 22, 18, 53, 57))).toBe('2026-11-22T18:53:57.000Z');
  });

  test('sleep ends when its time has come, and at once when it is called off; no timer stays', async () => {
    const clock = createFakeClock();
    let woke = false;
    const slept = sleep(clock, 1_000).then(() => {
      woke = true;
    });
    await clock.advance(999);
    expect(woke).toBe(false);
    await clock.advance(1);
    await slept;

    const off = new AbortController();
    const aborted = sleep(clock, 1_000, off.signal);
    off.abort();
    await aborted;
    await sleep(clock, 1_000, AbortSignal.abort());
    expect(clock.pending()).toBe(0);
  });

  test("a delay beyond Node's longest waits instead of firing at once", () => {
    vi.useFakeTimers();
    try {
      let fired = 0;
      const timer = systemClock.setTimer(Number.MAX_SAFE_INTEGER, () => fired++);
      systemClock.setTimer(-5, () => fired++);
      vi.advanceTimersByTime(60_000);
      expect(fired).toBe(1);
      timer.cancel();
      timer.cancel();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('closing', () => {
  const recorder = (closed: string[], name: string, failure?: Error) => ({
    close: async () => {
      closed.push(name);
      if (failure) throw failure;
    },
  });

  test('goes in the reverse order of opening, past failures, and rethrows the first of them', async () => {
    const [closed, stack] = [[] as string[], new ClosingStack()];
    stack.push(recorder(closed, 'store'));
    stack.push(recorder(closed, 'bus', new Error('second')));
    stack.push(recorder(closed, 'edge', new Error('first')));
    await expect(stack.closeAll()).rejects.toThrow('first');
    expect(closed).toEqual(['edge', 'bus', 'store']);
  });

  test('a second time does nothing; push gives back what it was given', async () => {
    const [closed, stack] = [[] as string[], new ClosingStack()];
    const opened = recorder(closed, 'store');
    expect(stack.push(opened)).toBe(opened);
    await stack.closeAll();
    await stack.closeAll();
    expect(closed).toEqual(['store']);
  });
});

describe('errors', () => {
  test('have the status and title of their code', () => {
    for (const [code, { status, title }] of Object.entries(ERROR_CODES)) {
      const failure = new GatewayError(code as keyof typeof ERROR_CODES, { detail: 'Why.' });
      expect([failure.status, failure.title]).toEqual([status, title]);
      expect(code).toMatch(/^[A-Z_]+(\.[A-Z_]+)?$/);
    }
  });

  test('keep their cause and the words for our log away from the public ones', () => {
    const cause = new Error('cause');
    const failure = new GatewayError('INTERNAL', { detail: 'public', internal: 'private', cause });
    expect(failure.cause).toBe(cause);
    expect(`${failure.message} ${failure.detail}`).not.toContain('private');
  });

  test('know each other', () => {
    expect(isGatewayError(notFound('plan'), 'NOT_FOUND')).toBe(true);
    expect(isGatewayError(notFound('plan'), 'GONE')).toBe(false);
    expect(isGatewayError(new Error('NOT_FOUND'))).toBe(false);
    expect(invalidField('/a', 'is odd').errors).toEqual([{ pointer: '/a', code: 'INVALID_ARGUMENT', message: 'is odd' }]);
    expect(() => assert(false, 'two clocks')).toThrow('assertion failed: two clocks');
    expect(() => assert(true, 'two clocks')).not.toThrow();
  });
});
