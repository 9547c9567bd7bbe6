import { type Provisioning, showOrder } from '../../provisioning/index.js';
import { filters, pageRequest } from '../list-query.js';
import type { PartnerRoutes } from '../route.js';

interface OrderBody {
  market: string;
  externalId?: string;
  requestedStartDate?: string;
  items: { planId: string; iccid: string; msisdn: string }[];
}

export function createOrderRoutes({ orders }: Pick<Provisioning, 'orders'>): PartnerRoutes {
  return {
    createOrder: {
      async act({ caller, correlator, body }, tx, hints) {
        const { requestedStartDate, ...request } = body as OrderBody;
        const wanted = { ...request, ...(requestedStartDate !== undefined && { requestedStartDate: new Date(requestedStartDate) }) };
        const { order, items } = await orders.create(tx, hints, { ...caller, correlator }, wanted);
        return { status: 201, body: showOrder(order, items), headers: { Location: `/v1/orders/${order.id}` } };
      },
    },
    listOrders: {
      async handle({ caller, query }) {
        const page = await orders.list(caller, pageRequest(query), filters(query, 'state'));
        return { status: 200, body: { ...page, items: page.items.map(({ order, items }) => showOrder(order, items)) } };
      },
    },
    getOrder: {
      async handle({ caller, params }) {
        const { order, items } = await orders.get(caller, String(params['orderId']));
        return { status: 200, body: showOrder(order, items) };
      },
    },
  };
}
