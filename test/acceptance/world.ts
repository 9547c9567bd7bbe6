import { once } from 'node:events';
import { expect, vi } from 'vitest';
import { WebSocket } from 'ws';
import { freshIccid, freshImsi, freshMsisdn } from '../../tools/demo/numbers.js';
import type { ApiAnswer, ApiClient, CallOptions, Json } from '../fakes/api-client.js';
import type { TestGateway } from '../fakes/gateway.js';
import type { Receiver } from './receiver.js';

/** What one life of the gateway leaves behind: an id of each resource, all of them E-Plus's in market XS. */
export interface World {
  /** Path parameters by the name that the contract gives them. */
  ids: Record<string, string>;
  her: { msisdn: string; iccid: string };
  /** The statuses that each operation answered with. */
  answered: ReadonlyMap<string, ReadonlySet<number>>;
  /** What every test may go on with: E-Plus's client, with every scope. */
  partner: ApiClient;
  webhookSecret: string;
}

/** How long something that happens by itself may take on a busy machine. */
const PATIENCE = { timeout: 30_000, interval: 20 };

/** Calls each operation of the contract at least once, in the order in which the story needs them. */
export async function liveThroughEverything(gateway: TestGateway, receiver: Receiver): Promise<World> {
  const answered = new Map<string, Set<number>>();
  function note(method: string, path: string, status: number): void {
    const found = gateway.contract.match(method, new URL(path, gateway.url).pathname);
    const id = found && 'operation' in found ? found.operation.id : `${method} ${path}`;
    answered.set(id, (answered.get(id) ?? new Set()).add(status));
  }
  function watched(api: ApiClient): ApiClient {
    const call: ApiClient['call'] = async <Body>(method: string, path: string, options?: CallOptions) => {
      const answer = await api.call<Body>(method, path, options);
      note(method, path, answer.status);
      return answer;
    };
    return {
      call,
      get: (path, options) => call('GET', path, options),
      post: (path, body, options) => call('POST', path, { idempotencyKey: true, ...options, body }),
      as: (token) => watched(api.as(token)),
      token: api.token,
    };
  }
  const open = watched(gateway.api);
  const ok = async (answer: Promise<ApiAnswer<Json>>): Promise<Json> => {
    const { status, body, text } = await answer;
    expect(status, text).toBeLessThan(300);
    return body;
  };

  for (const path of ['/healthz', '/docs', '/openapi.yaml', '/.well-known/jwks.json', '/.well-known/oauth-authorization-server'])
    await ok(open.get(path));
  const partner = open.as(await gateway.token());
  note('POST', '/oauth2/token', 200);

  // The catalogue, and where events go to.
  await ok(partner.get('/v1/partner'));
  const plans = await ok(partner.get('/v1/plans?market=XS&status=published'));
  const planId: string = plans.items.find((plan: Json) => plan.code === 'messaging-sim').id;
  await ok(partner.get(`/v1/plans/${planId}`));
  await ok(partner.post(`/v1/plans/${planId}/publish`, {}));
  const sink = await ok(partner.post('/v1/event-subscriptions', { sink: receiver.url, types: receiver.types, scheme: 'v1' }));
  await ok(partner.get('/v1/event-subscriptions'));
  await ok(partner.get(`/v1/event-subscriptions/${sink.id}`));

  // Ten in the morning of the next day: nobody's quiet hours.
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  await ok(partner.post('/v1/sandbox/clock', { now: `${tomorrow}T09:00:00.000Z` }));
  await ok(partner.get('/v1/sandbox/clock'));

  // SIMs and three orders: hers, one whose plan zero-rates nothing, and one that the network refuses.
  const her = aLine();
  const [plain, refused] = [aLine(), aLine()];
  const sims = [{ iccid: her.iccid, imsi: freshImsi() }, { iccid: plain.iccid }, { iccid: refused.iccid }];
  const batch = await ok(partner.post('/v1/sim-batches', { market: 'XS', sims }));
  const simId: string = batch.items[0].simId;
  await ok(partner.get('/v1/sims'));
  await ok(partner.get(`/v1/sims/${simId}`));
  await ok(partner.post('/v1/sims/search', { iccid: her.iccid }));
  const order = await ok(partner.post('/v1/orders', anOrder(planId, her)));
  const unitsPlan: string = plans.items.find((plan: Json) => plan.code === 'units-600').id;
  const plainOrder = await ok(partner.post('/v1/orders', anOrder(unitsPlan, plain)));
  const refusedOrder = await ok(partner.post('/v1/orders', anOrder(planId, refused)));
  await ok(partner.get('/v1/orders'));
  const taskId = await taskOf(order.id);
  await ok(partner.get('/v1/tasks?status=awaitingOperator'));
  const { subscriptionId } = await ok(partner.get(`/v1/tasks/${taskId}`));
  await ok(partner.post(`/v1/tasks/${taskId}/confirmation`, { operatorReference: 'HLR-1' }));
  await ok(partner.post(`/v1/tasks/${await taskOf(plainOrder.id)}/confirmation`, { operatorReference: 'HLR-2' }));
  await ok(partner.post(`/v1/tasks/${await taskOf(refusedOrder.id)}/rejection`, { reason: 'The SIM is barred in the HLR.' }));
  const subscription = await ok(partner.get(`/v1/subscriptions/${subscriptionId}`));
  expect(subscription.status).toBe('active');
  await ok(partner.post('/v1/subscriptions/search', { msisdn: her.msisdn }));

  async function taskOf(orderId: string): Promise<string> {
    return vi.waitFor(async () => {
      const { items } = await ok(partner.get(`/v1/orders/${orderId}`));
      expect(items[0].taskId).toBeDefined();
      return items[0].taskId as string;
    }, PATIENCE);
  }

  // Zero-rating.
  const { items: plainLines } = await ok(partner.post('/v1/subscriptions/search', { msisdn: plain.msisdn }));
  await ok(partner.call('PUT', `/v1/subscriptions/${plainLines[0].id}/entitlements/messaging-text`, { body: anEntitlement }));
  const lists = await ok(partner.get('/v1/traffic-lists'));
  expect(lists.items.length).toBeGreaterThan(0);
  const list = await ok(partner.get('/v1/traffic-lists/messaging-text'));
  for (const format of ['pfd', 'cidr', 'csv']) await ok(partner.get(`/v1/traffic-lists/messaging-text/export?format=${format}`));
  const deployed = { version: list.version, deployedAt: new Date().toISOString() };
  await ok(partner.post('/v1/traffic-lists/messaging-text/acknowledgements', deployed));
  await ok(partner.get('/v1/entitlements/snapshot'));
  await ok(partner.get('/v1/entitlements/changes'));
  await ok(partner.post('/v1/entitlements/decision', { msisdn: her.msisdn, trafficClass: 'messaging-text' }));

  // Two phones; hers is away, and a notice is armed.
  const hers = await registered(her.msisdn);
  const friend = await registered(freshMsisdn());
  const phone = open.as(friend.accessToken);
  const herPhone = open.as(hers.accessToken);
  await ok(open.call('POST', '/messaging/v1/token', { body: { deviceId: friend.deviceId, deviceSecret: friend.deviceSecret } }));
  for (const each of [phone, herPhone]) await ok(each.call('PUT', '/messaging/v1/keys', { body: someKeys }));
  await ok(phone.get('/messaging/v1/keys/count'));
  const ask = (path: string, body: unknown) => ok(phone.call('POST', `/messaging/v1/${path}`, { body }));
  await ask('contacts/search', { msisdns: [her.msisdn] });
  await ask('keys/query', { accountIds: [hers.accountId] });
  await ask('keys/claim', { devices: [{ accountId: hers.accountId, deviceId: hers.deviceId }] });
  await ok(phone.get('/messaging/v1/bridge-keys'));
  const sent = await ok(
    phone.call('PUT', `/messaging/v1/messages/${hers.accountId}`, {
      body: {
        clientMsgId: 'c1',
        ref: '7QKD',
        devices: [{ deviceId: hers.deviceId, registrationId: 4711, suite: 'olm-1', body: 'bm9ib2R5IGNhbiByZWFkIHRoaXM' }],
        fallback: { mode: 'notice', class: 'chat', afterSeconds: 300 },
      },
    }),
  );
  const fallbackId: string = sent.fallback.id;
  await openedStream(friend.accessToken);
  note('GET', '/messaging/v1/stream', 101);

  async function registered(msisdn: string): Promise<Json> {
    const { token } = await ok(partner.post('/v1/sandbox/number-verification-tokens', { msisdn }));
    const verification = { method: 'number-verification', token };
    const device = { name: 'Phone', registrationId: 4711, platform: 'bot' };
    return ok(open.call('POST', '/messaging/v1/accounts', { body: { msisdn, verification, device, language: 'de' } }));
  }
  async function openedStream(token: string): Promise<void> {
    const url = `${gateway.url.replace('http', 'ws')}/messaging/v1/stream`;
    const socket = new WebSocket(url, ['causeway.v1'], { headers: { authorization: `Bearer ${token}` } });
    await once(socket, 'open');
    const closed = once(socket, 'close');
    socket.close();
    await closed;
  }

  // The timer fires; the SMS goes out; she answers; her phone comes back.
  await ok(partner.post('/v1/sandbox/clock', { advanceSeconds: 301 }));
  const fallback = await vi.waitFor(async () => {
    const now = await ok(partner.get(`/v1/fallbacks/${fallbackId}`));
    expect(now.state, now.reason).toBe('delivered');
    return now;
  }, PATIENCE);
  await ok(partner.get('/v1/fallbacks'));
  await ok(partner.get(`/v1/sms-messages/${fallback.smsId}`));
  await ok(partner.get('/v1/smpp-links'));
  const handset = await ok(partner.get('/v1/sandbox/sms-messages'));
  expect(handset.items.filter((sms: Json) => sms.to === her.msisdn)).toHaveLength(1);
  await ok(partner.post('/v1/sandbox/inbound-sms', { from: her.msisdn, to: '+9995790000001', text: 'On my way' }));
  const queue = await ok(herPhone.get('/messaging/v1/queue'));
  const envelopeIds = queue.items.map((envelope: Json) => envelope.envelopeId);
  await ok(herPhone.call('POST', '/messaging/v1/queue/acks', { body: { envelopeIds } }));

  // What it all left behind.
  await ok(partner.post('/v1/line-events', { type: 'simSwapped', msisdn: her.msisdn, occurredAt: new Date().toISOString() }));
  await ok(partner.get(`/v1/subscriptions/${subscriptionId}/timeline`));
  await ok(partner.get('/v1/events'));
  const spare = await ok(partner.post('/v1/event-subscriptions', { sink: receiver.url, types: receiver.types, scheme: 'v1' }));
  const { headers } = await partner.get(`/v1/event-subscriptions/${spare.id}`);
  await ok(
    partner.call('DELETE', `/v1/event-subscriptions/${spare.id}`, {
      headers: { 'if-match': headers.get('etag') ?? '' },
      idempotencyKey: true,
    }),
  );

  const ids = {
    ...{ planId, simId, orderId: order.id, taskId, subscriptionId, fallbackId, smsId: fallback.smsId },
    ...{ eventSubscriptionId: sink.id, accountId: hers.accountId, trafficClass: 'messaging-text' },
  };
  return { ids, her, answered, partner: gateway.api.as(await gateway.token()), webhookSecret: sink.secret };
}

/** A number and a card of E-Plus's sandbox ranges that nobody has. */
export const aLine = () => ({ msisdn: freshMsisdn(), iccid: freshIccid() });

/** An order of one line. */
export const anOrder = (planId: string, { iccid, msisdn }: { iccid: string; msisdn: string }) => ({
  market: 'XS',
  items: [{ action: 'add', planId, iccid, msisdn }],
});

export const anEntitlement = {
  kind: 'app-specific',
  cap: { bytes: 1_000_000_000, period: 'P30D' },
  onExhaust: { action: 'throttle', bitsPerSecond: 56_000 },
};

const someKeys = {
  identity: { suite: 'olm-1', body: 'aWRlbnRpdHk' },
  oneTimeKeys: [{ id: 'otk-1', body: 'b25lLXRpbWU' }],
  fallbackKeys: [{ id: 'fbk-1', body: 'ZmFsbGJhY2s' }],
  replyKey: { suite: 'hpke-1', publicKey: Buffer.alloc(32, 7).toString('base64url') },
};
