import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isGatewayError } from '../../src/kernel/errors.js';
import type { ApiClient, Json } from '../fakes/api-client.js';
import { ePlus, openEdge, openRig } from '../provisioning/rig.js';

const DAY_MS = 86_400_000;

describe('listPlans and getPlan', () => {
  let world: Awaited<ReturnType<typeof openEdge>>;
  let api: ApiClient;
  beforeAll(async () => {
    world = await openEdge();
    api = await world.edge.as();
  });
  afterAll(() => world.close());

  test("200: the partner's plans, and nobody else's", async () => {
    const { status, body } = await api.get('/v1/plans');
    expect(status).toBe(200);
    expect(body.items.map((plan: Json) => `${plan.market}/${plan.code}`).sort()).toEqual([
      'DE/basic-data',
      'DE/messaging-sim',
      'XS/messaging-sim',
      'XS/units-600',
    ]);
    const others = await (await world.edge.as('cw')).get('/v1/plans');
    expect(new Set(others.body.items.map((plan: Json) => plan.price.currency))).toEqual(new Set(['USD', 'JMD', 'BBD']));
  });

  test('200: filters by market and status', async () => {
    const { body } = await api.get('/v1/plans?market=DE&status=draft');
    expect(body.items.map((plan: Json) => plan.code)).toEqual(['messaging-sim']);
    expect((await api.get('/v1/plans?status=retired')).body).toEqual({ items: [], hasMore: false, nextCursor: null });
  });

  test('200: pages follow each other without a gap or a repeat', async () => {
    const codes: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: Json = (await api.get(`/v1/plans?limit=3${cursor && `&after=${cursor}`}`)).body;
      codes.push(...page.items.map((plan: Json) => plan.id));
      expect(page.hasMore).toBe(page.nextCursor !== null);
      cursor = page.nextCursor;
    }
    expect(codes).toEqual([...new Set(codes)].sort());
    expect(codes).toHaveLength(4);
  });

  test('a token for one market sees the plans of that market only; the others are 404', async () => {
    const german = await world.edge.as('e-plus-de');
    const { body } = await german.get('/v1/plans');
    expect(new Set(body.items.map((plan: Json) => plan.market))).toEqual(new Set(['DE']));
    expect((await german.get('/v1/plans?market=XS')).body.items).toEqual([]);
    expect((await german.get(`/v1/plans/${await world.rig.planId()}`)).status).toBe(404);
  });

  test('200: the public facts of the offer, money in minor units, the charging step said', async () => {
    const { body, headers } = await api.get(`/v1/plans/${await world.rig.planId()}`);
    expect(body).toMatchObject({
      name: 'Prepaid messaging SIM',
      price: { amountMinor: 1000, currency: 'EUR' },
      validity: null,
      dataCharging: { stepBytes: 10_000, bytesPerUnit: 1_000_000, pricePerUnit: { amountMinor: 24, currency: 'EUR' } },
      effectiveFrom: '2014-04-07T00:00:00.000Z',
    });
    expect(body.zeroRating[0]).toMatchObject({ usableAtZeroBalance: true, onExhaust: { action: 'throttle', bitsPerSecond: 56_000 } });
    expect(headers.get('etag')).toMatch(/^"[^"]+"$/);
  });

  test('400: a cursor that this list never gave, an unknown status, an id that is none', async () => {
    for (const [path, pointer] of [
      ['/v1/plans?after=bm9uZQ', '/query/after'],
      ['/v1/plans?status=ripe', '/query/status'],
      ['/v1/plans/pln_1', '/path/planId'],
    ] as const) {
      const { status, body } = await api.get(path);
      expect([status, body.errors?.[0]?.pointer]).toEqual([400, pointer]);
    }
  });

  test('401 without a token; 403 names the scope; 404 for a stranger', async () => {
    const { url } = world.edge;
    expect(url).toBeTruthy();
    expect((await world.edge.api.get('/v1/plans')).status).toBe(401);
    const narrow = await (await world.edge.as('e-plus-backoffice', 'sims:read')).get('/v1/plans');
    expect([narrow.status, narrow.body.detail]).toEqual([403, expect.stringContaining('plans:read')]);
    const stranger = await (await world.edge.as('cw')).get(`/v1/plans/${await world.rig.planId()}`);
    expect([stranger.status, stranger.body.code]).toEqual([404, 'NOT_FOUND']);
  });
});

