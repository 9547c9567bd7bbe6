import type { Log } from '../kernel/log.js';
import { type Periodic, runPeriodically } from '../kernel/periodic.js';
import type { ControlStore, ControlTransaction } from '../store/index.js';
import type { Order, Task } from '../store/models.js';
import { type BeginOrderOptions, beginOrder, giveUpOrder } from './begin-order.js';
import { showTask } from './show.js';

const SWEEP_MS = 1_000;
const BATCH_MAX = 50;
/** An order that fails this often to begin fails for good, so that it does not stand in the way for ever. */
const TRIES_MAX = 3;

export interface FulfilmentOptions extends BeginOrderOptions {
  control: ControlStore;
  log: Log;
}

/**
 * Moves acknowledged orders on once their requested start has come, each in one transaction, and marks the tasks that
 * nobody decided in time. It works when woken and sweeps every second.
 */
export function startFulfilment(options: FulfilmentOptions): Periodic {
  const { control, domainClock, log } = options;
  /** How often each order failed to begin; only those that are being tried are in here. */
  const tries = new Map<string, number>();

  async function pass(): Promise<boolean> {
    let isMore = false;
    const acknowledged = await control.read.order.groupBy({ by: ['partnerId'], where: { state: 'acknowledged' } });
    for (const { partnerId } of acknowledged) isMore = (await beginOrdersOf(partnerId)) || isMore;
    const waiting = await control.read.task.groupBy({ by: ['partnerId'], where: { status: 'awaitingOperator' } });
    for (const { partnerId } of waiting) isMore = (await timeOutTasksOf(partnerId)) || isMore;
    return isMore;
  }

  /** @returns whether there may be more that can be begun. */
  async function beginOrdersOf(partnerId: string): Promise<boolean> {
    const now = new Date(domainClock.now(partnerId));
    const orders = await control.read.order.findMany({
      where: { partnerId, state: 'acknowledged', OR: [{ requestedStartDate: null }, { requestedStartDate: { lte: now } }] },
      orderBy: { id: 'asc' },
      take: BATCH_MAX,
    });
    let settled = 0;
    for (const order of orders) if (await settle(order)) settled++;
    return orders.length === BATCH_MAX && settled > 0;
  }

  /** @returns whether the order is not acknowledged any more. A failure of one order never reaches the others. */
  async function settle(order: Order): Promise<boolean> {
    const tried = (tries.get(order.id) ?? 0) + 1;
    try {
      if (tried <= TRIES_MAX) await control.transact((tx) => beginOrder(tx, order, options));
      else await control.transact((tx) => giveUpOrder(tx, order, options));
      tries.delete(order.id);
      return true;
    } catch (failure) {
      // A database that is away, full or slow is not the order's fault: then the pass ends, and the next one tries anew.
      await control.transact((tx) => tx.order.updateMany({ where: { id: order.id }, data: { updatedAt: order.updatedAt } }));
      tries.set(order.id, tried);
      log.error({ orderId: order.id, tried, err: failure }, 'order could not be begun');
      return false;
    }
  }

  async function timeOutTasksOf(partnerId: string): Promise<boolean> {
    const now = new Date(domainClock.now(partnerId));
    const overdue = await control.read.task.findMany({
      where: { partnerId, status: 'awaitingOperator', dueAt: { lte: now } },
      take: BATCH_MAX,
    });
    for (const task of overdue) await control.transact((tx) => timeOut(tx, task, options));
    return overdue.length === BATCH_MAX;
  }

  return runPeriodically({ name: 'fulfilment', everyMs: SWEEP_MS, clock: options.clock, log }, pass);
}

async function timeOut(tx: ControlTransaction, seen: Task, { clock, report }: BeginOrderOptions): Promise<void> {
  const now = new Date(clock.now());
  const change = { status: 'timedOut', reason: 'The network did not answer in time.', decidedAt: now, updatedAt: now };
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
