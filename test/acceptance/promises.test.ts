import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { freshImsi } from '../../tools/demo/numbers.js';
import type { ApiClient, Json } from '../fakes/api-client.js';
import { startTestGateway, type TestGateway } from '../fakes/gateway.js';
import { aLine, anEntitlement, anOrder } from './world.js';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let gateway: TestGateway;
let api: ApiClient;
let planId: string;
const folder = mkdtempSync(join(tmpdir(), 'causeway-partners-'));

beforeAll(async () => {
  gateway = await startTestGateway({ env: { CAUSEWAY_PARTNERS_DIR: partnersWithLinesInGermany() } });
  api = await gateway.as();
  planId = await planOf('XS', 'messaging-sim');
});
afterAll(async () => {
  await gateway?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Market DE is only described in partners/: here E-Plus has cards in it, so that there can be a line. */
function partnersWithLinesInGermany(): string {
  cpSync(fileURLToPath(new URL('../../partners/', import.meta.url)), folder, { recursive: true });
  const file = join(folder, 'e-plus', 'partner.yaml');
  const text = readFileSync(file, 'utf8').replace('    mccMnc: ["26203"]\n', '    mccMnc: ["26203"]\n    iccidPrefixes: ["894922"]\n');
  writeFileSync(file, text);
  return folder;
}

async function planOf(market: string, code: string): Promise<string> {
  const { body } = await api.get(`/v1/plans?market=${market}`);
  return body.items.find((plan: Json) => plan.code === code).id;
}

/** A line of E-Plus in market XS whose SIM is in stock. */
async function stockedLine(): Promise<{ msisdn: string; iccid: string }> {
  const line = aLine();
  const { body } = await api.post('/v1/sim-batches', { market: 'XS', sims: [{ iccid: line.iccid, imsi: freshImsi() }] });
  expect(body.succeeded).toBe(1);
  return line;
}

const orders = async (): Promise<Json[]> => (await api.get('/v1/orders?limit=200')).body.items;

/** The fields that a problem names, each once. */
const pointers = ({ errors }: Json): string[] => [...new Set<string>(errors.map(({ pointer }: Json) => pointer))];

test('a bad MSISDN is 400 with a pointer to it, and the number is not repeated', async () => {
  const { iccid } = await stockedLine();
  for (const msisdn of ['+9995', '9995701234567', '+9995701234567890', '+9995701x34567', '']) {
    const order = await api.post('/v1/orders', anOrder(planId, { iccid, msisdn }));
    expect(order.status, msisdn).toBe(400);
    expect(pointers(order.body)).toEqual(['/items/0/msisdn']);
    if (msisdn !== '') expect(order.text.includes(msisdn)).toBe(false);
    const search = await api.post('/v1/subscriptions/search', { msisdn });
    expect(search.status, msisdn).toBe(400);
    expect(pointers(search.body)).toEqual(['/msisdn']);
  }
});

test('the E-Plus offer of 2014, dated today in market DE, is 422 ZERO_RATING.NOT_PERMITTED_IN_MARKET, with the law and what may be had', async () => {
  const draft = await planOf('DE', 'messaging-sim');
  for (const request of [{}, { effectiveAt: new Date().toISOString() }]) {
    const { status, body } = await api.post(`/v1/plans/${draft}/publish`, request);
    expect({ status, code: body.code }).toEqual({ status: 422, code: 'ZERO_RATING.NOT_PERMITTED_IN_MARKET' });
    expect(body.detail).toContain('C-854/19');
    expect(body.hint).toContain('application-agnostic');
  }
  expect((await api.get(`/v1/plans/${draft}`)).body.status).toBe('draft');
  expect((await api.post(`/v1/plans/${planId}/publish`, {})).status, 'in the sandbox market it passes').toBe(200);
  expect((await api.post(`/v1/plans/${await planOf('DE', 'basic-data')}/publish`, {})).status, 'what DE can have').toBe(200);
});

test('a line in market DE gets no app-specific entitlement either, and may have what treats all traffic alike', async () => {
  const line = { msisdn: '+4915701234567', iccid: '8949220000000000012' };
  const batch = await api.post('/v1/sim-batches', { market: 'DE', sims: [{ iccid: line.iccid }] });
  const order = await api.post('/v1/orders', { ...anOrder(await planOf('DE', 'basic-data'), line), market: 'DE' });
  expect([batch.status, order.status], `${batch.text} ${order.text}`).toEqual([201, 201]);
  const subscriptionId = await activeLine(order.body.id);
  const put = (trafficClass: string, body: unknown) =>
    api.call('PUT', `/v1/subscriptions/${subscriptionId}/entitlements/${trafficClass}`, { body });
  for (const kind of ['app-specific', 'open-class']) {
    const { status, body } = await put('messaging-text', { ...anEntitlement, kind });
    expect({ status, code: body.code }).toEqual({ status: 422, code: 'ZERO_RATING.NOT_PERMITTED_IN_MARKET' });
  }
  // The plan's own treatment of all traffic is what the law leaves room for.
  const { body } = await api.get(`/v1/subscriptions/${subscriptionId}`);
  expect(body.entitlements.map(({ trafficClass, status }: Json) => [trafficClass, status])).toEqual([['all', 'active']]);
});

/** Confirms the order's task. @returns its subscription. */
async function activeLine(orderId: string): Promise<string> {
  const taskId = await vi.waitFor(
    async () => {
      const { body } = await api.get(`/v1/orders/${orderId}`);
      expect(body.items[0].taskId).toBeDefined();
      return body.items[0].taskId as string;
    },
    { timeout: 30_000, interval: 20 },
  );
  const { body } = await api.post(`/v1/tasks/${taskId}/confirmation`, { operatorReference: 'HLR-1' });
  expect(body.status).toBe('confirmed');
  return body.subscriptionId;
}

test('the same POST twice with one Idempotency-Key acts once; another body under it is 422', async () => {
  const line = await stockedLine();
  const before = (await orders()).length;
  const idempotencyKey = crypto.randomUUID();
  const first = await api.post('/v1/orders', anOrder(planId, line), { idempotencyKey });
  const second = await api.post('/v1/orders', anOrder(planId, line), { idempotencyKey });
  expect([first.status, second.status]).toEqual([201, 201]);
  expect(second.text).toBe(first.text);
  expect(first.headers.get('idempotency-replayed')).toBeNull();
  expect(second.headers.get('idempotency-replayed')).toBe('true');
  expect(await orders()).toHaveLength(before + 1);
  const other = await api.post('/v1/orders', anOrder(planId, await stockedLine()), { idempotencyKey });
  expect(other.status).toBe(422);
  expect(await orders()).toHaveLength(before + 1);
});

test('the same POST many times at the same instant acts once', async () => {
  const line = await stockedLine();
  const before = (await orders()).length;
  const idempotencyKey = crypto.randomUUID();
  const answers = await Promise.all(Array.from({ length: 12 }, () => api.post('/v1/orders', anOrder(planId, line), { idempotencyKey })));
  const made = answers.filter(({ status }) => status === 201);
  expect(made.length).toBeGreaterThan(0);
  for (const answer of answers) expect([201, 409]).toContain(answer.status);
  expect(new Set(made.map(({ body }) => body.id)).size).toBe(1);
  expect(made.filter(({ headers }) => headers.get('idempotency-replayed') === null)).toHaveLength(1);
  expect(await orders()).toHaveLength(before + 1);
});

test('an order without an Idempotency-Key is 400, since money moves', async () => {
  const answer = await api.call('POST', '/v1/orders', { body: anOrder(planId, aLine()) });
  expect(answer.status).toBe(400);
  expect(answer.body.errors.map(({ pointer }: Json) => pointer.toLowerCase())).toEqual(['/header/idempotency-key']);
});

test('a traffic list has a strong ETag, and asked for again with it is 304 without a body', async () => {
  for (const path of ['/v1/traffic-lists', '/v1/traffic-lists/messaging-text', '/v1/traffic-lists/messaging-text/export?format=pfd']) {
    const first = await api.get(path);
    const etag = first.headers.get('etag') ?? '';
    expect(etag, path).toMatch(/^"[^"]+"$/);
    const again = await api.get(path, { headers: { 'if-none-match': etag } });
    expect({ status: again.status, text: again.text, etag: again.headers.get('etag') }).toEqual({ status: 304, text: '', etag });
    expect((await api.get(path, { headers: { 'if-none-match': '"another"' } })).status).toBe(200);
  }
});

test('answers say how much may still be asked', async () => {
  const { headers } = await api.get('/v1/partner');
  expect(headers.get('ratelimit-policy')).toMatch(/q=200;w=1\b/);
  expect(headers.get('ratelimit')).toMatch(/r=\d+/);
});

test('the test clock moves domain time of one partner, and no token with it', async () => {
  const other = await gateway.as('cable-and-wireless');
  const now = new Date(Date.now() + 3_600_000).toISOString();
  const moved = await api.post('/v1/sandbox/clock', { now });
  expect(Math.abs(Date.parse(moved.body.now) - Date.parse(now))).toBeLessThan(60_000);
  const later = await api.post('/v1/sandbox/clock', { advanceSeconds: 600 });
  expect(Date.parse(later.body.now) - Date.parse(moved.body.now)).toBeGreaterThanOrEqual(600_000);
  const theirs = await other.get('/v1/sandbox/clock');
  expect(Math.abs(Date.parse(theirs.body.now) - Date.now())).toBeLessThan(60_000);
  // Tokens live in the wall clock's time: the one that was issued before still holds.
  expect((await api.get('/v1/partner')).status).toBe(200);
});
