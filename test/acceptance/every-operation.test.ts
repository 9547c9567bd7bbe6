import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Operation } from '../../src/http/contract.js';
import { PARTNER_SCOPES } from '../../src/identity/index.js';
import type { Json } from '../fakes/api-client.js';
import { startTestGateway, type TestGateway } from '../fakes/gateway.js';
import { type Receiver, startReceiver } from './receiver.js';
import { liveThroughEverything, type World } from './world.js';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

let gateway: TestGateway;
let receiver: Receiver;
let world: World;

beforeAll(async () => {
  receiver = await startReceiver();
  gateway = await startTestGateway();
  world = await liveThroughEverything(gateway, receiver);
});
afterAll(async () => {
  await gateway?.close();
  await receiver?.close();
});

test('every operation of the contract answers with success at least once, and none with a failure of ours', () => {
  const never = gateway.contract.operations.filter(({ id }) => ![...(world.answered.get(id) ?? [])].some((status) => status < 300));
  expect(never.map(({ id }) => id)).toEqual([]);
  const failed = [...world.answered].filter(([, statuses]) => [...statuses].some((status) => status >= 500));
  expect(failed).toEqual([]);
});

const partnerOperations = (): Operation[] => gateway.contract.operations.filter(({ audience }) => audience === 'partner');

/** The operation's path with the world's own ids in it. */
const pathOf = ({ template }: Operation): string => template.replace(/\{(\w+)\}/g, (_, name: string) => world.ids[name] ?? '');

/** The example that the contract gives for the body of a request. */
function exampleBody({ template, method }: Operation): Json {
  const paths: Json = gateway.contract.document['paths'];
  return paths[template][method.toLowerCase()].requestBody?.content?.['application/json']?.example;
}

function callBlindly(token: string, operation: Operation) {
  const body = exampleBody(operation);
  return gateway.api.as(token).call(operation.method, pathOf(operation), {
    ...(body === undefined ? {} : { body }),
    idempotencyKey: true,
    headers: { 'if-match': '"anything"' },
  });
}

test("each resource of another partner's is 404, whatever is asked of it", async () => {
  const stranger = await gateway.token('cable-and-wireless');
  const own = partnerOperations().filter(({ template }) => /\{\w+Id\}/.test(template));
  expect(own.length).toBeGreaterThan(12);
  const answers = await Promise.all(own.map(async (operation) => [operation.id, (await callBlindly(stranger, operation)).status]));
  expect(answers).toEqual(own.map(({ id }) => [id, 404]));
});

test('lists, searches and feeds of another partner show nothing of ours', async () => {
  const stranger = gateway.api.as(await gateway.token('cable-and-wireless'));
  const ours = Object.entries(world.ids).filter(([name]) => name !== 'trafficClass');
  const reads = partnerOperations().filter(({ method, template }) => method === 'GET' && !template.includes('{'));
  for (const { template } of reads) {
    const { status, text } = await stranger.get(template);
    expect(status, `${template}: ${text}`).toBe(200);
    for (const [name, id] of ours) expect(text.includes(id), `${template} shows ${name}`).toBe(false);
  }
  expect((await stranger.post('/v1/sims/search', { iccid: world.her.iccid })).body.items).toEqual([]);
  expect((await stranger.post('/v1/subscriptions/search', { msisdn: world.her.msisdn })).body.items).toEqual([]);
});

test('each operation without its scope is 403, and detail, hint and WWW-Authenticate name the scope', async () => {
  const scoped = partnerOperations().filter(({ scopes }) => scopes.length > 0);
  expect(scoped.length).toBeGreaterThan(30);
  for (const scope of new Set(scoped.flatMap(({ scopes }) => scopes))) {
    const without = await gateway.token('e-plus', PARTNER_SCOPES.filter((one) => one !== scope).join(' '));
    for (const operation of scoped.filter(({ scopes }) => scopes.includes(scope))) {
      const { status, body, headers } = await callBlindly(without, operation);
      expect(status, operation.id).toBe(403);
      expect(body).toMatchObject({
        code: 'PERMISSION_DENIED',
        detail: expect.stringContaining(scope),
        hint: expect.stringContaining(scope),
      });
      expect(headers.get('www-authenticate')).toContain(`scope="${scope}"`);
    }
  }
});

