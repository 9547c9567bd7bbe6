import { expect, test } from 'vitest';
import { isGatewayError } from '../../src/kernel/errors.js';
import { ePlus, iccidOf, msisdnOf, openRig, type Rig } from './rig.js';

/** A generator of numbers in [0, 1) that a seed fixes (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const SIMS = 4;
const NUMBERS = 3;
const EXPECTED = new Set(['PROVISIONING.SIM_NOT_AVAILABLE', 'PROVISIONING.MSISDN_IN_USE', 'INCOMPATIBLE_STATE']);

/** SIM states that go with each state of the subscription that uses the SIM. */
const SIM_OF: Record<string, string> = { pending: 'assigned', active: 'active' };

async function checkInvariants({ control }: Rig): Promise<void> {
  const [sims, subscriptions, orders, items, tasks] = await Promise.all([
    control.read.sim.findMany(),
    control.read.subscription.findMany(),
    control.read.order.findMany(),
    control.read.orderItem.findMany(),
    control.read.task.findMany(),
  ]);
  const live = subscriptions.filter(({ status }) => status === 'pending' || status === 'active');
  // A number and a SIM each have one live subscription at the most, and only live ones hold their number.
  expect(new Set(live.map(({ msisdn }) => msisdn)).size).toBe(live.length);
  expect(new Set(live.map(({ simId }) => simId)).size).toBe(live.length);
  for (const one of subscriptions) expect(one.liveMsisdn).toBe(live.includes(one) ? one.msisdn : null);
  for (const sim of sims) {
    const user = live.find(({ simId }) => simId === sim.id);
    expect(sim.subscriptionId).toBe(user?.id ?? null);
    if (user) expect(sim.state).toBe(SIM_OF[user.status]);
    else expect(sim.state).toBe(items.some(({ simId, state }) => simId === sim.id && state === 'acknowledged') ? 'reserved' : 'inStock');
  }
  for (const one of subscriptions) {
    const task = tasks.find(({ subscriptionId }) => subscriptionId === one.id);
    expect([task?.status, one.status]).toEqual(
      { pending: ['awaitingOperator', 'pending'], active: ['confirmed', 'active'], failed: ['rejected', 'failed'] }[one.status],
    );
  }
  for (const order of orders) {
    const states = new Set(items.filter(({ orderId }) => orderId === order.id).map(({ state }) => state));
    const [only] = states.size === 1 ? states : [];
    expect(order.state).toBe(states.has('inProgress') ? 'inProgress' : (only ?? 'partial'));
  }
}

test.each([1, 2, 3, 4])(
  'whatever the order of orders, confirmations and rejections, SIMs, numbers and lines agree (seed %i)',
  async (seed) => {
    const rig = await openRig();
    const random = seeded(seed);
    const below = (max: number) => Math.floor(random() * max);
    const plan = await rig.planId();
    await rig.stock(...Array.from({ length: SIMS }, (_, n) => n));
    const outcomes = new Map<string, number>();

    async function step(): Promise<void> {
      const waiting = await rig.control.read.task.findMany({ where: { status: 'awaitingOperator' }, orderBy: { msisdn: 'asc' } });
      const any = await rig.control.read.task.findMany({ orderBy: { msisdn: 'asc' } });
      const pick = below(10);
      const task = (pick < 7 ? waiting : any)[below((pick < 7 ? waiting : any).length || 1)];
      if (pick < 4 || !task) {
        const items = Array.from({ length: 1 + below(2) }, () => ({
          planId: plan,
          iccid: iccidOf(below(SIMS)),
          msisdn: msisdnOf(below(NUMBERS)),
        }));
        await rig.control.transact((tx, hints) => rig.provisioning.orders.create(tx, hints, ePlus, { market: 'XS', items }));
      } else if (pick % 2 === 0) await rig.confirm(task.id);
      else await rig.reject(task.id);
    }
    const counted = async () => {
      let outcome = 'done';
      try {
        await step();
      } catch (failure) {
        if (!isGatewayError(failure) || !EXPECTED.has(failure.code)) throw failure;
        outcome = failure.code;
      }
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    };

    for (let round = 0; round < 25; round++) {
      await Promise.all(Array.from({ length: 1 + below(3) }, counted));
      if (round % 5 === 0) await rig.sweep();
      await rig.control.transact(async () => undefined);
      if (round % 5 === 0) await checkInvariants(rig);
      // Lines that are active stay so for ever: make room, so that the story goes on.
      if (round === 12) await retireAll(rig);
    }
    await rig.sweep();
    await checkInvariants(rig);
    expect(outcomes.get('done')).toBeGreaterThan(5);
    expect(outcomes.size).toBeGreaterThan(1);
    // Each subject's events are numbered without a gap, in the order of the log.
    const next = new Map<string, number>();
    for (const { subject, sequence } of await rig.history()) {
      expect(sequence).toBe((next.get(subject) ?? 0) + 1);
      next.set(subject, sequence);
    }
    await rig.close();
  },
);

/** Ends every active line by hand, as a later operation will. */
async function retireAll({ control }: Rig): Promise<void> {
  await control.transact(async (tx) => {
    const active = await tx.subscription.findMany({ where: { status: 'active' } });
    const ids = active.map(({ id }) => id);
    await tx.sim.updateMany({ where: { subscriptionId: { in: ids } }, data: { state: 'inStock', subscriptionId: null } });
    await tx.task.deleteMany({ where: { subscriptionId: { in: ids } } });
    await tx.subscription.deleteMany({ where: { id: { in: ids } } });
  });
}
