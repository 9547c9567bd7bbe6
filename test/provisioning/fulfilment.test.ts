import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { beginOrder, giveUpOrder } from '../../src/provisioning/begin-order.js';
import { createProvisioning, partnerRanges } from '../../src/provisioning/index.js';
import { openSqliteStore } from '../../src/store/index.js';
import { createFakeClock } from '../fakes/clock.js';
import { ePlus, iccidOf, msisdnOf, openRig, type Rig, registry, until } from './rig.js';

const HOUR_MS = 3_600_000;

let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
});
afterEach(() => rig.close());

/** A second fulfilment over the same rows, as another node would run it. */
const anotherNode = (of: Rig) =>
  createProvisioning({
    ...{ control: of.control, clock: of.clock, domainClock: { now: () => of.clock.now() }, log: of.log, plans: of.catalogue },
    entitlements: of.entitlements,
    ranges: partnerRanges(registry),
    report: (tx, report) => of.events.append(tx, { id: `evt_${crypto.randomUUID()}`, at: of.clock.now(), ...report }),
    marketOf: () => 'XS',
    wakeOutbox: () => undefined,
  });

/** An order whose wake-up is lost. */
async function orderUnheard(item: { planId: string; iccid: string; msisdn: string }): Promise<string> {
  const deaf = { afterCommit: () => undefined };
  const { order } = await rig.control.transact((tx) => rig.provisioning.orders.create(tx, deaf, ePlus, { market: 'XS', items: [item] }));
  return order.id;
}

describe('the way of an order', () => {
  test('acknowledged, inProgress, completed: each step is one event, in order, with the resource and what it was', async () => {
    await rig.stock(1);
    const orderId = await rig.order([1]);
    const [taskId = ''] = await rig.tasksOf(orderId);
    await rig.confirm(taskId);
    const history = await rig.history();
    const { subscriptionId } = history[1]?.data ?? {};
    expect(history.map(({ type, subject, sequence }) => [type, subject, sequence])).toEqual([
      ['order.acknowledged', orderId, 1],
      ['order.in-progress', orderId, 2],
      ['task.awaiting-operator', taskId, 1],
      ['task.confirmed', taskId, 2],
      ['subscription.active', subscriptionId, 1],
      ['order.completed', orderId, 3],
    ]);
    expect(history.map(({ data }) => data.resource.state ?? data.resource.status)).toEqual([
      'acknowledged',
      'inProgress',
      'awaitingOperator',
      'confirmed',
      'active',
      'completed',
    ]);
    expect(history.map(({ data }) => data.previous)).toEqual([
      undefined,
      { state: 'acknowledged' },
      undefined,
      { status: 'awaitingOperator' },
      { status: 'pending' },
      { state: 'inProgress' },
    ]);
  });

  test.each([
    ['completed', [true, true]],
    ['failed', [false, false]],
    ['partial', [true, false]],
  ] as const)('%s when its lines are %j, and not before the last is decided', async (outcome, decisions) => {
    await rig.stock(1, 2);
    const orderId = await rig.order([1, 2]);
    const tasks = await rig.tasksOf(orderId);
    for (const [index, confirmed] of decisions.entries()) {
      expect(await rig.stateOf(orderId)).toBe('inProgress');
      await (confirmed ? rig.confirm(tasks[index] ?? '') : rig.reject(tasks[index] ?? ''));
    }
    expect(await rig.stateOf(orderId)).toBe(outcome);
    expect((await rig.history()).filter(({ type }) => type === `order.${outcome}`)).toHaveLength(1);
  });

  test('waits for the requested start, in the time of the partner, and lets later orders pass', async () => {
    await rig.stock(1, 2);
    const later = await rig.order([1], { requestedStartDate: new Date(rig.clock.now() + HOUR_MS) });
    await rig.tasksOf(await rig.order([2]));
    expect(await rig.stateOf(later)).toBe('acknowledged');
    rig.ahead['e-plus'] = HOUR_MS;
    await rig.sweep();
    expect(await rig.tasksOf(later)).toHaveLength(1);
  });

  test('found by the sweep when the wake-up was lost', async () => {
    await rig.stock(1);
    const orderId = await orderUnheard({ planId: await rig.planId(), iccid: iccidOf(1), msisdn: msisdnOf(1) });
    expect(await rig.stateOf(orderId)).toBe('acknowledged');
    await rig.sweep();
    expect(await rig.tasksOf(orderId)).toHaveLength(1);
  });

  test('two nodes at once begin it once', async () => {
    const other = anotherNode(rig);
    await until(() => rig.clock.pending() === 2);
    const numbers = [1, 2, 3, 4];
    await rig.stock(...numbers);
    const planId = await rig.planId();
    const orders = [];
    for (const n of numbers) orders.push(await orderUnheard({ planId, iccid: iccidOf(n), msisdn: msisdnOf(n) }));
    await rig.clock.advance(1_000);
    for (const orderId of orders) expect(await rig.tasksOf(orderId)).toHaveLength(1);
    await other.close();
    expect([await rig.control.read.task.count(), await rig.control.read.subscription.count()]).toEqual([4, 4]);
    expect((await rig.history()).filter(({ type }) => type === 'order.in-progress')).toHaveLength(4);
    expect(rig.logged()).toEqual([]);
  });
});

