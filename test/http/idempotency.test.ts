import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createIdempotency } from '../../src/http/idempotency.js';
import type { OnceRoute } from '../../src/http/index.js';
import { createKeyWrap } from '../../src/identity/index.js';
import { newId } from '../../src/kernel/ids.js';
import { createLog } from '../../src/kernel/log.js';
import type { ApiClient } from '../fakes/api-client.js';
import { createFakeClock, type FakeClock } from '../fakes/clock.js';
import { aClient, startTestEdge, type TestEdge } from '../fakes/gateway.js';

const planId = newId('pln', 0);
const anOrder = (n = 1) => ({
  market: 'XS',
  items: [{ action: 'add', planId, iccid: '8999957900000000017', msisdn: `+99957900001${10 + n}` }],
});

let edge: TestEdge;
let api: ApiClient;
let clock: FakeClock;
let acted: number;
let after: number;
let next: (() => Promise<void>) | undefined;
let answerStatus: number;

// The effect is a row in the same transaction as the key: what counts as acting once is what is committed.
const createOrder: OnceRoute = {
  async act(request, tx) {
    acted += 1;
    await tx.outboxItem.create({ data: { id: `effect-${acted}`, topic: 'test', payload: '{}', createdAt: new Date(0) } });
    await next?.();
    const body =
      answerStatus === 201 ? { ...edge.example('createOrder', 201), externalId: `${request.caller.partnerId}-${acted}` } : undefined;
    return { status: answerStatus, body, headers: { location: '/v1/orders/ord_00000000000000000000000000' } };
  },
  async after() {
    after += 1;
  },
};
const effects = () => edge.store.control.read.outboxItem.count();
const keys = () => edge.store.control.read.idempotencyKey.count();

beforeEach(async () => {
  clock = createFakeClock();
  [acted, after, next, answerStatus] = [0, 0, undefined, 201];
  edge = await startTestEdge({
    clock,
    clients: [aClient(), aClient({ id: 'cw', partnerId: 'cable-and-wireless' })],
    routes: { partner: { createOrder } },
  });
  api = await edge.as();
});
afterEach(() => edge.close());

describe('the key', () => {
  test('is required where the contract says so', async () => {
    const answer = await api.call('POST', '/v1/orders', { body: anOrder() });
    expect([answer.status, answer.body.code]).toEqual([400, 'IDEMPOTENCY.KEY_MISSING']);
    expect(answer.body.errors[0].pointer).toBe('/header/Idempotency-Key');
    expect(acted).toBe(0);
  });

  test('has at most 255 visible characters', async () => {
    expect((await api.post('/v1/orders', anOrder(), { idempotencyKey: 'k'.repeat(255) })).status).toBe(201);
    for (const key of ['k'.repeat(256), 'a b']) {
      const answer = await api.post('/v1/orders', anOrder(), { idempotencyKey: key });
      expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, '/header/Idempotency-Key']);
    }
  });
});

describe('a repeat', () => {
  test('gets the first answer, byte for byte, marked as replayed, and changes nothing', async () => {
    const body = anOrder();
    const first = await api.post('/v1/orders', body, { idempotencyKey: 'one' });
    const reordered = { items: body.items, market: body.market };
    const second = await api.post('/v1/orders', reordered, { idempotencyKey: 'one' });
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.text).toBe(first.text);
    for (const header of ['etag', 'location']) expect(second.headers.get(header)).toBe(first.headers.get(header));
    expect([first.headers.get('idempotency-replayed'), second.headers.get('idempotency-replayed')]).toEqual([null, 'true']);
    expect([acted, await effects(), after]).toEqual([1, 1, 2]);
  });

  test('with another body is 422', async () => {
    await api.post('/v1/orders', anOrder(1), { idempotencyKey: 'one' });
    const answer = await api.post('/v1/orders', anOrder(2), { idempotencyKey: 'one' });
    expect([answer.status, answer.body.code]).toEqual([422, 'IDEMPOTENCY.KEY_REUSED']);
    expect(acted).toBe(1);
  });

  test("of another partner with the same key is the other partner's own request", async () => {
    await api.post('/v1/orders', anOrder(), { idempotencyKey: 'one' });
    const other = await (await edge.as('cw')).post('/v1/orders', anOrder(), { idempotencyKey: 'one' });
    expect(other.headers.get('idempotency-replayed')).toBeNull();
    expect(other.body.externalId).toBe('cable-and-wireless-2');
  });

  test('at the same instant acts once; the others are told to come back', async () => {
    const body = anOrder();
    const answers = await Promise.all(Array.from({ length: 8 }, () => api.post('/v1/orders', body, { idempotencyKey: 'same' })));
    const fresh = answers.filter((answer) => answer.status === 201 && answer.headers.get('idempotency-replayed') === null);
    const others = answers.filter((answer) => !fresh.includes(answer));
    expect(fresh).toHaveLength(1);
    for (const other of others) {
      if (other.status === 201) expect(other.headers.get('idempotency-replayed')).toBe('true');
      else expect([other.status, other.body.code, other.headers.get('retry-after')]).toEqual([409, 'IDEMPOTENCY.IN_FLIGHT', '1']);
    }
    expect([acted, await effects(), await keys()]).toEqual([1, 1, 1]);
  });

  test('while the first one runs is 409 with Retry-After, and with another body 422', async () => {
    let finish = () => {};
    const running = new Promise<void>((resolve) => {
      next = () => {
        resolve();
        return new Promise<void>((end) => {
          finish = end;
        });
      };
    });
    const first = api.post('/v1/orders', anOrder(1), { idempotencyKey: 'slow' });
    await running;
    expect((await api.post('/v1/orders', anOrder(1), { idempotencyKey: 'slow' })).body.code).toBe('IDEMPOTENCY.IN_FLIGHT');
    expect((await api.post('/v1/orders', anOrder(2), { idempotencyKey: 'slow' })).body.code).toBe('IDEMPOTENCY.KEY_REUSED');
    finish();
    expect((await first).status).toBe(201);
  });
});

