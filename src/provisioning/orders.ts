import type { Clock } from '../kernel/clock.js';
import { notFound } from '../kernel/errors.js';
import { parseIccid } from '../kernel/iccid.js';
import { newId } from '../kernel/ids.js';
import { parseMsisdn } from '../kernel/msisdn.js';
import { type Page, type PageRequest, pageOf } from '../kernel/page.js';
import type { AfterCommit, ControlReader, ControlStore, ControlTransaction } from '../store/index.js';
import type { Order, OrderItem } from '../store/models.js';
import { type Actor, type PartnerRanges, type Scope, visible } from './model.js';
import type { OrderedPlans, Reporter } from './ports.js';
import { refused } from './refused.js';
import { showOrder } from './show.js';
import { reserveSim } from './sims.js';

export interface OrderItemRequest {
  planId: string;
  iccid: string;
  msisdn: string;
}

export interface OrderRequest {
  market: string;
  externalId?: string;
  requestedStartDate?: Date;
  items: OrderItemRequest[];
}

export interface OrderWithItems {
  order: Order;
  items: OrderItem[];
}

export interface Orders {
  /**
   * Takes an order: its plans are offered, its SIMs in stock (they become `reserved`), its numbers free. All or nothing.
   *
   * @throws GatewayError naming the field: `PROVISIONING.PLAN_NOT_OFFERED`, `PROVISIONING.SIM_NOT_AVAILABLE`,
   *   `PROVISIONING.MSISDN_NOT_OURS`, `PROVISIONING.MSISDN_IN_USE`, `MARKET.NOT_COVERED`, `INVALID_ARGUMENT`; or
   *   `ZERO_RATING.NOT_PERMITTED_IN_MARKET`.
   */
  create(tx: ControlTransaction, hints: AfterCommit, actor: Actor, request: OrderRequest): Promise<OrderWithItems>;
  list(scope: Scope, page: PageRequest, filter: { state?: string }): Promise<Page<OrderWithItems>>;
  /** @throws GatewayError `NOT_FOUND`. */
  get(scope: Scope, orderId: string): Promise<OrderWithItems>;
}

export interface OrdersOptions {
  control: ControlStore;
  clock: Clock;
  ranges: PartnerRanges;
  plans: OrderedPlans;
  report: Reporter;
  /** Hint that there is an order to fulfil. */
  wake(): void;
}

/** Digits behind an operator's prefix: fewer make no subscriber number. */
const SUBSCRIBER_DIGITS_MIN = 4;

/** Who reads while orders of a page change all the time gets the last look as it is. */
const READ_TRIES_MAX = 5;

export function createOrders({ control, clock, ranges, plans, report, wake }: OrdersOptions): Orders {
  async function itemsOf(from: ControlReader | ControlTransaction, orders: Order[]): Promise<OrderWithItems[]> {
    const items = await from.orderItem.findMany({
      where: { orderId: { in: orders.map((order) => order.id) } },
      orderBy: { position: 'asc' },
    });
    return orders.map((order) => ({ order, items: items.filter((item) => item.orderId === order.id) }));
  }

  /** Orders and items as they were together: two reads may have a commit of another node, or of a sweep, between them. */
  async function readWhole(read: () => Promise<Order[]>): Promise<OrderWithItems[]> {
    let orders = await read();
    for (let tries = 1; ; tries++) {
      const whole = await itemsOf(control.read, orders);
      const after = orders.length > 0 ? await read() : [];
      const isSame = after.length === orders.length && after.every((order, index) => isUnchanged(order, orders[index]));
      if (isSame || tries === READ_TRIES_MAX) return whole;
      orders = after;
    }
  }

  return {
    async create(tx, hints, actor, request) {
      const own = ranges.market(actor, request.market, '/market');
      const now = new Date(clock.now());
      const orderId = newId('ord', clock.now());
      const items: OrderItem[] = [];
      for (const [position, item] of request.items.entries()) {
        const pointer = `/items/${position}`;
        const plan = await plans.offered(tx, actor, request.market, item.planId, `${pointer}/planId`);
        const msisdn = parseMsisdn(item.msisdn, `${pointer}/msisdn`);
        // A prefix with next to nothing behind it is nobody's number.
        if (!own.msisdnPrefixes.some((prefix) => msisdn.startsWith(prefix) && msisdn.length >= prefix.length + SUBSCRIBER_DIGITS_MIN)) {
          throw refused('PROVISIONING.MSISDN_NOT_OURS', `${pointer}/msisdn`, "is outside the partner's ranges in this market");
        }
        const inUse = items.some((other) => other.msisdn === msisdn) || (await isOrdered(tx, msisdn));
        if (inUse) throw refused('PROVISIONING.MSISDN_IN_USE', `${pointer}/msisdn`, 'has a live subscription or an open order');
        const iccid = parseIccid(item.iccid, `${pointer}/iccid`);
        const sim = await reserveSim(tx, actor, request.market, iccid, `${pointer}/iccid`, now);
        items.push({
          id: `${orderId}_${position + 1}`,
          orderId,
          position,
          action: 'add',
          planId: plan.id,
          planVersion: plan.version,
          simId: sim.id,
          iccid,
          msisdn,
          state: 'acknowledged',
          subscriptionId: null,
          taskId: null,
          reason: null,
        });
      }
      const order: Order = {
        id: orderId,
        partnerId: actor.partnerId,
        market: request.market,
        externalId: request.externalId ?? null,
        state: 'acknowledged',
        requestedStartDate: request.requestedStartDate ?? null,
        correlator: actor.correlator,
        createdAt: now,
        updatedAt: now,
        completedAt: null,
      };
      await tx.order.create({ data: order });
      await tx.orderItem.createMany({ data: items });
      await report(tx, {
        partnerId: actor.partnerId,
        market: order.market,
        type: 'order.acknowledged',
        subject: order.id,
        resource: showOrder(order, items),
        correlator: actor.correlator,
        summary: 'Order received',
        facts: [{ name: 'items', value: String(items.length) }],
      });
      hints.afterCommit(wake);
      return { order, items };
    },
    async list(scope, { after, limit }, { state }) {
      const where = { ...visible(scope), ...(after && { id: { gt: after } }), ...(state && { state }) };
      return pageOf(
        await readWhole(() => control.read.order.findMany({ where, orderBy: { id: 'asc' }, take: limit + 1 })),
        limit,
        ({ order }) => order.id,
        (one) => one,
      );
    },
    async get(scope, orderId) {
      const [found] = await readWhole(() => control.read.order.findMany({ where: { ...visible(scope), id: orderId }, take: 1 }));
      if (!found) throw notFound('order');
      return found;
    },
  };
}

const isUnchanged = (order: Order, before: Order | undefined): boolean =>
  order.id === before?.id && order.state === before.state && order.updatedAt.getTime() === before.updatedAt.getTime();

/** Whether somebody has the number, or an order that is not finished asks for it. */
async function isOrdered(tx: ControlTransaction, msisdn: string): Promise<boolean> {
  const live = await tx.subscription.findUnique({ where: { liveMsisdn: msisdn }, select: { id: true } });
  return live !== null || (await tx.orderItem.findFirst({ where: { msisdn, state: 'acknowledged' }, select: { id: true } })) !== null;
}
