import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLog } from '../../src/kernel/log.js';
import type { Periodic } from '../../src/kernel/periodic.js';
import { startSandboxNetwork } from '../../src/sandbox/index.js';
import { ePlus, iccidOf, openRig, type Rig, until } from '../provisioning/rig.js';

const REFUSED = '+9995790000120';
const ORDINARY = '+9995790000100';

let rig: Rig;
let network: Periodic | undefined;
let reasons: string[];
let logged: string[];
beforeEach(async () => {
  [rig, reasons, logged] = [await openRig(), [], []];
});
afterEach(async () => {
  await network?.close();
  await rig.close();
});

const start = (before: (taskId: string) => Promise<void> = async () => undefined): Periodic => {
  network = startSandboxNetwork({
    ...{ control: rig.control, clock: rig.clock },
    log: createLog('info', { write: (text) => void logged.push(text) }),
    async reject(taskId, reason, partnerId) {
      await before(taskId);
      reasons.push(reason);
      await rig.control.transact((tx) => rig.provisioning.tasks.reject(tx, { ...ePlus, partnerId }, taskId, { reason }));
    },
  });
  return network;
};

/** A task that waits for the network to activate this number. */
async function aTask(n: number, msisdn: string): Promise<string> {
  await rig.stock(n);
  const items = [{ planId: await rig.planId(), iccid: iccidOf(n), msisdn }];
  const { order } = await rig.control.transact((tx, hints) => rig.provisioning.orders.create(tx, hints, ePlus, { market: 'XS', items }));
  const [taskId = ''] = await rig.tasksOf(order.id);
  return taskId;
}
const statusOf = async (taskId: string) => (await rig.provisioning.tasks.get(ePlus, taskId)).status;

test('refuses to activate a magic number, with a reason, and leaves every other line to the operator’s system', async () => {
  const [refused, ordinary] = [await aTask(1, REFUSED), await aTask(2, ORDINARY)];
  start();
  await until(async () => (await statusOf(refused)) === 'rejected');
  await network?.close();
  expect(await statusOf(ordinary)).toBe('awaitingOperator');
  expect(reasons).toEqual(['The simulated network refuses to activate this number.']);
  expect((await rig.provisioning.tasks.get(ePlus, refused)).reason).toBe(reasons[0]);
});

test('finds a task when woken, and without a wake-up at the next sweep', async () => {
  const running = start();
  await until(() => rig.clock.pending() > 1);
  const woken = await aTask(1, REFUSED);
  running.wake();
  await until(async () => (await statusOf(woken)) === 'rejected');
  await until(() => rig.clock.pending() > 1);
  const swept = await aTask(2, REFUSED);
  expect(await statusOf(swept)).toBe('awaitingOperator');
  await rig.clock.advance(1_000);
  await until(async () => (await statusOf(swept)) === 'rejected');
});

test('a number that only ends like a magic one is an ordinary number', async () => {
  const taskId = await aTask(1, '+9995700000120');
  start();
  await network?.close();
  expect([await statusOf(taskId), reasons]).toEqual(['awaitingOperator', []]);
});

test('a task that cannot be rejected does not keep the others waiting, and is tried again', async () => {
  const first = await aTask(1, REFUSED);
  const second = await aTask(2, '+9995791000120');
  let broken = true;
  start(async (taskId) => {
    if (broken && taskId === first) throw new Error('the store is away');
  });
  await until(async () => (await statusOf(second)) === 'rejected');
  expect(await statusOf(first)).toBe('awaitingOperator');
  expect(logged).toHaveLength(1);
  expect(logged[0]).toContain(first);
  broken = false;
  await until(() => rig.clock.pending() > 1);
  await rig.clock.advance(1_000);
  await until(async () => (await statusOf(first)) === 'rejected');
});

test('a task that somebody decided in between stays as it was decided', async () => {
  const taskId = await aTask(1, REFUSED);
  start(async () => void (await rig.confirm(taskId)));
  await until(() => reasons.length === 1);
  await network?.close();
  expect([await statusOf(taskId), logged]).toEqual(['confirmed', []]);
});

test('closing twice is allowed, and nothing is left on the clock', async () => {
  const running = start();
  await running.close();
  await running.close();
  running.wake();
  await rig.provisioning.close();
  expect(rig.clock.pending()).toBe(0);
});