describe('what is kept', () => {
  // A stored answer may hold a secret that is shown once.
  test('rests wrapped: the row does not show the answer', async () => {
    const { body } = await api.post('/v1/orders', anOrder(), { idempotencyKey: 'one' });
    const rows = JSON.stringify(await edge.store.control.read.idempotencyKey.findMany());
    expect(body.externalId).toBe('e-plus-1');
    expect(rows).not.toContain('e-plus-1');
  });

  test('effect and key are one commit: when the route throws, neither is there and the key is free', async () => {
    next = () => Promise.reject(new Error('no'));
    expect((await api.post('/v1/orders', anOrder(), { idempotencyKey: 'one' })).status).toBe(500);
    expect([await effects(), await keys()]).toEqual([0, 0]);
    next = undefined;
    const again = await api.post('/v1/orders', anOrder(), { idempotencyKey: 'one' });
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, null]);
  });

  test('an answer of 5xx is not kept, nor is what it did', async () => {
    answerStatus = 503;
    await api.post('/v1/orders', anOrder(), { idempotencyKey: 'one' }).catch(() => undefined);
    expect([acted, await effects(), await keys(), after]).toEqual([1, 0, 0, 0]);
  });

  test('for 72 hours: then the same key acts again, and a sweep has deleted the row', async () => {
    const own = createFakeClock();
    const keyWrap = createKeyWrap(randomBytes(32));
    const idempotency = createIdempotency({ store: edge.store.control, keyWrap, clock: own, log: createLog('silent') });
    const caller = { partnerId: 'e-plus', clientId: 'c', scopes: new Set<string>(), markets: undefined };
    const request = { caller, correlator: 'c', remoteAddress: '', params: {}, query: {}, body: { a: 1 }, header: () => undefined };
    const route: OnceRoute = { act: async () => ({ status: 201, body: { n: ++acted } }) };
    const once = (key: string) => idempotency.once(route, request, { method: 'POST', path: '/x', key });
    await once('a');
    await once('b');
    await idempotency.close();
    await own.advance(72 * 3_600_000 - 1);
    expect((await once('a')).headers).toEqual({ 'Idempotency-Replayed': 'true' });
    await own.advance(1);
    expect(await once('a')).toEqual({ status: 201, body: { n: 3 } });
    const sweeping = createIdempotency({ store: edge.store.control, keyWrap, clock: own, log: createLog('silent') });
    await own.advance(600_000);
    await expect.poll(keys).toBe(1);
    await sweeping.close();
  });

  test('a sweep forgets what expired however much it is, and nothing else', async () => {
    const own = createFakeClock();
    const answer = { partnerId: 'p', method: 'POST', path: '/x', fingerprint: 'f', status: 201, headers: '{}', body: '' };
    const past = new Date(own.now());
    const rows = Array.from({ length: 450 }, (_, n) => ({ ...answer, key: `old ${n}`, createdAt: past, expiresAt: past }));
    const kept = { ...answer, key: 'kept', createdAt: past, expiresAt: new Date(own.now() + 1) };
    await edge.store.control.transact((tx) => tx.idempotencyKey.createMany({ data: [...rows, kept] }));
    const given = { store: edge.store.control, keyWrap: createKeyWrap(randomBytes(32)), clock: own, log: createLog('silent') };
    const idempotency = createIdempotency(given);
    await idempotency.sweep();
    await idempotency.close();
    expect((await edge.store.control.read.idempotencyKey.findMany()).map(({ key }) => key)).toEqual(['kept']);
  });
});
