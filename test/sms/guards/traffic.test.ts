import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Asked, createTraffic } from '../../../src/sms/guards/traffic.js';
import type { Store } from '../../../src/store/index.js';
import { openTestStore } from '../../fakes/store.js';

const HOUR = 3_600_000;
const caps = { perRecipientPerDay: 1_000, perPairPerDay: 1_000, perMarketPerHour: 1_000 };
const pumping = { percentOfMean: 300, minimumPerHour: 10, sequentialNumbers: 10_000 };

let store: Store;
let now: number;
beforeEach(async () => {
  store = await openTestStore();
  now = Date.parse('2026-11-20T09:00:00Z');
});
afterEach(() => store.close());

const open = () => createTraffic({ store: store.messages, domainClock: { now: () => now } });
const asked = (i: number, more: Partial<Asked> = {}): Asked => ({
  ...{ partnerId: 'acme', market: 'XS', now, isJudged: true },
  msisdn: `+99957${String(1_000_000 + i * 7)}`,
  ...more,
});
const takeMany = (traffic: ReturnType<typeof open>, count: number, more: Partial<Asked> = {}) =>
  Array.from({ length: count }, (_, i) => traffic.take(asked(i, more), { caps, pumping }));

/** A week in which so many an hour went to the range. */
async function aWeekOf(perHour: number): Promise<void> {
  const traffic = open();
  for (let hour = 0; hour <= 170; hour++) {
    takeMany(traffic, perHour, { isJudged: false });
    await traffic.exchange();
    now += HOUR;
  }
}

test('a market gets no more than its cap in an hour, also over two nodes, and again in the next', async () => {
  const [one, other] = [open(), open()];
  expect(takeMany(one, 600).filter(Boolean)).toEqual([]);
  await one.exchange();
  takeMany(other, 1);
  await other.exchange();
  const held = takeMany(other, 500).filter(Boolean);
  expect(held).toHaveLength(101);
  expect(new Set(held)).toEqual(new Set(['cap-market-hour']));
  now += HOUR;
  expect(other.take(asked(1), { caps, pumping })).toBeUndefined();
});

test('a partner without a past is not judged by it', async () => {
  const traffic = open();
  takeMany(traffic, 1);
  await traffic.exchange();
  expect(takeMany(traffic, 200).filter(Boolean)).toEqual([]);
});

test('a range past its share of the mean hour is held; a notice never is, and neither is a range below the minimum', async () => {
  await aWeekOf(5);
  const traffic = open();
  takeMany(traffic, 1);
  await traffic.exchange();
  const held = takeMany(traffic, 30);
  expect(held.indexOf('pumping-range')).toBeGreaterThan(10);
  expect(held.at(-1)).toBe('pumping-range');
  expect(takeMany(traffic, 30, { isJudged: false }).filter(Boolean)).toEqual([]);
  const fresh = Array.from({ length: 10 }, (_, i) => traffic.take(asked(i, { msisdn: `+99958${2_000_000 + i * 9}` }), { caps, pumping }));
  expect(fresh.filter(Boolean)).toEqual([]);
});

test('what was not taken after all does not count', () => {
  const traffic = open();
  const tight = { ...caps, perMarketPerHour: 1 };
  expect(traffic.take(asked(1), { caps: tight, pumping })).toBeUndefined();
  expect(traffic.take(asked(2), { caps: tight, pumping })).toBe('cap-market-hour');
  traffic.giveBack(asked(1));
  expect(traffic.take(asked(2), { caps: tight, pumping })).toBeUndefined();
});