test('each operation without a token is 401 and says how to get one', async () => {
  for (const operation of gateway.contract.operations.filter(({ audience, id }) => audience !== 'public' && id !== 'openStream')) {
    const body = exampleBody(operation);
    const answer = await gateway.api.call(operation.method, pathOf(operation), {
      ...(body === undefined ? {} : { body }),
      idempotencyKey: true,
    });
    expect(answer.status, operation.id).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer /);
  }
});

test('each body with a property that the contract does not know is 400 and points at it', async () => {
  const token = await gateway.token();
  const withBody = partnerOperations().filter((operation) => exampleBody(operation) !== undefined);
  expect(withBody.length).toBeGreaterThan(12);
  for (const operation of withBody) {
    const { status, body } = await gateway.api.as(token).call(operation.method, pathOf(operation), {
      body: { ...exampleBody(operation), colour: 'red' },
      idempotencyKey: true,
      headers: { 'if-match': '"anything"' },
    });
    expect(status, operation.id).toBe(400);
    expect(
      body.errors.map(({ pointer }: Json) => pointer),
      operation.id,
    ).toContain('/colour');
  }
});

test('the correlator of a request is echoed and carried into its event and its webhook', async () => {
  const correlator = `acceptance-${crypto.randomUUID()}`;
  const answer = await world.partner.post(
    '/v1/line-events',
    { type: 'barred', msisdn: world.her.msisdn, occurredAt: new Date().toISOString() },
    { headers: { 'x-correlator': correlator } },
  );
  expect(answer.headers.get('x-correlator')).toBe(correlator);
  const event = (await everyEvent()).find((one) => one.correlator === correlator);
  expect(event).toMatchObject({ type: 'com.causeway.v1.line.changed', partnerid: 'e-plus', market: 'XS' });
  await vi.waitFor(() => expect(receiver.deliveries().map(({ headers }) => headers['webhook-id'])).toContain(event.id), {
    timeout: 30_000,
    interval: 20,
  });

  async function everyEvent(): Promise<Json[]> {
    const events: Json[] = [];
    for (let after = ''; ; ) {
      const { body } = await world.partner.get(`/v1/events?limit=200${after}`);
      events.push(...body.items);
      if (!body.hasMore) return events;
      after = `&after=${encodeURIComponent(body.nextCursor)}`;
    }
  }
});

test('webhooks come for what happened, verify with the standardwebhooks package, and are CloudEvents', async () => {
  const wanted = [...receiver.types].sort();
  await vi.waitFor(() => expect(typesReceived()).toEqual(wanted), { timeout: 30_000, interval: 20 });
  const webhook = new Webhook(world.webhookSecret.replace(/^whsec_/, ''));
  for (const { headers, body } of receiver.deliveries()) {
    const event = webhook.verify(body, headers as Record<string, string>) as Json;
    expect(event).toMatchObject({ specversion: '1.0', id: headers['webhook-id'], type: expect.stringMatching(/^com\.causeway\.v1\./) });
    expect(() => webhook.verify(body.replace('1.0', '1.1'), headers as Record<string, string>)).toThrow();
  }

  function typesReceived(): string[] {
    return [...new Set(receiver.deliveries().map(({ body }) => (JSON.parse(body) as { type: string }).type))].sort();
  }
});

test('no line of the log and no answer of an error holds a number, a card, a token or a text', async () => {
  const bad = await world.partner.post('/v1/subscriptions/search', { msisdn: `${world.her.msisdn}x` });
  expect(bad.status).toBe(400);
  const log = gateway.logged().join('');
  const token = await gateway.token();
  for (const secret of [world.her.msisdn.slice(1), world.her.iccid, token, world.webhookSecret, 'On my way'])
    for (const text of [log, bad.text]) expect(text.includes(secret)).toBe(false);
});
