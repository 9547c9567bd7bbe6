import { toRfc3339 } from '../kernel/clock.js';
import type { Order, OrderItem, Sim, Subscription, Task } from '../store/models.js';

/**
 * How the partner API shows provisioning's resources: one function per resource, used for answers and for the events
 * that carry the full resource. Members that are null in the database are absent on the wire.
 */
const at = (instant: Date) => toRfc3339(instant.getTime());

export const showSim = (sim: Sim) => ({
  id: sim.id,
  iccid: sim.iccid,
  ...(sim.imsi !== null && { imsi: sim.imsi }),
  market: sim.market,
  state: sim.state,
  ...(sim.subscriptionId !== null && { subscriptionId: sim.subscriptionId }),
  asOf: at(sim.asOf),
  ...(sim.lastConfirmedAt && { lastConfirmedAt: at(sim.lastConfirmedAt) }),
  createdAt: at(sim.createdAt),
  updatedAt: at(sim.updatedAt),
});

export const showOrderItem = (item: OrderItem) => ({
  id: String(item.position + 1),
  action: item.action,
  planId: item.planId,
  planVersion: item.planVersion,
  iccid: item.iccid,
  msisdn: item.msisdn,
  state: item.state,
  ...(item.subscriptionId !== null && { subscriptionId: item.subscriptionId }),
  ...(item.taskId !== null && { taskId: item.taskId }),
  ...(item.reason !== null && { reason: item.reason }),
});

export const showOrder = (order: Order, items: readonly OrderItem[]) => ({
  id: order.id,
  state: order.state,
  market: order.market,
  ...(order.externalId !== null && { externalId: order.externalId }),
  ...onlyOne(items),
  items: items.map(showOrderItem),
  ...(order.requestedStartDate && { requestedStartDate: at(order.requestedStartDate) }),
  createdAt: at(order.createdAt),
  updatedAt: at(order.updatedAt),
  ...(order.completedAt && { completedAt: at(order.completedAt) }),
});

/** What the order says of its line when it has exactly one. */
const onlyOne = ([item, another]: readonly OrderItem[]) => ({
  ...(item && !another && item.subscriptionId !== null && { subscriptionId: item.subscriptionId }),
  ...(item && !another && item.reason !== null && { reason: item.reason }),
});

export const showTask = (task: Task) => ({
  id: task.id,
  type: task.type,
  status: task.status,
  orderId: task.orderId,
  subscriptionId: task.subscriptionId,
  iccid: task.iccid,
  msisdn: task.msisdn,
  market: task.market,
  dueAt: at(task.dueAt),
  ...(task.decidedAt && { decidedAt: at(task.decidedAt) }),
  ...(task.operatorReference !== null && { operatorReference: task.operatorReference }),
  ...(task.reason !== null && { reason: task.reason }),
  createdAt: at(task.createdAt),
  updatedAt: at(task.updatedAt),
});

/** @param entitlements as zero-rating shows them. */
export const showSubscription = <E>(subscription: Subscription, entitlements: readonly E[]) => ({
  id: subscription.id,
  status: subscription.status,
  market: subscription.market,
  msisdn: subscription.msisdn,
  iccid: subscription.iccid,
  planId: subscription.planId,
  planVersion: subscription.planVersion,
  orderId: subscription.orderId,
  entitlements,
  authority: subscription.authority,
  asOf: at(subscription.asOf),
  ...(subscription.lastConfirmedAt && { lastConfirmedAt: at(subscription.lastConfirmedAt) }),
  ...(subscription.activatedAt && { activatedAt: at(subscription.activatedAt) }),
  ...(subscription.endedAt && { endedAt: at(subscription.endedAt) }),
  createdAt: at(subscription.createdAt),
  updatedAt: at(subscription.updatedAt),
});
