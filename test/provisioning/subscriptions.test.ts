import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.js';
import type { ApiClient, Json } from '../fakes/api-client.js';
import { iccidOf, imsiOf, msisdnOf, openEdge } from './rig.js';

let world: Awaited<ReturnType<typeof openEdge>>;
let api: ApiClient;
/** The number's line today, after two attempts that the network refused. */
let current: Json;
beforeAll(async () => {
  world = await openEdge();
  api = await world.edge.as();
  await world.rig.stock(1);
  for (const confirmed of [false, false, true]) {
    const [taskId = ''] = await world.rig.tasksOf(await world.rig.order([1]));
    await (confirmed ? world.rig.confirm(taskId) : world.rig.reject(taskId));
    await world.rig.clock.advance(5);
  }
  current = (await api.post('/v1/subscriptions/search', { msisdn: msisdnOf(1) })).body.items[0];
});
afterAll(() => world.close());

describe('searchSubscriptions', () => {
  test.each([
    ['number', { msisdn: msisdnOf(1) }],
    ['ICCID', { iccid: iccidOf(1) }],
    ['ICCID with its pad nibble', { iccid: `${iccidOf(1)}F` }],
    ['IMSI', { imsi: imsiOf(1) }],
  ])('200: by %s, ended ones too, the newest first', async (_what, by) => {
    const { status, body } = await api.post('/v1/subscriptions/search', by);
    expect([status, body.items.map((one: Json) => one.status)]).toEqual([200, ['active', 'failed', 'failed']]);
  });

  test('200: in pages', async () => {
    const { body: first } = await api.post('/v1/subscriptions/search?limit=2', { msisdn: msisdnOf(1) });
    expect([first.items.length, first.hasMore]).toEqual([2, true]);
    const { body: rest } = await api.post(`/v1/subscriptions/search?limit=2&after=${first.nextCursor}`, { msisdn: msisdnOf(1) });
    expect([rest.items.length, rest.hasMore]).toEqual([1, false]);
    expect(new Set([...first.items, ...rest.items].map((one: Json) => one.id)).size).toBe(3);
  });

  test('200 and nothing: a number of nobody, for a stranger, for a market that the token does not cover', async () => {
    expect((await api.post('/v1/subscriptions/search', { msisdn: msisdnOf(9) })).body.items).toEqual([]);
    for (const client of ['cw', 'e-plus-de']) {
      for (const by of [{ msisdn: msisdnOf(1) }, { iccid: iccidOf(1) }, { imsi: imsiOf(1) }]) {
        expect((await (await world.edge.as(client)).post('/v1/subscriptions/search', by)).body.items).toEqual([]);
      }
    }
  });

  test('400: by nothing, by two things, by a number that is none', async () => {
    for (const by of [{}, { msisdn: msisdnOf(1), iccid: iccidOf(1) }, { msisdn: '0157' }]) {
      const { status, body } = await api.post('/v1/subscriptions/search', by);
      expect([status, body.code]).toEqual([400, 'INVALID_ARGUMENT']);
    }
  });
});

describe('getSubscription', () => {
  test('200: says who is its master, and of when its state is', async () => {
    const { status, body, headers } = await api.get(`/v1/subscriptions/${current.id}`);
    expect([status, body]).toEqual([200, current]);
    expect(body).toMatchObject({ authority: 'gateway', status: 'active', planVersion: 1, entitlements: [], asOf: body.activatedAt });
    expect(headers.get('etag')).toMatch(/^"[^"]+"$/);
  });

  test('404: a stranger’s, one of a market that the token does not cover, none; 403 names the scope', async () => {
    for (const path of [`/v1/subscriptions/${current.id}`, `/v1/subscriptions/${current.id}/timeline`]) {
      for (const client of ['cw', 'e-plus-de']) expect((await (await world.edge.as(client)).get(path)).status).toBe(404);
      const narrow = await (await world.edge.as('e-plus-backoffice', 'sims:read')).get(path);
      expect([narrow.status, narrow.body.detail]).toEqual([403, expect.stringContaining('subscriptions:read')]);
      expect((await world.edge.api.get(path)).status).toBe(401);
    }
    expect((await api.get(`/v1/subscriptions/${newId('sub', 0)}`)).status).toBe(404);
  });
});

describe('listTimeline', () => {
  test('200: everything that happened to this line and nothing of the attempts before, the newest first', async () => {
    const { status, body } = await api.get(`/v1/subscriptions/${current.id}/timeline`);
    expect(status).toBe(200);
    expect(body.items.map((item: Json) => item.type)).toEqual([
      'order.completed',
      'subscription.active',
      'task.confirmed',
      'task.awaiting-operator',
      'order.in-progress',
    ]);
    expect(body.items[0]).toMatchObject({ resourceType: 'order', resourceId: current.orderId, at: '2026-11-22T10:00:00.010Z' });
    expect(JSON.stringify(body)).not.toMatch(/\d{11,}/);
  });

  test('200: in pages', async () => {
    const types: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { body }: Json = await api.get(`/v1/subscriptions/${current.id}/timeline?limit=2${cursor && `&after=${cursor}`}`);
      types.push(...body.items.map((item: Json) => item.type));
      cursor = body.nextCursor;
    }
    expect(types).toHaveLength(5);
  });
});
