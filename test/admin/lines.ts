import { expect, vi } from 'vitest';
import { freshIccid, freshImsi, freshMsisdn } from '../../tools/demo/numbers.js';
import type { ApiClient, Json } from '../fakes/api-client.js';

export interface MadeLine {
  msisdn: string;
  iccid: string;
  imsi: string;
  simId: string;
  orderId: string;
  taskId: string;
  subscriptionId: string;
}

/** A line of E-Plus that waits for its network. */
export async function pendingLine(api: ApiClient): Promise<MadeLine> {
  const { body: plans } = await api.get('/v1/plans?market=XS&status=published');
  const planId: string = plans.items.find((plan: Json) => plan.code === 'messaging-sim').id;
  const numbers = { msisdn: freshMsisdn(), iccid: freshIccid(), imsi: freshImsi() };
  const batch = await api.post('/v1/sim-batches', { market: 'XS', sims: [{ iccid: numbers.iccid, imsi: numbers.imsi }] });
  const items = [{ action: 'add', planId, iccid: numbers.iccid, msisdn: numbers.msisdn }];
  const order = await api.post('/v1/orders', { market: 'XS', items });
  expect(order.status).toBe(201);
  const item = await vi.waitFor(
    async () => {
      const { body } = await api.get(`/v1/orders/${order.body.id}`);
      expect(body.items[0].taskId).toBeDefined();
      return body.items[0];
    },
    { timeout: 15_000, interval: 20 },
  );
  const ids = { orderId: order.body.id, taskId: item.taskId, subscriptionId: item.subscriptionId };
  return { ...numbers, simId: batch.body.items[0].simId, ...ids };
}

/** The network's word: the line is active after it. */
export async function confirmLine(api: ApiClient, { taskId }: MadeLine): Promise<void> {
  const { status } = await api.post(`/v1/tasks/${taskId}/confirmation`, { operatorReference: 'HLR-1' });
  expect(status).toBe(200);
}