describe('publishPlan', () => {
  let world: Awaited<ReturnType<typeof openEdge>>;
  let api: ApiClient;
  beforeAll(async () => {
    world = await openEdge();
    api = await world.edge.as();
  });
  afterAll(() => world.close());

  test('422: the E-Plus offer dated today in market DE, with the law that says so; it stays a draft', async () => {
    const id = await world.rig.planId('messaging-sim', 'DE');
    const effectiveAt = new Date(world.rig.clock.now()).toISOString();
    const { status, body } = await api.post(`/v1/plans/${id}/publish`, { effectiveAt });
    expect([status, body.code]).toEqual([422, 'ZERO_RATING.NOT_PERMITTED_IN_MARKET']);
    expect((await api.get(`/v1/plans/${id}`)).body.status).toBe('draft');
  });

  test('200: the same offer in the sandbox market; what is on sale keeps the date that it has', async () => {
    const id = await world.rig.planId();
    const { status, body } = await api.post(`/v1/plans/${id}/publish`, {});
    expect([status, body.status, body.effectiveFrom]).toEqual([200, 'published', '2014-04-07T00:00:00.000Z']);
  });

  test('200: a plan that the law of DE leaves room for, from the day that was asked for', async () => {
    const id = await world.rig.planId('basic-data', 'DE');
    await world.rig.control.transact((tx) => tx.plan.update({ where: { id }, data: { status: 'draft' } }));
    const { status, body } = await api.post(`/v1/plans/${id}/publish`, { effectiveAt: '2027-01-01T00:00:00.000Z' });
    expect([status, body.status, body.effectiveFrom]).toEqual([200, 'published', '2027-01-01T00:00:00.000Z']);
  });

  test('409: a retired plan', async () => {
    const id = await world.rig.planId('units-600');
    await world.rig.control.transact((tx) => tx.plan.update({ where: { id }, data: { status: 'retired' } }));
    const { status, body } = await api.post(`/v1/plans/${id}/publish`, {});
    expect([status, body.code]).toEqual([409, 'INCOMPATIBLE_STATE']);
  });

  test("404: a stranger's plan; 400: a date that is none; 403 names the scope", async () => {
    const id = await world.rig.planId();
    expect((await (await world.edge.as('cw')).post(`/v1/plans/${id}/publish`, {})).status).toBe(404);
    const bad = await api.post(`/v1/plans/${id}/publish`, { effectiveAt: 'tomorrow-or-so, perhaps' });
    expect([bad.status, bad.body.errors[0].pointer]).toEqual([400, '/effectiveAt']);
    const narrow = await (await world.edge.as('e-plus-backoffice', 'plans:read')).post(`/v1/plans/${id}/publish`, {});
    expect([narrow.status, narrow.body.detail]).toEqual([403, expect.stringContaining('plans:write')]);
  });
});

describe('what an order may take', () => {
  const offered = async (
    market: string,
    code: string,
    from: { change?: object; effectiveFrom?: Date; actor?: typeof ePlus; asked?: string } = {},
  ) => {
    const rig = await openRig();
    try {
      const id = await rig.planId(code, market);
      if (from.change) await rig.control.transact((tx) => tx.plan.update({ where: { id }, data: from.change ?? {} }));
      const { effectiveFrom } = from;
      if (effectiveFrom) await rig.control.transact((tx) => tx.planVersion.updateMany({ where: { planId: id }, data: { effectiveFrom } }));
      return await rig.control.transact((tx) =>
        rig.catalogue.offered(tx, from.actor ?? ePlus, from.asked ?? market, id, '/items/0/planId'),
      );
    } catch (failure) {
      if (!isGatewayError(failure)) throw failure;
      return { code: failure.code, pointer: failure.errors?.[0]?.pointer, detail: failure.detail };
    } finally {
      await rig.close();
    }
  };
  const now = Date.UTC(2026, 10, 22, 10);

  test('a published plan from the instant that it takes effect', async () => {
    expect(await offered('XS', 'messaging-sim')).toMatchObject({ version: 1, code: 'messaging-sim' });
    expect(await offered('XS', 'messaging-sim', { effectiveFrom: new Date(now) })).toMatchObject({ version: 1 });
  });

  test('a draft, a retired plan, one of tomorrow, of another market, of a stranger: all look the same', async () => {
    const refusals = [
      await offered('DE', 'messaging-sim'),
      await offered('XS', 'messaging-sim', { change: { status: 'retired' } }),
      await offered('XS', 'messaging-sim', { effectiveFrom: new Date(now + DAY_MS) }),
      await offered('XS', 'messaging-sim', { asked: 'DE' }),
      await offered('XS', 'messaging-sim', { actor: { ...ePlus, partnerId: 'cable-and-wireless' } }),
      await offered('XS', 'messaging-sim', { actor: { ...ePlus, markets: ['DE'] } }),
    ];
    expect(new Set(refusals.map((refusal) => JSON.stringify(refusal))).size).toBe(1);
    expect(refusals[0]).toMatchObject({ code: 'PROVISIONING.PLAN_NOT_OFFERED', pointer: '/items/0/planId' });
  });

  test('not a plan that was published before the law changed', async () => {
    const refusal = await offered('DE', 'messaging-sim', { change: { status: 'published' } });
    expect(refusal).toMatchObject({ code: 'ZERO_RATING.NOT_PERMITTED_IN_MARKET' });
  });
});

test('the seed puts each plan there once', async () => {
  const rig = await openRig();
  const before = await rig.control.read.plan.findMany();
  await rig.catalogue.seed();
  expect(await rig.control.read.plan.findMany()).toEqual(before);
  await rig.close();
});
