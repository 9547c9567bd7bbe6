import type { Clock, DomainClock, Timer } from '../kernel/clock.js';
import type { Closable } from '../kernel/closing-stack.js';
import { newId } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import type { ControlStore, ControlTransaction } from '../store/index.js';
import type { Order, OrderItem, Task } from '../store/models.js';
import type { PartnerRanges } from './model.js';
import type { Reporter, SubscriptionEntitlements } from './ports.js';
import { showOrder, showTask } from './show.js';

/** How long the operator's network has for a task before it counts as timed out and a person should look. */
const TASK_DUE_MS = 24 * 60 * 60 * 1_000;
const SWEEP_MS = 1_000;
const BATCH_MAX = 50;

export interface Fulfilment extends Closable {
  /** A hint that an order was taken. */
  wake(): void;
  close(): Promise<void>;
}

export interface FulfilmentOptions {
  control: ControlStore;
  clock: Clock;
  domainClock: DomainClock;
  ranges: PartnerRanges;
  entitlements: SubscriptionEntitlements;
  report: Reporter;
  log: Log;
}

/**
 * Moves acknowledged orders on: a pending subscription and a task for the operator's network per item, each order in
 * one transaction. Nothing is active yet; the network decides (`tasks.ts`). Also marks the tasks that nobody decided.
 */
export function startFulfilment(options: FulfilmentOptions): Fulfilment {
  const { control, clock, domainClock, log } = options;
  let timer: Timer | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  let closed = false;

  async function pass(): Promise<void> {
    const orders = await control.read.order.findMany({ where: { state: 'acknowledged' }, orderBy: { id: 'asc' }, take: BATCH_MAX });
    for (const order of orders) await control.transact((tx) => begin(tx, order, options));
    if (orders.length === BATCH_MAX) again = true;
    const waiting = await control.read.task.groupBy({ by: ['partnerId'], where: { status: 'awaitingOperator' } });
    for (const { partnerId } of waiting) {
      const overdue = { partnerId, status: 'awaitingOperator', dueAt: { lte: new Date(domainClock.now(partnerId)) } };
      for (const task of await control.read.task.findMany({ where: overdue, take: BATCH_MAX })) {
        await control.transact((tx) => timeOut(tx, task, options));
      }
    }
  }

  function run(): void {
    timer?.cancel();
    running ??= (async () => {
      try {
        do {
          again = false;
          await pass();
        } while (again && !closed);
      } catch (failure) {
        log.error({ err: failure }, 'fulfilment pass failed');
      } finally {
        running = undefined;
        if (!closed) timer = clock.setTimer(SWEEP_MS, run);
      }
    })();
  }

  run();
  return {
    wake() {
      again = true;
      if (!closed) run();
    },
    async close() {
      closed = true;
      timer?.cancel();
      await running;
      timer?.cancel();
    },
  };
}

async function begin(tx: ControlTransaction, seen: Order, { clock, domainClock, ranges, report }: FulfilmentOptions): Promise<void> {
  const { count } = await tx.order.updateMany({
    where: { id: seen.id, state: 'acknowledged' },
    data: { state: 'inProgress', updatedAt: new Date(clock.now()) },
  });
  if (count === 0) return;
  const now = new Date(clock.now());
  const items: OrderItem[] = await tx.orderItem.findMany({ where: { orderId: seen.id }, orderBy: { position: 'asc' } });
  const shared = { partnerId: seen.partnerId, market: seen.market, createdAt: now, updatedAt: now };
  const tasks: Task[] = [];
  for (const item of items) {
    const { msisdn, iccid, simId, planId, planVersion } = item;
    const subscription = await tx.subscription.create({
      data: {
        ...shared,
        id: newId('sub', clock.now()),
        status: 'pending',
        msisdn,
        liveMsisdn: msisdn,
        iccid,
        simId,
        planId,
        planVersion,
        orderId: seen.id,
        authority: ranges.authority(seen.partnerId).subscriptions,
        asOf: now,
      },
    });
    const task = await tx.task.create({
      data: {
        ...shared,
        id: newId('tsk', clock.now()),
        type: 'activation',
        status: 'awaitingOperator',
        orderId: seen.id,
        orderItemId: item.id,
        subscriptionId: subscription.id,
        iccid,
        msisdn,
        dueAt: new Date(domainClock.now(seen.partnerId) + TASK_DUE_MS),
      },
    });
    item.state = 'inProgress';
    item.subscriptionId = subscription.id;
    item.taskId = task.id;
    await tx.orderItem.update({ where: { id: item.id }, data: { state: item.state, subscriptionId: subscription.id, taskId: task.id } });
    await tx.sim.update({ where: { id: simId }, data: { state: 'assigned', subscriptionId: subscription.id, asOf: now, updatedAt: now } });
    tasks.push(task);
  }
  const order: Order = { ...seen, state: 'inProgress', updatedAt: now };
  const about = { partnerId: seen.partnerId, market: seen.market, ...(seen.correlator !== null && { correlator: seen.correlator }) };
  const [only] = tasks.length === 1 ? tasks : [];
  await report(tx, {
    ...about,
    type: 'order.in-progress',
    subject: order.id,
    ...(only && { subscriptionId: only.subscriptionId }),
    resource: showOrder(order, items),
    previous: { state: 'acknowledged' },
    summary: 'Order is being fulfilled',
  });
  for (const task of tasks) {
    await report(tx, {
      ...about,
      type: 'task.awaiting-operator',
      subject: task.id,
      subscriptionId: task.subscriptionId,
      resource: showTask(task),
      summary: "Waiting for the operator's network to activate the line",
    });
  }
}

async function timeOut(tx: ControlTransaction, seen: Task, { clock, report }: FulfilmentOptions): Promise<void> {
  const now = new Date(clock.now());
  const change = { status: 'timedOut', reason: 'The network did not answer in time.', updatedAt: now };
  const { count } = await tx.task.updateMany({ where: { id: seen.id, status: 'awaitingOperator' }, data: change });
  if (count === 0) return;
  await report(tx, {
    partnerId: seen.partnerId,
    market: seen.market,
    type: 'task.timed-out',
    subject: seen.id,
    subscriptionId: seen.subscriptionId,
    resource: showTask({ ...seen, ...change }),
    previous: { status: 'awaitingOperator' },
    summary: 'The network did not answer in time; a person has to decide',
  });
}
