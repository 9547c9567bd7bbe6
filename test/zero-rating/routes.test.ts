import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEntitlementRoutes } from '../../src/http/routes/entitlements.js';
import { createTrafficListRoutes } from '../../src/http/routes/traffic-lists.js';
import type { ApiClient } from '../fakes/api-client.js';
import { aClient, startTestEdge, type TestEdge } from '../fakes/gateway.js';
import { openWorld, type World } from './world.js';

// Every answer here is held against openapi.yaml by the client, on the wire bytes.
let world: World;
let edge: TestEdge;
let api: ApiClient;
beforeAll(async () => {
  world = await openWorld();
  await world.trafficLists.publish();
  const stranger = aClient({ id: 'cw', partnerId: 'cable-and-wireless' });
  edge = await startTestEdge({
    store: world.store,
    clients: [aClient(), stranger, aClient({ id: 'e-plus-de', markets: ['DE'] })],
    routes: { partner: { ...createTrafficListRoutes(world), ...createEntitlementRoutes(world) } },
  });
  api = await edge.as('e-plus-backoffice');
});
afterAll(async () => {
  await edge.close();
  await world.close();
});

describe('traffic lists over HTTP', () => {
  test('are listed and read, and 304 spares whoever has them', async () => {
    const listed = await api.get('/v1/traffic-lists');
    expect(listed.body.items).toHaveLength(3);
    const read = await api.get('/v1/traffic-lists/messaging-text');
    expect(read).toMatchObject({ status: 200, body: { version: 1, rules: { externalAppId: 'causeway.messaging-text' } } });
    for (const [path, { headers }] of [
      ['/v1/traffic-lists', listed],
      ['/v1/traffic-lists/messaging-text', read],
    ] as const) {
      const again = await api.get(path, { headers: { 'if-none-match': headers.get('etag') ?? '' } });
      expect([again.status, again.text]).toEqual([304, '']);
    }
    expect((await api.get('/v1/traffic-lists/status')).status).toBe(404);
  });

  test('are paged', async () => {
    const first = await api.get('/v1/traffic-lists?limit=2');
    const second = await api.get(`/v1/traffic-lists?limit=2&after=${first.body.nextCursor}`);
    expect(new Set([...first.body.items, ...second.body.items].map((item) => item.trafficClass))).toEqual(
      new Set(['messaging-media', 'messaging-text', 'voip']),
    );
    expect(second.body).toMatchObject({ hasMore: false, nextCursor: null });
  });

  test.each([
    ['pfd', /^application\/json/, /^\{"pfdDatas":\{"causeway.messaging-text":/],
    ['cidr', /^text\/plain/, /^$/],
    ['csv', /^text\/csv/, /^pfdId,kind,protocol,value,port\ntext-names,domain,TLS_SNI,text.chat.example,\n$/],
  ])('are exported as %s', async (format, type, text) => {
    const answer = await api.get(`/v1/traffic-lists/messaging-text/export?format=${format}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(type);
    expect(answer.text).toMatch(text);
    const etag = answer.headers.get('etag') ?? '';
    expect((await api.get(`/v1/traffic-lists/messaging-text/export?format=${format}`, { headers: { 'if-none-match': etag } })).status).toBe(
      304,
    );
  });

  test('are acknowledged once per key; an unknown version is 422', async () => {
    const deployed = { version: 1, deployedAt: '2026-11-22T09:00:00.000Z', note: 'both sites' };
    const before = world.reports.length;
    const first = await api.post('/v1/traffic-lists/messaging-text/acknowledgements', deployed, { idempotencyKey: 'acknowledge-0001' });
    const again = await api.post('/v1/traffic-lists/messaging-text/acknowledgements', deployed, { idempotencyKey: 'acknowledge-0001' });
    expect(first).toMatchObject({ status: 201, body: { ...deployed, trafficClass: 'messaging-text', currentVersion: 1 } });
    expect([again.body, world.reports.length]).toEqual([first.body, before + 1]);
    expect(await api.post('/v1/traffic-lists/messaging-text/acknowledgements', { ...deployed, version: 9 })).toMatchObject({
      status: 422,
      body: { code: 'ZERO_RATING.VERSION_UNKNOWN', errors: [{ pointer: '/version' }] },
    });
  });
});

describe('entitlements over HTTP', () => {
  test('PUT grants with 201, replaces with 200 and the ETag it gave, and else says 428 or 412', async () => {
    const line = await world.aLine();
    const path = `/v1/subscriptions/${line.id}/entitlements/messaging-text`;
    const put = (headers: Record<string, string>, bytes = 1_000) =>
      api.call('PUT', path, { headers, body: { cap: { bytes, period: 'P1D' } } });
    expect((await put({ 'if-match': '"other"' })).status).toBe(412);
    const granted = await put({});
    expect(granted).toMatchObject({ status: 201, body: { subscriptionId: line.id, cap: { bytes: 1_000, period: 'P1D' } } });
    expect((await put({})).status).toBe(428);
    expect((await put({ 'if-match': '"other"' })).status).toBe(412);
    const etag = granted.headers.get('etag') ?? '';
    expect(await put({ 'if-match': etag }, 2_000)).toMatchObject({ status: 200, body: { id: granted.body.id, cap: { bytes: 2_000 } } });
    expect((await put({ 'if-match': etag }, 3_000)).status).toBe(412);
  });

  test('what the market forbids is 422; what a stranger or a narrowed token asks for is 404', async () => {
    const german = await world.aLine({ market: 'DE' });
    const path = (id: string) => `/v1/subscriptions/${id}/entitlements/messaging-text`;
    expect(await api.call('PUT', path(german.id), { body: { kind: 'app-specific' } })).toMatchObject({
      status: 422,
      body: { code: 'ZERO_RATING.NOT_PERMITTED_IN_MARKET', errors: [{ pointer: '/kind' }] },
    });
    const line = await world.aLine();
    expect((await (await edge.as('cw')).call('PUT', path(line.id), { body: {} })).status).toBe(404);
    expect((await (await edge.as('e-plus-de')).call('PUT', path(line.id), { body: {} })).status).toBe(404);
  });

  test('snapshot, changes and decision answer as the contract says', async () => {
    const line = await world.aLine();
    await world.activate(line);
    const snapshot = await api.get('/v1/entitlements/snapshot?limit=200');
    expect(snapshot.body.items).toContainEqual(expect.objectContaining({ msisdn: line.msisdn, trafficClass: 'messaging-text' }));
    expect((await api.get(`/v1/entitlements/changes?after=${snapshot.body.changesCursor}`)).body.items).toEqual([]);
    expect((await api.get('/v1/entitlements/changes?limit=1')).body).toMatchObject({ hasMore: true, items: [{ change: 'granted' }] });
    expect((await api.get('/v1/entitlements/changes?after=zzz')).status).toBe(400);
    const decision = { msisdn: line.msisdn, trafficClass: 'messaging-text' };
    expect((await api.call('POST', '/v1/entitlements/decision', { body: decision })).body).toMatchObject({
      applies: true,
      treatment: 'free',
    });
    expect((await (await edge.as('cw')).call('POST', '/v1/entitlements/decision', { body: decision })).body).toMatchObject({
      reasonCode: 'NO_SUBSCRIPTION',
    });
    const bad = await api.call('POST', '/v1/entitlements/decision', { body: { ...decision, msisdn: '0171' } });
    expect(bad).toMatchObject({ status: 400, body: { errors: expect.arrayContaining([expect.objectContaining({ pointer: '/msisdn' })]) } });
  });
});
