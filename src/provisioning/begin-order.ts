import type { Clock, DomainClock } from '../kernel/clock.js';
import { newId } from '../kernel/ids.js';
import type { ControlTransaction } from '../store/index.js';
import type { Order, OrderItem, Task } from '../store/models.js';
import type { PartnerRanges } from './model.js';
import type { Reporter } from './ports.js';
import { showOrder, showTask } from './show.js';

/** How long the operator's network has for a task before it counts as timed out and a person should look. */
const TASK_DUE_MS = 24 * 60 * 60 * 1_000;

const GIVEN_UP = 'The gateway could not begin the order; no line was set up and the SIM is in stock again.';

export interface BeginOrderOptions {
  clock: Clock;
  domainClock: DomainClock;
  ranges: PartnerRanges;
  report: Reporter;
}

/**
 * Begins an acknowledged order: a pending subscription and a task for the operator's network per item. Nothing is
 * active yet; the network decides (`tasks.ts`). An order that is not acknowledged any more is left alone.
 */
export async function beginOrder(tx: ControlTransaction, seen: Order, options: BeginOrderOptions): Promise<void> {
  const { clock, report } = options;
  const now = new Date(clock.now());
  const order = await take(tx, seen, 'inProgress', { updatedAt: now });
  if (!order) return;
  const items = await tx.orderItem.findMany({ where: { orderId: order.id }, orderBy: { position: 'asc' } });
  const tasks: Task[] = [];
  for (const item of items) tasks.push(await beginItem(tx, order, item, now, options));
  await report(tx, {
    ...about(order),
    type: 'order.in-progress',
    subject: order.id,
    ...(tasks.length === 1 && tasks[0] && { subscriptionId: tasks[0].subscriptionId }),
    resource: showOrder(order, items),
    previous: { state: seen.state },
    summary: 'Order is being fulfilled',
  });
  for (const task of tasks) {
    await report(tx, {
      ...about(order),
      type: 'task.awaiting-operator',
      subject: task.id,
      subscriptionId: task.subscriptionId,
      resource: showTask(task),
      summary: "Waiting for the operator's network to activate the line",
    });
  }
}

/** Fails an acknowledged order that cannot be begun, and puts its SIMs back into stock. */
export async function giveUpOrder(tx: ControlTransaction, seen: Order, { clock, report }: BeginOrderOptions): Promise<void> {
  const now = new Date(clock.now());
  const order = await take(tx, seen, 'failed', { updatedAt: now, completedAt: now });
  if (!order) return;
  await tx.orderItem.updateMany({ where: { orderId: order.id }, data: { state: 'failed', reason: GIVEN_UP } });
  const items = await tx.orderItem.findMany({ where: { orderId: order.id }, orderBy: { position: 'asc' } });
  await tx.sim.updateMany({
    where: { id: { in: items.map((item) => item.simId) }, state: 'reserved' },
    data: { state: 'inStock', asOf: now, updatedAt: now },
  });
  await report(tx, {
    ...about(order),
    type: 'order.failed',
    subject: order.id,
    resource: showOrder(order, items),
    previous: { state: seen.state },
    summary: 'Order failed: the gateway could not begin it',
  });
}

/** Moves an acknowledged order on; undefined when somebody else did. */
async function take(
  tx: ControlTransaction,
  seen: Order,
  state: 'inProgress' | 'failed',
  change: { updatedAt: Date; completedAt?: Date },
): Promise<Order | undefined> {
  const data = { state, ...change };
  const { count } = await tx.order.updateMany({ where: { id: seen.id, state: 'acknowledged' }, data });
  return count === 0 ? undefined : { ...seen, ...data };
}

const about = ({ partnerId, market, correlator }: Order) => ({ partnerId, market, ...(correlator !== null && { correlator }) });

/** The item's subscription and task; `item` is changed as its row is. */
async function beginItem(
  tx: ControlTransaction,
  order: Order,
  item: OrderItem,
  now: Date,
  { clock, domainClock, ranges }: BeginOrderOptions,
): Promise<Task> {
  const { partnerId, market } = order;
  const { msisdn, iccid, simId, planId, planVersion } = item;
  const shared = { partnerId, market, createdAt: now, updatedAt: now };
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
      orderId: order.id,
      authority: ranges.authority(partnerId).subscriptions,
      asOf: now,
    },
  });
  const task = await tx.task.create({
    data: {
      ...shared,
      id: newId('tsk', clock.now()),
      type: 'activation',
      status: 'awaitingOperator',
      orderId: order.id,
      orderItemId: item.id,
      subscriptionId: subscription.id,
      iccid,
      msisdn,
      dueAt: new Date(domainClock.now(partnerId) + TASK_DUE_MS),
    },
  });
  const change = { state: 'inProgress', subscriptionId: subscription.id, taskId: task.id };
  await tx.orderItem.update({ where: { id: item.id }, data: change });
  await tx.sim.update({ where: { id: simId }, data: { state: 'assigned', subscriptionId: subscription.id, asOf: now, updatedAt: now } });
  Object.assign(item, change);
  return task;
}
