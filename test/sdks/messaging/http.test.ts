import { beforeEach, describe, expect, test } from 'vitest';
import { createHttp, type Http } from '../../../sdks/messaging/http.js';
import { createFakeClock, type FakeClock } from '../../fakes/clock.js';
import { createFakeServer, type FakeServer } from './fake-server.js';

let clock: FakeClock;
let server: FakeServer;
let http: Http;

beforeEach(async () => {
  clock = createFakeClock();
  server = createFakeServer(clock);
  http = createHttp({ url: 'http://gateway.invalid/', clock, fetch: server.fetch });
  const body = { msisdn: '+17215550101', device: { registrationId: 1 } };
  const device = await http.callOpen<{ deviceId: string; deviceSecret: string; accessToken: string; expiresInSeconds: number }>(
    'POST',
    '/accounts',
    body,
  );
  http.login(device, device);
});

const tokenCalls = () => server.calls.filter((call) => call.path === '/token').length;
const count = () => http.call('GET', '/keys/count');

describe('the device token', () => {
  test('of the registration is used until a minute before it expires', async () => {
    await count();
    await clock.advance(839_000);
    await count();
    expect(tokenCalls()).toBe(0);
    await clock.advance(1_000);
    await count();
    expect(tokenCalls()).toBe(1);
    expect(server.calls.at(-1)?.bearer).not.toBe(server.calls[1]?.bearer);
  });

  test('is fetched once for all who wait for it', async () => {
    await clock.advance(900_000);
    await Promise.all([count(), count(), count(), http.accessToken()]);
    expect(tokenCalls()).toBe(1);
  });

  test('that the gateway refuses early is renewed, and the call made again', async () => {
    server.revokeTokens();
    expect(await count()).toEqual({ oneTimeKeyCount: 0 });
    expect(tokenCalls()).toBe(1);
  });

  test('is asked for only once when the new one is refused as well', async () => {
    server.refuseEvery('GET /keys/count', 401, 'AUTH.TOKEN_INVALID');
    await expect(count()).rejects.toMatchObject({ status: 401 });
    expect(tokenCalls()).toBe(1);
  });

  test('that could not be fetched is asked for again by the next call', async () => {
    let isDown = true;
    const flaky: typeof fetch = (input, init) => (isDown ? Promise.reject(new TypeError('fetch failed')) : server.fetch(input, init));
    const other = createHttp({ url: 'http://gateway.invalid', clock, fetch: flaky });
    const { deviceId, deviceSecret } = server.deviceOf(await http.accessToken()) ?? { deviceId: '', deviceSecret: '' };
    other.login({ deviceId, deviceSecret });
    await expect(other.call('GET', '/keys/count')).rejects.toMatchObject({ code: 'CLIENT.NETWORK', status: 0 });
    isDown = false;
    expect(await other.call('GET', '/keys/count')).toEqual({ oneTimeKeyCount: 0 });
  });
});

describe('a refused call', () => {
  test('rejects with the status, the code and the members of the problem body', async () => {
    server.refuseNext(409, 'MESSAGING.DEVICES_MISMATCH', { missingDevices: ['dev_1'] });
    await expect(count()).rejects.toMatchObject({
      status: 409,
      code: 'MESSAGING.DEVICES_MISMATCH',
      problem: { missingDevices: ['dev_1'] },
    });
  });

  test('without a problem body still has a code, and says when to come back', async () => {
    const teapot: typeof fetch = async () => new Response('<html>', { status: 429, headers: { 'retry-after': '7' } });
    const other = createHttp({ url: 'http://gateway.invalid', clock, fetch: teapot });
    await expect(other.callOpen('POST', '/accounts', {})).rejects.toMatchObject({
      code: 'CLIENT.HTTP_429',
      status: 429,
      retryAfterSeconds: 7,
    });
  });

  test('before registration never leaves the device', async () => {
    const other = createHttp({ url: 'http://gateway.invalid', clock, fetch: server.fetch });
    const before = server.calls.length;
    await expect(other.call('GET', '/queue')).rejects.toMatchObject({ code: 'CLIENT.NOT_REGISTERED' });
    expect(server.calls.length).toBe(before);
  });
});

test('a gateway that does not answer is given up on after 15 s, and leaves no timer', async () => {
  const silent: typeof fetch = (_input, init) =>
    new Promise((_resolve, reject) => init?.signal?.addEventListener('abort', () => reject(new Error('aborted'))));
  const other = createHttp({ url: 'http://gateway.invalid', clock, fetch: silent });
  const refused = expect(other.callOpen('POST', '/accounts', {})).rejects.toMatchObject({ code: 'CLIENT.TIMEOUT' });
  await clock.advance(15_000);
  await refused;
  expect(clock.pending()).toBe(0);
});
