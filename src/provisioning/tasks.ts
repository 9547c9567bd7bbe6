import type { Clock } from '../kernel/clock.js';
import { GatewayError, notFound } from '../kernel/errors.js';
import { parseImsi } from '../kernel/imsi.js';
import { type Page, type PageRequest, pageOf } from '../kernel/page.js';
import type { AfterCommit, ControlStore, ControlTransaction } from '../store/index.js';
import type { Order, Subscription, Task } from '../store/models.js';
import { type Actor, type PartnerRanges, type Scope, visible } from './model.js';
import type { Reporter, SubscriptionEntitlements } from './ports.js';
import { refused } from './refused.js';
import { showOrder, showSubscription, showTask } from './show.js';

export interface Tasks {
  list(scope: Scope, page: PageRequest, filter: { status?: string }): Promise<Page<Task>>;
  /** @throws GatewayError `NOT_FOUND`. */
  get(scope: Scope, taskId: string): Promise<Task>;
  /**
   * The network has done it: the subscription becomes active, its entitlements are granted, the line's epoch rises.
   *
   * @throws GatewayError `NOT_FOUND`, `INCOMPATIBLE_STATE` when it is decided already; naming `/imsi`:
   *   `PROVISIONING.IMSI_NOT_OURS`, `ALREADY_EXISTS` when another SIM has it.
   */
  confirm(tx: ControlTransaction, hints: AfterCommit, actor: Actor, taskId: string, facts: ConfirmationFacts): Promise<Task>;
  /** The network will not do it: the subscription fails and the SIM goes back into stock. The same errors. */
  reject(tx: ControlTransaction, actor: Actor, taskId: string, facts: { reason: string; operatorReference?: string }): Promise<Task>;
}

export interface ConfirmationFacts {
  operatorReference?: string;
  confirmedAt?: Date;
  imsi?: string;
}

export interface TasksOptions {
  control: ControlStore;
  clock: Clock;
  ranges: PartnerRanges;
  entitlements: SubscriptionEntitlements;
  report: Reporter;
  /** Hint that the outbox has something for messages.db. */
  wakeOutbox(): void;
}

/** A task that timed out can still be decided: that is what the fallout queue is for. */
const DECIDABLE = ['awaitingOperator', 'timedOut'];

