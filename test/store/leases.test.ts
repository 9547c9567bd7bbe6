import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLog } from '../../src/kernel/log.js';
import type { Store } from '../../src/store/index.js';
import { type Leases, openLeases } from '../../src/store/leases.js';
import { createFakeClock, type FakeClock } from '../fakes/clock.js';
import { openTestStore } from '../fakes/store.js';

let store: Store;
let clocks: FakeClock[];
const opened: Leases[] = [];

beforeEach(async () => {
  store = await openTestStore();
  clocks = [];
});
afterEach(async () => {
  for (const leases of opened.splice(0)) await leases.close();
  await store.close();
});

/** Each node has a clock of its own, as machines do; theirs differ by hours. */
async function join(nodeId: string): Promise<{ leases: Leases; clock: FakeClock }> {
  const clock = createFakeClock(Date.UTC(2026, 10, 22, 10 + clocks.length * 5));
  clocks.push(clock);
  const leases = await openLeases({ store: store.messages, clock, log: createLog('silent'), nodeId });
  opened.push(leases);
  return { leases, clock };
}

/** So many seconds for these nodes; the others stand still, as a process that is dead or stopped does. */
async function pass(seconds: number, ...living: FakeClock[]): Promise<void> {
  for (let each = 0; each < seconds; each++) {
    for (const clock of living) {
      await clock.advance(1_000);
      // The writer of the store is another thread.
      await store.messages.read('SELECT 1 AS one');
      for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
      while (store.messages.waiting() > 0) await new Promise<void>((resolve) => setImmediate(resolve));
      for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }
}

test('one node at a time holds a lease, and the other sees what it tells', async () => {
  const [a, b] = [await join('a'), await join('b')];
  const answers = await Promise.all([a.leases.take('bind/x'), b.leases.take('bind/x')]);
  expect(answers.filter(Boolean).length).toBe(1);
  const [holder, other] = answers[0] ? [a, b] : [b, a];
  holder.leases.tell('bind/x', 'up');
  await pass(2, a.clock, b.clock);
  expect(holder.leases.holds('bind/x')).toBe(true);
  expect(other.leases.holds('bind/x')).toBe(false);
  expect(other.leases.heldElsewhere('bind/x')).toMatchObject({ owner: holder.leases.nodeId, detail: 'up' });
  expect([a.leases.nodes(), b.leases.nodes()]).toEqual([2, 2]);
});

test('while a node lives nobody takes its lease, however long it holds it', async () => {
  const [a, b] = [await join('a'), await join('b')];
  await a.leases.take('bind/x');
  await pass(30, a.clock, b.clock);
  expect(await b.leases.take('bind/x')).toBe(false);
  expect(a.leases.holds('bind/x')).toBe(true);
});

test('a dead node’s lease can be taken, and the node is told of as gone, once', async () => {
  const [a, b] = [await join('a'), await join('b')];
  await a.leases.take('bind/x');
  const gone: string[] = [];
  b.leases.onGone((nodeId) => gone.push(nodeId));
  await pass(4, b.clock);
  expect(await b.leases.take('bind/x'), 'too soon').toBe(false);
  expect(await b.leases.isGone('a')).toBe(false);
  await pass(5, b.clock);
  expect(await b.leases.isGone('a')).toBe(true);
  expect(await b.leases.take('bind/x')).toBe(true);
  expect(gone).toEqual(['a']);
  expect(b.leases.nodes()).toBe(1);
});

test('a node that stood still stops holding before another may take, and comes back as a node without it', async () => {
  const [a, b] = [await join('a'), await join('b')];
  await a.leases.take('bind/x');
  await pass(9, b.clock);
  await b.leases.take('bind/x');
  await pass(5, a.clock);
  expect(a.leases.holds('bind/x')).toBe(false);
  expect(a.leases.heldElsewhere('bind/x')).toMatchObject({ owner: 'b' });
  await pass(2, a.clock, b.clock);
  expect(b.leases.nodes()).toBe(2);
});

test('a node that leaves hands over at once', async () => {
  const [a, b] = [await join('a'), await join('b')];
  await a.leases.take('bind/x');
  await a.leases.close();
  await pass(2, b.clock);
  expect(await b.leases.take('bind/x')).toBe(true);
});

test('a node that has just come is not taken for dead', async () => {
  const a = await join('a');
  const b = await join('b');
  expect(await a.leases.isGone('b')).toBe(false);
  expect(await b.leases.isGone('a')).toBe(false);
  expect(await a.leases.isGone('never heard of')).toBe(true);
});

test('what another node tells is confirmed by its next renewals, and not when it dies meanwhile', async () => {
  const [a, b] = [await join('a'), await join('b')];
  await a.leases.take('bind/x');
  a.leases.tell('bind/x', 'session 1');
  await pass(2, a.clock, b.clock);
  const ask = (detail: string) => b.leases.confirmed('bind/', (told) => told === detail).then((lease) => lease?.owner);
  expect(await ask('session 0')).toBeUndefined();
  const alive = ask('session 1');
  await pass(4, a.clock, b.clock);
  expect(await alive).toBe('a');
  const dead = ask('session 1');
  await pass(8, b.clock);
  expect(await dead).toBeUndefined();
});

test('what is to be done alone is done one after the other', async () => {
  const [a, b] = [await join('a'), await join('b')];
  const order: string[] = [];
  const work = (name: string) => async () => {
    order.push(`${name} begins`);
    await pass(1);
    order.push(`${name} ends`);
  };
  const both = Promise.all([a.leases.alone('start', work('a')), b.leases.alone('start', work('b'))]);
  await pass(3, a.clock, b.clock);
  await both;
  expect(order.map((step) => step.split(' ')[1])).toEqual(['begins', 'ends', 'begins', 'ends']);
});
