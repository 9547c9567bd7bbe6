import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { ApiRequest, PlainRoute } from '../../src/http/route.js';
import { createFallbackRoutes } from '../../src/http/routes/fallbacks.js';
import { createSmppLinkRoutes } from '../../src/http/routes/smpp-links.js';
import { createSmsMessageRoutes } from '../../src/http/routes/sms-messages.js';
import { newId } from '../../src/kernel/ids.js';
import { createFallbackPolicy, type SmsBridge } from '../../src/sms/index.js';
import { LETTERS, openSmsRig, type Person, type SmsRig } from './rig.js';

const contract = parse(readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8')) as { components: unknown };
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema({ $id: 'contract', components: contract.components });

/** Throws what the contract has against a body. */
function matches(schema: string, body: unknown): void {
  ajv.validate({ $ref: `contract#/components/schemas/${schema}` }, JSON.parse(JSON.stringify(body)));
  expect(ajv.errors).toBeNull();
}

let rig: SmsRig;
let he: Person;
let she: Person;
beforeEach(async () => {
  rig = await openSmsRig();
  await rig.bound();
  he = await rig.person('+999571111111');
  she = await rig.person('+999571234567');
});
afterEach(() => rig.close());

function call(route: unknown, more: { params?: object; query?: object; partnerId?: string; markets?: string[] }) {
  const caller = { partnerId: more.partnerId ?? 'e-plus', clientId: 'c', scopes: new Set(), markets: more.markets };
  return (route as PlainRoute).handle({ caller, params: more.params ?? {}, query: more.query ?? {} } as unknown as ApiRequest);
}

test('an SMS is shown as the contract has it, to its partner and its market only', async () => {
  const { id } = await rig.fallback(he, she, 'x');
  rig.fire();
  await rig.within(async () => (await rig.get(id)).state === 'delivered');
  const smsId = (await rig.get(id)).smsId;
  const route = createSmsMessageRoutes(rig)['getSmsMessage'];
  const { body } = await call(route, { params: { smsId } });
  matches('SmsMessage', body);
  const { clientMsgId } = await rig.get(id);
  expect(body, 'the correlator of the request that the sender wrote with').toMatchObject({ correlator: `req-${clientMsgId}` });
  expect(JSON.stringify(body)).not.toContain('571234567');
  await expect(call(route, { params: { smsId }, partnerId: 'cable-and-wireless' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(call(route, { params: { smsId }, markets: ['DE'] })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  for (const event of await rig.events()) expect(event.correlator).toBe(`req-${clientMsgId}`);
  for (const event of await rig.events()) matches('SmsEventPayload', { resource: event.resource, previous: event.previous });
});

test('fallbacks are listed newest first, by page and by state', async () => {
  const routes = createFallbackRoutes({ fallbacks: rig.engine.fallbacks, sms: rig.sms });
  const first = await rig.fallback(he, she, '1');
  await rig.clock.advance(1);
  const second = await rig.fallback(he, she, '2');
  const page = await call(routes['listFallbacks'], { query: { limit: 1 } });
  matches('FallbackList', page.body);
  expect(page.body).toMatchObject({ items: [{ id: second.id, state: 'armed' }], hasMore: true });
  const after = (page.body as { nextCursor: string }).nextCursor;
  expect((await call(routes['listFallbacks'], { query: { limit: 1, after } })).body).toMatchObject({
    items: [{ id: first.id }],
    hasMore: false,
  });
  const [envelope] = (await rig.engine.calls.readQueue(she, 10)).items;
  await rig.engine.calls.ackQueue(she, { envelopeIds: [envelope?.envelopeId] });
  const cancelled = await call(routes['listFallbacks'], { query: { limit: 10, state: 'cancelled' } });
  expect(cancelled.body).toMatchObject({ items: [{ id: first.id, reason: 'acked' }], hasMore: false, nextCursor: null });
  const one = await call(routes['getFallback'], { params: { fallbackId: second.id } });
  matches('Fallback', one.body);
  await expect(call(routes['getFallback'], { params: { fallbackId: second.id }, markets: ['DE'] })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});

test('a fallback names its SMS once there is one', async () => {
  const { id } = await rig.fallback(he, she, 'x');
  const smsId = newId('sms', 0);
  const shown = async (sms: SmsBridge) =>
    (await call(createFallbackRoutes({ fallbacks: rig.engine.fallbacks, sms })['getFallback'], { params: { fallbackId: id } })).body;
  await rig.engine.fallbacks.claimDue({
    partnerId: 'e-plus',
    now: rig.clock.now() + rig.domain.aheadMs + 3_600_000,
    limit: 1,
    smsIdFor: () => smsId,
  });
  expect(await shown(rig.sms)).not.toHaveProperty('smsId');
  const isThere = { ...rig.sms, whichExist: async (smsIds: readonly string[]) => new Set(smsIds) };
  expect(await shown(isThere)).toMatchObject({ state: 'claimed', smsId });
});

test('links show each bind and what waits', async () => {
  const { body } = await call(createSmppLinkRoutes(rig)['listSmppLinks'], { query: { limit: 10 } });
  matches('SmppLinkList', body);
  expect(body).toMatchObject({
    items: [
      {
        id: 'e-plus-main',
        binds: [
          { id: 'e-plus-main/1', state: 'bound', windowMax: 50 },
          { id: 'e-plus-main/2', state: 'bound' },
        ],
        queue: { waiting: 0 },
      },
    ],
  });
});

describe('the policy', () => {
  const asked = {
    partnerId: 'e-plus',
    market: 'XS',
    mode: 'sealed',
    class: 'chat',
    senderAccountId: 'acc',
    recipientMsisdn: '+999571234567',
  } as const;
  const subscriptions = { liveOn: async (_: string, msisdn: string) => (msisdn === '+999571234567' ? 'sub_1' : undefined) };

  test('admits a number of the operator and names its subscription', async () => {
    const policy = createFallbackPolicy({ partners: rig.partners, subscriptions });
    expect(await policy.admit(asked)).toEqual({ admitted: true, subscriptionId: 'sub_1' });
    expect(await policy.admit({ ...asked, recipientMsisdn: '+999577654321' })).toEqual({ admitted: true });
  });

  test.each([
    ['another partner', { partnerId: 'nobody' }, 'No operator serves this number.'],
    ['a market that is only described', { market: 'DE', recipientMsisdn: '+491571234567' }, 'Numbers of this market are not dialled here.'],
    ['a number of nobody', { recipientMsisdn: '+491701234567' }, "The number is not in the operator's ranges."],
  ])('refuses %s and says why', async (_what, more, reason) => {
    const policy = createFallbackPolicy({ partners: rig.partners, subscriptions });
    expect(await policy.admit({ ...asked, ...more })).toEqual({ admitted: false, reason });
  });

  test('refuses what no sender may carry', async () => {
    await rig.close();
    rig = await openSmsRig({ senders: [{ ...LETTERS, use: ['otp'] }] });
    const policy = createFallbackPolicy({ partners: rig.partners, subscriptions });
    expect(await policy.admit(asked)).toEqual({ admitted: false, reason: 'No sender may carry this message.' });
    expect(await policy.admit({ ...asked, class: 'otp' })).toMatchObject({ admitted: true });
  });
});