export function createTasks({ control, clock, ranges, entitlements, report, wakeOutbox }: TasksOptions): Tasks {
  async function decide(
    tx: ControlTransaction,
    actor: Actor,
    taskId: string,
    { status, reason, operatorReference }: { status: 'confirmed' | 'rejected'; reason?: string; operatorReference: string | undefined },
  ): Promise<{ task: Task; now: Date }> {
    const seen = await tx.task.findFirst({ where: { ...visible(actor), id: taskId } });
    if (!seen) throw notFound('task');
    const now = new Date(clock.now());
    const data = { status, reason: reason ?? null, operatorReference: operatorReference ?? null, decidedAt: now, updatedAt: now };
    const { count } = await tx.task.updateMany({ where: { id: taskId, status: { in: DECIDABLE } }, data });
    if (count === 0) {
      throw new GatewayError('INCOMPATIBLE_STATE', { detail: `The task is ${seen.status}; it was decided already.` });
    }
    const task: Task = { ...seen, ...data };
    await report(tx, {
      partnerId: task.partnerId,
      market: task.market,
      type: `task.${status}`,
      subject: task.id,
      subscriptionId: task.subscriptionId,
      resource: showTask(task),
      previous: { status: seen.status },
      correlator: actor.correlator,
      summary: { confirmed: 'The network activated the line', rejected: 'The network refused the line' }[status],
    });
    return { task, now };
  }

  /** @throws GatewayError naming `/imsi` unless it is of the market's networks and no other SIM's. */
  async function checkImsi(tx: ControlTransaction, actor: Actor, task: Task, imsi: string): Promise<void> {
    const { mccMnc } = ranges.market(actor, task.market, '/imsi');
    const parsed = parseImsi(imsi, '/imsi');
    if (!mccMnc.some((network) => parsed.startsWith(network))) {
      throw refused('PROVISIONING.IMSI_NOT_OURS', '/imsi', "does not begin with one of the market's MCC-MNC");
    }
    const holder = await tx.sim.findUnique({ where: { imsi }, select: { iccid: true } });
    if (holder && holder.iccid !== task.iccid) throw refused('ALREADY_EXISTS', '/imsi', 'belongs to another SIM');
  }

  async function tellSubscription(
    tx: ControlTransaction,
    { correlator }: Actor,
    subscription: Subscription,
    type: string,
    summary: string,
  ) {
    const shown = (await entitlements.show([subscription.id], tx)).get(subscription.id) ?? [];
    await report(tx, {
      partnerId: subscription.partnerId,
      market: subscription.market,
      type,
      subject: subscription.id,
      subscriptionId: subscription.id,
      resource: showSubscription(subscription, shown),
      previous: { status: 'pending' },
      correlator,
      summary,
    });
  }

  /** The order's state follows from its items: all completed, all failed, or a mixture. */
  async function settleItem(tx: ControlTransaction, actor: Actor, task: Task, state: 'completed' | 'failed', now: Date): Promise<void> {
    await tx.orderItem.update({ where: { id: task.orderItemId }, data: { state, ...(task.reason !== null && { reason: task.reason }) } });
    const items = await tx.orderItem.findMany({ where: { orderId: task.orderId }, orderBy: { position: 'asc' } });
    if (items.some((item) => item.state === 'inProgress')) return;
    const states = new Set(items.map((item) => item.state));
    const outcome = states.size > 1 ? 'partial' : state;
    const order: Order = await tx.order.update({ where: { id: task.orderId }, data: { state: outcome, updatedAt: now, completedAt: now } });
    await report(tx, {
      partnerId: order.partnerId,
      market: order.market,
      type: `order.${outcome}`,
      subject: order.id,
      ...(items.length === 1 && { subscriptionId: task.subscriptionId }),
      resource: showOrder(order, items),
      previous: { state: 'inProgress' },
      correlator: actor.correlator,
      summary: { completed: 'Order completed', failed: 'Order failed', partial: 'Order completed in part' }[outcome],
    });
  }

  return {
    async list(scope, { after, limit }, { status }) {
      const where = { ...visible(scope), ...(after && { id: { gt: after } }), ...(status && { status }) };
      const rows = await control.read.task.findMany({ where, orderBy: { id: 'asc' }, take: limit + 1 });
      return pageOf(
        rows,
        limit,
        (task) => task.id,
        (task) => task,
      );
    },
    async get(scope, taskId) {
      const task = await control.read.task.findFirst({ where: { ...visible(scope), id: taskId } });
      if (!task) throw notFound('task');
      return task;
    },
    async confirm(tx, hints, actor, taskId, { operatorReference, confirmedAt, imsi }) {
      const { task, now } = await decide(tx, actor, taskId, {
        status: 'confirmed',
        operatorReference,
      });
      if (imsi !== undefined) await checkImsi(tx, actor, task, imsi);
      const confirmed = confirmedAt ?? now;
      const subscription = await tx.subscription.update({
        where: { id: task.subscriptionId },
        data: { status: 'active', activatedAt: confirmed, asOf: confirmed, lastConfirmedAt: confirmed, updatedAt: now },
      });
      await tx.sim.update({
        where: { id: subscription.simId },
        data: { state: 'active', asOf: confirmed, lastConfirmedAt: confirmed, updatedAt: now, ...(imsi !== undefined && { imsi }) },
      });
      await entitlements.grantFromPlan(tx, subscription, actor.correlator);
      await tellSubscription(tx, actor, subscription, 'subscription.active', 'Subscription active');
      await settleItem(tx, actor, task, 'completed', now);
      await tx.outboxItem.create({ data: lineChanged(task.id, subscription, 'activated', now) });
      hints.afterCommit(wakeOutbox);
      return task;
    },
    async reject(tx, actor, taskId, { reason, operatorReference }) {
      const { task, now } = await decide(tx, actor, taskId, {
        status: 'rejected',
        reason,
        operatorReference,
      });
      const subscription = await tx.subscription.update({
        where: { id: task.subscriptionId },
        data: { status: 'failed', liveMsisdn: null, asOf: now, lastConfirmedAt: now, endedAt: now, updatedAt: now },
      });
      await tx.sim.update({
        where: { id: subscription.simId },
        data: { state: 'inStock', subscriptionId: null, asOf: now, updatedAt: now },
      });
      await tellSubscription(tx, actor, subscription, 'subscription.failed', 'Subscription failed');
      await settleItem(tx, actor, task, 'failed', now);
      return task;
    },
  };
}

/** The outbox row that raises a line's epoch in messages.db; `id` makes a repeat harmless. */
export const lineChanged = (id: string, line: { msisdn: string; partnerId: string; market: string }, cause: string, now: Date) => ({
  id: `line:${id}`,
  topic: 'line',
  payload: JSON.stringify({ id, msisdn: line.msisdn, partnerId: line.partnerId, market: line.market, cause }),
  createdAt: now,
});
