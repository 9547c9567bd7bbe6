import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Answer, ApiRequest, OnceRoute, PlainRoute } from '../../src/http/route.js';
import { createEventSubscriptionRoutes } from '../../src/http/routes/event-subscriptions.js';
import { createEventRoutes } from '../../src/http/routes/events.js';
import { openTestStore, type TestStore } from '../fakes/store.js';
import { anEvent } from './event-builder.js';
import { aFixture, type Fixture } from './fixture.js';

let store: TestStore;
let fixture: Fixture;
beforeEach(async () => {
  store = await openTestStore();
  fixture = aFixture(store);
});
afterEach(() => store.close());

const all = { partnerId: 'e-plus', markets: undefined };
const refusal = (code: string) => ({ code });

interface Given {
  partnerId?: string;
  markets?: string[];
  id?: string;
  body?: unknown;
  query?: ApiRequest['query'];
  headers?: Record<string, string>;
}

/** Calls a route as the edge does once a request has passed the contract. */
async function call(
  operation: string,
  { partnerId = 'e-plus', markets, id = '', body, query = {}, headers = {} }: Given = {},
): Promise<Answer> {
  const { events } = fixture;
  const route = { ...createEventRoutes({ events }), ...createEventSubscriptionRoutes({ events }) }[operation] as PlainRoute | OnceRoute;
  const request: ApiRequest = {
    caller: { partnerId, clientId: 'c', scopes: new Set(), markets },
    correlator: 'c-1',
    remoteAddress: '127.0.0.1',
    params: { eventSubscriptionId: id },
    query,
    body,
    header: (name) => headers[name.toLowerCase()],
  };
  if ('handle' in route) return await route.handle(request);
  await route.prepare?.(request);
  return await store.control.transact((tx, hints) => route.act(request, tx, hints));
}

const wanted = { sink: 'https://hooks.example/x', types: ['com.causeway.v1.order.completed'], scheme: 'v1' };

describe('an event subscription', () => {
  test('is made with a secret that no later answer shows; its ETag is that of the GET', async () => {
    const made = await call('createEventSubscription', { body: { ...wanted, description: 'ours' } });
    const { id, secret, ...rest } = made.body as { id: string; secret: string };
    expect(made.status).toBe(201);
    expect(made.headers?.['Location']).toBe(`/v1/event-subscriptions/${id}`);
    const bytes = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    expect(bytes.length).toBeGreaterThanOrEqual(24);
    expect(bytes.length).toBeLessThanOrEqual(64);
    const got = await call('getEventSubscription', { id });
    expect(got.body).toEqual({ id, ...rest });
    expect(got.body).toMatchObject({ ...wanted, description: 'ours', status: 'active', createdAt: '2026-11-22T10:00:00.000Z' });
    expect(got.headers?.['ETag']).toBe(made.headers?.['ETag']);
    expect((await call('listEventSubscriptions')).body).toEqual({ items: [got.body], hasMore: false, nextCursor: null });
  });

  test('its secret is on the disk only wrapped', async () => {
    const { secret } = await fixture.subscribe();
    await fixture.subscribe({ scheme: 'v1a' });
    const disk = Buffer.concat([...(await store.written()).values()]);
    expect(disk.includes('whe_')).toBe(true);
    expect(disk.includes(secret.slice('whsec_'.length))).toBe(false);
    expect(disk.includes('whsec_')).toBe(false);
  });

  test('is refused when its sink is at a private address or its name resolves to one', async () => {
    const bad = call('createEventSubscription', { body: { ...wanted, sink: 'https://10.0.0.1/' } });
    await expect(bad).rejects.toMatchObject({ code: 'EVENTS.SINK_NOT_ALLOWED', errors: [{ pointer: '/sink' }] });
    fixture = aFixture(store, { resolve: async () => ['8.8.8.8', '10.0.0.1'] });
    await expect(call('createEventSubscription', { body: wanted })).rejects.toMatchObject(refusal('EVENTS.SINK_NOT_ALLOWED'));
    fixture = aFixture(store, { resolve: () => Promise.reject(new Error('ENOTFOUND')) });
    await expect(call('createEventSubscription', { body: wanted })).rejects.toMatchObject(refusal('EVENTS.SINK_NOT_ALLOWED'));
  });

  test('is refused for a type that does not exist, which is named by its place', async () => {
    const types = ['com.causeway.v1.order.completed', 'com.causeway.v1.order.exploded'];
    const refused = call('createEventSubscription', { body: { ...wanted, types } });
    await expect(refused).rejects.toMatchObject({ status: 400, errors: [{ pointer: '/types/1' }] });
  });

  test("another partner's, or one that covers more markets than the token, is not there", async () => {
    const { id } = await fixture.subscribe();
    await expect(call('getEventSubscription', { id, partnerId: 'other' })).rejects.toMatchObject(refusal('NOT_FOUND'));
    await expect(call('deleteEventSubscription', { id, partnerId: 'other' })).rejects.toMatchObject(refusal('NOT_FOUND'));
    await expect(call('getEventSubscription', { id, markets: ['XS'] })).rejects.toMatchObject(refusal('NOT_FOUND'));
    expect((await call('listEventSubscriptions', { markets: ['XS'] })).body).toMatchObject({ items: [] });
  });

  test('made by a client of one market, it gets the events of that market only', async () => {
    await fixture.subscribe({ markets: ['XS'] });
    const here = anEvent({ market: 'XS' });
    await fixture.append(here, anEvent({ market: 'DE' }), anEvent({ market: 'XS', type: 'order.failed' }));
    expect((await fixture.deliveries()).map(({ eventId }) => eventId)).toEqual([here.id]);
  });

  test('ends only with the ETag as it is, and takes what waits with it', async () => {
    const { id } = await fixture.subscribe();
    await fixture.append(anEvent());
    await expect(call('deleteEventSubscription', { id })).rejects.toMatchObject({ status: 428 });
    await expect(call('deleteEventSubscription', { id, headers: { 'if-match': '"x"' } })).rejects.toMatchObject({ status: 412 });
    const etag = (await call('getEventSubscription', { id })).headers?.['ETag'] ?? '';
    expect(await call('deleteEventSubscription', { id, headers: { 'if-match': etag } })).toEqual({ status: 204 });
    expect(await fixture.deliveries()).toMatchObject([{ status: 'cancelled' }]);
    await expect(call('getEventSubscription', { id })).rejects.toMatchObject(refusal('NOT_FOUND'));
  });

  test('is one of at most fifty of a partner', async () => {
    for (let made = 0; made < 50; made++) await fixture.subscribe();
    await expect(fixture.subscribe()).rejects.toMatchObject(refusal('QUOTA_EXCEEDED'));
    await fixture.subscribe({ partnerId: 'other' });
    const first = (await call('listEventSubscriptions', { query: { limit: 30 } })).body as { items: unknown[]; nextCursor: string };
    const second = (await call('listEventSubscriptions', { query: { limit: 30, after: first.nextCursor } })).body as typeof first;
    expect([first.items.length, second.items.length, second.nextCursor]).toEqual([30, 20, null]);
    expect(new Set([...first.items, ...second.items].map((item) => (item as { id: string }).id)).size).toBe(50);
  });
});

test('GET /v1/events lists the events of the markets that the token covers', async () => {
  const here = anEvent({ market: 'XS' });
  await fixture.append(here, anEvent({ market: 'DE' }));
  expect((await call('listEvents', { markets: ['XS'], query: { limit: 10 } })).body).toMatchObject({
    items: [{ id: here.id }],
    hasMore: false,
  });
  expect((await fixture.events.subscriptions.list(all, {})).items).toEqual([]);
});
