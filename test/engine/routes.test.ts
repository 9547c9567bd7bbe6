import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ApiRequest, DeviceCaller } from '../../src/http/route.js';
import { createMessagingPublicRoutes, createMessagingRoutes } from '../../src/http/routes/messaging.js';
import { aMessage, openRig, PARTNER, type Person, type Rig } from './rig.js';

let rig: Rig;
let person: Person;
beforeEach(async () => {
  rig = await openRig();
  person = await rig.person('+999100001');
});
afterEach(() => rig.close());

const aRequest = <Who>(caller: Who, more: Partial<ApiRequest<Who>> = {}): ApiRequest<Who> => ({
  caller,
  correlator: 'req-1',
  remoteAddress: '203.0.113.1',
  params: {},
  query: {},
  body: undefined,
  header: () => undefined,
  ...more,
});

const call = async (operation: string, more: Partial<ApiRequest<DeviceCaller>> = {}) => {
  const route = createMessagingRoutes(rig.engine.calls)[operation];
  if (!route) throw new Error(`no route ${operation}`);
  return route.handle(aRequest<DeviceCaller>({ accountId: person.accountId, deviceId: person.deviceId }, more));
};

test('every operation of the messaging API has a route', () => {
  const names = [...Object.keys(createMessagingRoutes(rig.engine.calls)), ...Object.keys(createMessagingPublicRoutes(rig.engine.calls))];
  expect(names.sort()).toEqual(
    [
      'registerAccount',
      'createDeviceToken',
      'uploadKeys',
      'countKeys',
      'queryKeys',
      'claimKeys',
      'searchContacts',
      'listBridgeKeys',
      'sendMessage',
      'readQueue',
      'ackQueue',
      'openStream',
    ].sort(),
  );
});

test('a phone registers, gets a token later, and its message goes round', async () => {
  const open = createMessagingPublicRoutes(rig.engine.calls);
  const body = {
    msisdn: '+999100002',
    verification: { method: 'number-verification', token: 'proof of +999100002' },
    device: { name: 'phone', registrationId: 7, platform: 'web' },
    language: 'en-GB',
  };
  const registered = await open.registerAccount.handle(aRequest(undefined, { body }));
  expect(registered.status).toBe(201);
  const { deviceId, deviceSecret, accountId } = registered.body as { deviceId: string; deviceSecret: string; accountId: string };
  expect(deviceSecret).toMatch(/^[A-Za-z0-9_-]{16,256}$/);
  const token = await open.createDeviceToken.handle(aRequest(undefined, { body: { deviceId, deviceSecret } }));
  expect(token).toEqual({ status: 200, body: { accessToken: `${accountId}.${deviceId}`, expiresInSeconds: 900 } });

  const sent = await call('sendMessage', { params: { accountId: person.accountId }, body: aMessage(person, 'note-to-self') });
  const { messageId } = sent.body as { messageId: string };
  expect(await call('readQueue')).toMatchObject({ status: 200, body: { items: [{ envelopeId: messageId }], hasMore: false } });
  expect(await call('ackQueue', { body: { envelopeIds: [messageId] } })).toEqual({ status: 200, body: { acknowledged: 1 } });
});

test("a fallback goes back to its request by the request's correlator", async () => {
  const { body } = await call('sendMessage', {
    params: { accountId: person.accountId },
    body: aMessage(person, 'c1', { fallback: { mode: 'notice', class: 'chat' } }),
  });
  const { id } = (body as { fallback: { id: string } }).fallback;
  expect(await rig.engine.fallbacks.get(id, PARTNER)).toMatchObject({ correlator: 'req-1' });
  expect(await rig.facts()).toContainEqual(
    expect.objectContaining({ kind: 'fallback.armed', fallback: expect.objectContaining({ id, correlator: 'req-1' }) }),
  );
});

test('a plain GET of the stream is told to upgrade', async () => {
  expect(await call('openStream')).toMatchObject({ status: 426, headers: { upgrade: 'websocket' }, body: { correlator: 'req-1' } });
});