test('a node that saw the order before another began it leaves it alone', async () => {
  await rig.stock(1);
  const orderId = await orderUnheard({ planId: await rig.planId(), iccid: iccidOf(1), msisdn: msisdnOf(1) });
  const seen = await rig.control.read.order.findUniqueOrThrow({ where: { id: orderId } });
  await rig.sweep();
  await rig.tasksOf(orderId);
  const [before, sims] = [await rig.history(), await rig.control.read.sim.findMany()];
  const options = {
    ...{ clock: rig.clock, domainClock: rig.clock, ranges: partnerRanges(registry) },
    report: async () => expect.unreachable('it must not report'),
  };
  await rig.control.transact((tx) => beginOrder(tx, seen, options));
  await rig.control.transact((tx) => giveUpOrder(tx, seen, options));
  expect([await rig.history(), await rig.control.read.sim.findMany()]).toEqual([before, sims]);
  expect([await rig.control.read.task.count(), await rig.stateOf(orderId)]).toEqual([1, 'inProgress']);
});

describe('an order that cannot be begun', () => {
  /** A subscription that came to hold the number by another way, so that the insert of this order's own is refused. */
  async function poison(n: number): Promise<string> {
    await rig.stock(n);
    const orderId = await rig.order([n], { requestedStartDate: new Date(rig.clock.now() + HOUR_MS) });
    const now = new Date(rig.clock.now());
    const held = {
      msisdn: msisdnOf(n),
      liveMsisdn: msisdnOf(n),
      iccid: iccidOf(900),
      simId: 'sim_other',
      planId: 'pln_other',
      planVersion: 1,
    };
    const facts = { partnerId: 'e-plus', market: 'XS', status: 'active', orderId: 'ord_other', authority: 'gateway', asOf: now };
    await rig.control.transact((tx) =>
      tx.subscription.create({ data: { id: 'sub_other', ...held, ...facts, createdAt: now, updatedAt: now } }),
    );
    return orderId;
  }

  test('fails alone, with a reason and its SIM back in stock; the others go on', async () => {
    const poisoned = await poison(1);
    rig.ahead['e-plus'] = HOUR_MS;
    await rig.stock(2);
    expect(await rig.tasksOf(await rig.order([2]))).toHaveLength(1);
    for (let sweep = 0; sweep < 4; sweep++) await rig.sweep();
    const { order, items } = await rig.provisioning.orders.get(ePlus, poisoned);
    expect(order).toMatchObject({ state: 'failed', completedAt: expect.any(Date) });
    expect(items).toMatchObject([{ state: 'failed', reason: expect.stringContaining('could not begin') }]);
    expect((await rig.provisioning.sims.find(ePlus, { iccid: iccidOf(1) }))[0]).toMatchObject({ state: 'inStock', subscriptionId: null });
    const last = (await rig.history()).filter(({ subject }) => subject === poisoned).at(-1);
    expect(last).toMatchObject({ type: 'order.failed', data: { previous: { state: 'acknowledged' } } });
    await rig.stock(3);
    expect(await rig.tasksOf(await rig.order([3]))).toHaveLength(1);
  });

  test('is logged by its id, without its number', async () => {
    const poisoned = await poison(1);
    rig.ahead['e-plus'] = HOUR_MS;
    await rig.sweep();
    const lines = rig.logged().join('\n');
    expect(lines).toContain(poisoned);
    expect(lines).not.toMatch(/99957\d{6}/);
  });
});

