import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.js';
import type { ApiClient, Json } from '../fakes/api-client.js';
import { expectOneAct, imsiOf, msisdnOf, openEdge } from './rig.js';

let world: Awaited<ReturnType<typeof openEdge>>;
let api: ApiClient;
let next = 1;
beforeAll(async () => {
  world = await openEdge();
  api = await world.edge.as();
});
afterAll(() => world.close());

/** A task that waits for the operator, with its order, and the number of its line. */
async function aTask(): Promise<{ id: string; orderId: string; n: number }> {
  const n = next++;
  await world.rig.stock(n);
  const orderId = await world.rig.order([n]);
  const [id = ''] = await world.rig.tasksOf(orderId);
  return { id, orderId, n };
}
const held = async (n: number) => {
  const [subscription] = (await api.post('/v1/subscriptions/search', { msisdn: msisdnOf(n) })).body.items;
  const [sim] = (await api.post('/v1/sims/search', { imsi: imsiOf(n) })).body.items;
  return { subscription, sim };
};

describe('listTasks and getTask', () => {
  test('200: what the network has to do, filtered by status, in pages', async () => {
    const tasks = [await aTask(), await aTask(), await aTask()];
    await world.rig.confirm(tasks[0]?.id ?? '');
    const { body: first } = await api.get('/v1/tasks?status=awaitingOperator&limit=1');
    const { body: rest } = await api.get(`/v1/tasks?status=awaitingOperator&after=${first.nextCursor}`);
    expect([...first.items, ...rest.items].map((task: Json) => task.id)).toEqual([tasks[1]?.id, tasks[2]?.id].sort());
    const { status, body, headers } = await api.get(`/v1/tasks/${tasks[1]?.id}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      type: 'activation',
      status: 'awaitingOperator',
      orderId: tasks[1]?.orderId,
      dueAt: '2026-11-23T10:00:00.000Z',
    });
    expect(headers.get('etag')).toMatch(/^"[^"]+"$/);
  });

  test("404: a stranger's task, one of a market that the token does not cover, none", async () => {
    const { id } = await aTask();
    for (const client of ['cw', 'e-plus-de']) {
      expect((await (await world.edge.as(client)).get(`/v1/tasks/${id}`)).status).toBe(404);
      expect((await (await world.edge.as(client)).get('/v1/tasks')).body.items).toEqual([]);
    }
    expect((await api.get(`/v1/tasks/${newId('tsk', 0)}`)).status).toBe(404);
  });
});

describe('confirmTask', () => {
  test('200: only now are line, SIM and order active or completed; the answer waits for the line’s epoch', async () => {
    const { id, orderId, n } = await aTask();
    expect(await held(n)).toMatchObject({ subscription: { status: 'pending' }, sim: { state: 'assigned' } });
    const settled = world.linesSettled();
    const { status, body } = await api.post(`/v1/tasks/${id}/confirmation`, {
      operatorReference: 'HLR-1',
      confirmedAt: '2026-11-22T09:59:00.000Z',
    });
    expect([status, body.status, body.operatorReference]).toEqual([200, 'confirmed', 'HLR-1']);
    expect(world.linesSettled()).toBe(settled + 1);
    const { subscription, sim } = await held(n);
    expect(subscription).toMatchObject({
      status: 'active',
      activatedAt: '2026-11-22T09:59:00.000Z',
      lastConfirmedAt: '2026-11-22T09:59:00.000Z',
    });
    expect(subscription).toMatchObject({ authority: 'gateway', asOf: '2026-11-22T09:59:00.000Z' });
    expect(sim).toMatchObject({ state: 'active', subscriptionId: subscription.id, lastConfirmedAt: '2026-11-22T09:59:00.000Z' });
    expect((await api.get(`/v1/orders/${orderId}`)).body).toMatchObject({ state: 'completed', completedAt: '2026-11-22T10:00:00.000Z' });
    expect(world.rig.grants).toContain(subscription.id);
    const line = (await world.rig.outbox()).at(-1);
    expect(line).toEqual({ id, msisdn: msisdnOf(n), partnerId: 'e-plus', market: 'XS', cause: 'activated' });
  });

  test('200: with the IMSI that the line has now', async () => {
    const { id, n } = await aTask();
    expect((await api.post(`/v1/tasks/${id}/confirmation`, { imsi: '001019999999999' })).status).toBe(200);
    expect((await held(n)).sim).toBeUndefined();
    expect((await api.post('/v1/sims/search', { imsi: '001019999999999' })).body.items).toHaveLength(1);
  });

  test('422 and 409: an IMSI of a foreign network, or of another SIM; the task waits on', async () => {
    const { id, n } = await aTask();
    const other = await aTask();
    for (const [imsi, status, code] of [
      ['262030000000001', 422, 'PROVISIONING.IMSI_NOT_OURS'],
      [imsiOf(other.n), 409, 'ALREADY_EXISTS'],
    ] as const) {
      const answer = await api.post(`/v1/tasks/${id}/confirmation`, { imsi });
      expect([answer.status, answer.body.code, answer.body.errors[0].pointer]).toEqual([status, code, '/imsi']);
    }
    expect(await held(n)).toMatchObject({ subscription: { status: 'pending' }, sim: { state: 'assigned' } });
    expect((await api.post(`/v1/tasks/${id}/confirmation`, { imsi: imsiOf(n) })).status).toBe(200);
  });

  test('409: what is decided stays decided', async () => {
    const { id, n } = await aTask();
    await api.post(`/v1/tasks/${id}/confirmation`, {});
    for (const [decision, body] of [
      ['confirmation', {}],
      ['rejection', { reason: 'Too late.' }],
    ] as const) {
      const answer = await api.post(`/v1/tasks/${id}/${decision}`, body);
      expect([answer.status, answer.body.code]).toEqual([409, 'INCOMPATIBLE_STATE']);
    }
    expect((await held(n)).subscription.status).toBe('active');
  });

  test('400: a time that is none; 401; 403 names the scope; 404 for strangers', async () => {
    const { id } = await aTask();
    const bad = await api.post(`/v1/tasks/${id}/confirmation`, { confirmedAt: 'just now, honestly....' });
    expect([bad.status, bad.body.errors[0].pointer]).toEqual([400, '/confirmedAt']);
    expect((await world.edge.api.post(`/v1/tasks/${id}/confirmation`, {})).status).toBe(401);
    const narrow = await (await world.edge.as('e-plus-backoffice', 'tasks:read')).post(`/v1/tasks/${id}/confirmation`, {});
    expect([narrow.status, narrow.body.detail]).toEqual([403, expect.stringContaining('tasks:write')]);
    for (const client of ['cw', 'e-plus-de']) {
      expect((await (await world.edge.as(client)).post(`/v1/tasks/${id}/confirmation`, {})).status).toBe(404);
    }
    expect((await api.get(`/v1/tasks/${id}`)).body.status).toBe('awaitingOperator');
  });

  test('the same confirmation twice with one key confirms once, also when both arrive at the same instant', async () => {
    const { id } = await aTask();
    const send = () => api.post(`/v1/tasks/${id}/confirmation`, {}, { idempotencyKey: `confirm-${id}` });
    expectOneAct(await Promise.all([send(), send()]));
    const repeat = await send();
    expect([repeat.status, repeat.headers.get('idempotency-replayed')]).toEqual([200, 'true']);
    expect((await world.rig.outbox()).filter((line) => line.id === id)).toHaveLength(1);
  });

  test('confirmation and rejection at the same instant: exactly one wins, and everything follows it', async () => {
    for (let round = 0; round < 5; round++) {
      const { id, orderId, n } = await aTask();
      const [yes, no] = await Promise.all([
        api.post(`/v1/tasks/${id}/confirmation`, {}),
        api.post(`/v1/tasks/${id}/rejection`, { reason: 'No.' }),
      ]);
      expect([yes.status, no.status].sort()).toEqual([200, 409]);
      const confirmed = yes.status === 200;
      expect((await api.get(`/v1/orders/${orderId}`)).body.state).toBe(confirmed ? 'completed' : 'failed');
      expect((await held(n)).subscription.status).toBe(confirmed ? 'active' : 'failed');
    }
  });
});

describe('rejectTask', () => {
  test('200: the line fails with the reason, the SIM is in stock and the number free again', async () => {
    const { id, orderId, n } = await aTask();
    const { status, body } = await api.post(`/v1/tasks/${id}/rejection`, { reason: 'The SIM is barred.', operatorReference: 'HLR-2' });
    expect([status, body.status, body.reason, body.operatorReference]).toEqual([200, 'rejected', 'The SIM is barred.', 'HLR-2']);
    const { subscription, sim } = await held(n);
    expect([subscription.status, subscription.endedAt]).toEqual(['failed', '2026-11-22T10:00:00.000Z']);
    expect([sim.state, sim.subscriptionId]).toEqual(['inStock', undefined]);
    const order = (await api.get(`/v1/orders/${orderId}`)).body;
    expect(order).toMatchObject({
      state: 'failed',
      reason: 'The SIM is barred.',
      items: [{ state: 'failed', reason: 'The SIM is barred.' }],
    });
    const again = await world.rig.order([n]);
    expect(await world.rig.tasksOf(again)).toHaveLength(1);
    expect((await world.rig.outbox()).filter((line) => line.id === id)).toEqual([]);
  });

  test('400: without a reason', async () => {
    const { id } = await aTask();
    const { status, body } = await api.post(`/v1/tasks/${id}/rejection`, {});
    expect([status, body.errors[0].pointer]).toEqual([400, '/reason']);
  });
});
