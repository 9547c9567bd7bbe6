import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { luhnDigit } from '../../src/kernel/iccid.js';
import { newId } from '../../src/kernel/ids.js';
import type { ApiClient, Json } from '../fakes/api-client.js';
import { expectOneAct, iccidOf, msisdnOf, openEdge, until } from './rig.js';

let world: Awaited<ReturnType<typeof openEdge>>;
let api: ApiClient;
let planId: string;
beforeAll(async () => {
  world = await openEdge();
  api = await world.edge.as();
  planId = await world.rig.planId();
});
afterAll(() => world.close());

const line = (n: number, more: object = {}) => ({ action: 'add', planId, iccid: iccidOf(n), msisdn: msisdnOf(n), ...more });
const order = (...items: object[]) => ({ market: 'XS', items });
const simState = async (n: number) => (await world.rig.control.read.sim.findUnique({ where: { iccid: iccidOf(n) } }))?.state;

describe('createOrder', () => {
  test('201: acknowledged, at its Location, the SIM reserved, nothing active', async () => {
    await world.rig.stock(1);
    const { status, body, headers } = await api.post('/v1/orders', { ...order(line(1)), externalId: 'shop-1' });
    expect([status, body.state, body.externalId, headers.get('location')]).toEqual([
      201,
      'acknowledged',
      'shop-1',
      `/v1/orders/${body.id}`,
    ]);
    expect(body.items).toEqual([
      { id: '1', action: 'add', planId, planVersion: 1, iccid: iccidOf(1), msisdn: msisdnOf(1), state: 'acknowledged' },
    ]);
    const [taskId] = await world.rig.tasksOf(body.id);
    const { body: later } = await api.get(`/v1/orders/${body.id}`);
    expect(later).toMatchObject({ state: 'inProgress', items: [{ state: 'inProgress', taskId }] });
    expect(later.subscriptionId).toBe(later.items[0].subscriptionId);
    expect(await world.rig.control.read.subscription.count({ where: { status: 'active' } })).toBe(0);
  });

  test.each([
    ['a number that is none', { msisdn: '0157' }, '/items/0/msisdn'],
    ['a number that begins with 0', { msisdn: '+0995700000001' }, '/items/0/msisdn'],
    [
      'an ICCID whose Luhn digit is wrong',
      { iccid: `${iccidOf(2).slice(0, -1)}${(Number(iccidOf(2).at(-1)) + 1) % 10}` },
      '/items/0/iccid',
    ],
    ['an action that is not there yet', { action: 'remove' }, '/items/0/action'],
    ['a member that nobody knows', { colour: 'red' }, '/items/0/colour'],
  ])('400: %s, and the pointer says where', async (_what, more, pointer) => {
    await world.rig.stock(2);
    const { status, body } = await api.post('/v1/orders', order(line(2, more)));
    expect([status, body.code, body.errors[0].pointer]).toEqual([400, 'INVALID_ARGUMENT', pointer]);
    expect(JSON.stringify(body)).not.toMatch(/\d{10,}/);
    expect(await simState(2)).toBe('inStock');
  });

  test('422: a plan that is not offered; the second item is named', async () => {
    await world.rig.stock(3, 4);
    const { status, body } = await api.post('/v1/orders', order(line(3), line(4, { planId: newId('pln', 0) })));
    expect([status, body.code, body.errors[0].pointer]).toEqual([422, 'PROVISIONING.PLAN_NOT_OFFERED', '/items/1/planId']);
    expect([await simState(3), await simState(4)]).toEqual(['inStock', 'inStock']);
  });

  test("422: a stranger's plan looks the same as none", async () => {
    const theirs = await world.rig.planId('pass-1', 'XS', 'cable-and-wireless');
    const bodies = await Promise.all(
      [theirs, newId('pln', 0)].map(async (id) => (await api.post('/v1/orders', order(line(3, { planId: id })))).body),
    );
    expect(bodies[0].detail).toBe(bodies[1].detail);
    expect(bodies[0].errors).toEqual(bodies[1].errors);
  });

  test("422: a number outside the partner's ranges", async () => {
    const { status, body } = await api.post('/v1/orders', order(line(3, { msisdn: '+9998700000003' })));
    expect([status, body.code, body.errors[0].pointer]).toEqual([422, 'PROVISIONING.MSISDN_NOT_OURS', '/items/0/msisdn']);
  });

  test.each(['+99957', '+99957123'])('422: a prefix with fewer than four digits behind it: %s', async (msisdn) => {
    const { status, body } = await api.post('/v1/orders', order(line(3, { msisdn })));
    expect([status, body.code, body.errors[0].pointer]).toEqual([422, 'PROVISIONING.MSISDN_NOT_OURS', '/items/0/msisdn']);
  });

  test('422: a market that the token does not cover', async () => {
    const { status, body } = await (await world.edge.as('e-plus-de')).post('/v1/orders', order(line(3)));
    expect([status, body.code, body.errors[0].pointer]).toEqual([422, 'MARKET.NOT_COVERED', '/market']);
  });

  test('422: a plan that the law of its market has overtaken', async () => {
    const id = await world.rig.planId('messaging-sim', 'DE');
    await world.rig.control.transact((tx) => tx.plan.update({ where: { id }, data: { status: 'published' } }));
    const { status, body } = await api.post('/v1/orders', { market: 'DE', items: [line(3, { planId: id, msisdn: '+4915700000003' })] });
    expect([status, body.code]).toEqual([422, 'ZERO_RATING.NOT_PERMITTED_IN_MARKET']);
    await world.rig.control.transact((tx) => tx.plan.update({ where: { id }, data: { status: 'draft' } }));
  });

  test('409: a SIM that is not registered, not in stock, twice in one order, or a stranger’s', async () => {
    await world.rig.stock(5);
    const theirs = `899998700000000001${luhnDigit('899998700000000001')}`;
    const cw = await world.edge.as('cw');
    await cw.post('/v1/sim-batches', { market: 'XS', sims: [{ iccid: theirs }] });
    for (const [items, pointer] of [
      [[line(6)], '/items/0/iccid'],
      [[line(1, { msisdn: msisdnOf(6) })], '/items/0/iccid'],
      [[line(5), line(5, { msisdn: msisdnOf(6) })], '/items/1/iccid'],
      [[line(6, { iccid: theirs })], '/items/0/iccid'],
    ] as const) {
      const { status, body } = await api.post('/v1/orders', order(...items));
      expect([status, body.code, body.errors[0].pointer]).toEqual([409, 'PROVISIONING.SIM_NOT_AVAILABLE', pointer]);
    }
    expect(await simState(5)).toBe('inStock');
  });

  test('409: a number that has a subscription, is ordered already, or stands twice in the order', async () => {
    await world.rig.stock(7, 8, 9);
    const waiting = await api.post('/v1/orders', { ...order(line(7)), requestedStartDate: '2027-01-01T00:00:00.000Z' });
    expect(waiting.status).toBe(201);
    for (const items of [
      [line(8, { msisdn: msisdnOf(1) })],
      [line(8, { msisdn: msisdnOf(7) })],
      [line(8), line(9, { msisdn: msisdnOf(8) })],
    ]) {
      const { status, body } = await api.post('/v1/orders', order(...items));
      expect([status, body.code]).toEqual([409, 'PROVISIONING.MSISDN_IN_USE']);
    }
    expect([await simState(8), await simState(9)]).toEqual(['inStock', 'inStock']);
  });

  test('401 without a token; 403 names the scope', async () => {
    expect((await world.edge.api.post('/v1/orders', order(line(8)))).status).toBe(401);
    const narrow = await (await world.edge.as('e-plus-backoffice', 'orders:read')).post('/v1/orders', order(line(8)));
    expect([narrow.status, narrow.body.detail]).toEqual([403, expect.stringContaining('orders:write')]);
  });

  test('the same order twice with one key is one order, also when both arrive at the same instant', async () => {
    await world.rig.stock(10);
    const send = () => api.post('/v1/orders', order(line(10)), { idempotencyKey: 'order-10' });
    expectOneAct(await Promise.all([send(), send(), send()]));
    const repeat = await send();
    expect([repeat.status, repeat.headers.get('idempotency-replayed'), repeat.body.state]).toEqual([201, 'true', 'acknowledged']);
    expect(await world.rig.control.read.orderItem.count({ where: { msisdn: msisdnOf(10) } })).toBe(1);
  });

  test('two orders for the last SIM at the same instant, with different keys: one gets it', async () => {
    await world.rig.stock(11);
    const orders = await Promise.all([11, 12, 13].map((n) => api.post('/v1/orders', order(line(11, { msisdn: msisdnOf(n) })))));
    expect(orders.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
  });
});

describe('reading orders', () => {
  test('200: pages, the oldest first, filtered by state', async () => {
    await until(
      async () => (await world.rig.control.read.order.count({ where: { state: 'acknowledged', requestedStartDate: null } })) === 0,
    );
    const { body: first } = await api.get('/v1/orders?limit=2');
    expect([first.items.length, first.hasMore]).toEqual([2, true]);
    const { body: rest } = await api.get(`/v1/orders?after=${first.nextCursor}`);
    const ids = [...first.items, ...rest.items].map((one: Json) => one.id);
    expect(ids).toEqual([...new Set(ids)].sort());
    const { body: waiting } = await api.get('/v1/orders?state=acknowledged');
    expect(waiting.items.map((one: Json) => one.requestedStartDate)).toEqual(['2027-01-01T00:00:00.000Z']);
  });

  test("404: a stranger's order, one of a market that the token does not cover, none", async () => {
    const { id } = (await api.get('/v1/orders?limit=1')).body.items[0];
    for (const client of ['cw', 'e-plus-de']) {
      const { status, body } = await (await world.edge.as(client)).get(`/v1/orders/${id}`);
      expect([status, body.code]).toEqual([404, 'NOT_FOUND']);
      expect((await (await world.edge.as(client)).get('/v1/orders')).body.items).toEqual([]);
    }
    expect((await api.get(`/v1/orders/${newId('ord', 0)}`)).status).toBe(404);
  });

  test('200: an order has an ETag that changes with it', async () => {
    await world.rig.stock(20);
    const { body, headers } = await api.post('/v1/orders', order(line(20)));
    expect(headers.get('etag')).toMatch(/^"[^"]+"$/);
    await world.rig.tasksOf(body.id);
    expect((await api.get(`/v1/orders/${body.id}`)).headers.get('etag')).not.toBe(headers.get('etag'));
  });
});

test('no number, ICCID or IMSI is in anything that was logged', async () => {
  const lines = [...world.edge.logged(), ...world.rig.logged()];
  expect(lines.length).toBeGreaterThan(20);
  expect(lines.filter((text) => /99957\d{6}/.test(text))).toEqual([]);
});