// A database that is away for a while fails every order: none of them is given up for that.
test('an outage of the database gives no order up; they go on when it is back', async () => {
  await rig.stock(1);
  const orderId = await rig.order([1], { requestedStartDate: new Date(rig.clock.now() + HOUR_MS) });
  rig.ahead['e-plus'] = HOUR_MS;
  const { transact } = rig.control;
  rig.control.transact = () => Promise.reject(new Error('the database is away'));
  for (let sweep = 0; sweep < 6; sweep++) await rig.sweep();
  rig.control.transact = transact;
  expect(await rig.stateOf(orderId)).toBe('acknowledged');
  await rig.sweep();
  expect(await rig.tasksOf(orderId)).toHaveLength(1);
  expect(await rig.stateOf(orderId)).toBe('inProgress');
});

describe('a task that nobody decides', () => {
  test('is timed out after a day of the partner’s time, once, and a person can still decide it', async () => {
    await rig.stock(1, 2);
    const orderId = await rig.order([1, 2]);
    const [late = '', refused = ''] = await rig.tasksOf(orderId);
    const task = (id: string) => rig.provisioning.tasks.get(ePlus, id);
    rig.ahead['e-plus'] = 24 * HOUR_MS - 60_000;
    await rig.sweep();
    expect((await task(late)).status).toBe('awaitingOperator');
    rig.ahead['e-plus'] = 24 * HOUR_MS;
    await rig.sweep();
    await rig.sweep();
    expect([(await task(late)).status, (await task(refused)).status]).toEqual(['timedOut', 'timedOut']);
    expect(await task(late)).toMatchObject({ reason: 'The network did not answer in time.', decidedAt: expect.any(Date) });
    expect((await rig.history()).filter(({ type }) => type === 'task.timed-out')).toHaveLength(2);
    expect(await rig.stateOf(orderId)).toBe('inProgress');

    await rig.confirm(late);
    await rig.reject(refused);
    expect(await task(late)).toMatchObject({ status: 'confirmed', reason: null });
    expect(await rig.stateOf(orderId)).toBe('partial');
  });

  test('is timed out by the test clock of its own partner only', async () => {
    await rig.stock(1);
    const [taskId = ''] = await rig.tasksOf(await rig.order([1]));
    rig.ahead['cable-and-wireless'] = 48 * HOUR_MS;
    await rig.sweep();
    expect((await rig.provisioning.tasks.get(ePlus, taskId)).status).toBe('awaitingOperator');
    rig.ahead['e-plus'] = 48 * HOUR_MS;
    await rig.sweep();
    expect((await rig.provisioning.tasks.get(ePlus, taskId)).status).toBe('timedOut');
  });
});

test('a process that ends between the steps is followed by one that goes on', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-provisioning-'));
  const clock = createFakeClock();
  try {
    const store = await openSqliteStore(folder);
    const before = await openRig({ store, clock });
    await before.stock(1, 2);
    const begun = await before.order([1]);
    const [taskId = ''] = await before.tasksOf(begun);
    await before.provisioning.close();
    const waiting = await before.order([2]);
    await before.confirm(taskId);
    expect(await before.stateOf(waiting)).toBe('acknowledged');
    const lines = await before.outbox();
    await store.close();

    const reopened = await openSqliteStore(folder);
    const after = await openRig({ store: reopened, clock });
    expect(await after.tasksOf(waiting)).toHaveLength(1);
    expect(await after.stateOf(begun)).toBe('completed');
    expect(await after.outbox()).toEqual(lines);
    expect((await after.history()).filter(({ subject }) => subject === waiting).map(({ sequence }) => sequence)).toEqual([1, 2]);
    await after.close();
    await reopened.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
