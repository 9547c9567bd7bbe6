import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import jwt from 'jsonwebtoken';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createPublicFetch, type PublicFetch } from '../../src/events/index.js';
import { createRemoteKeys } from '../../src/identity/remote-keys.js';
import { systemClock } from '../../src/kernel/clock.js';
import { createLog } from '../../src/kernel/log.js';
import { createFakeClock, type FakeClock } from '../fakes/clock.js';
import { aClient, startTestEdge } from '../fakes/gateway.js';

const pairOf = (kid: string) => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid } };
};
const [first, second] = [pairOf('first'), pairOf('second')];
const keySet = (...keys: object[]) => JSON.stringify({ keys });

/** Where a client publishes its keys. */
let server: Server;
let uri: string;
let answer: (response: ServerResponse) => void;
let asked: number;
const opened: PublicFetch[] = [];
beforeEach(async () => {
  asked = 0;
  answer = (response) => response.end(keySet(first.jwk));
  server = createServer((_, response) => {
    asked++;
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((fetcher) => fetcher.close()));
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

function fetcher(given: Partial<Parameters<typeof createPublicFetch>[0]> = {}): PublicFetch {
  const made = createPublicFetch({ clock: systemClock, allowLoopback: true, ...given });
  opened.push(made);
  return made;
}

describe('the keys at a jwks_uri', () => {
  let clock: FakeClock;
  let lines: string[];
  const kids = async (kid?: string) => (await keys.of(uri, kid)).map((key) => key.kid);
  let keys: ReturnType<typeof createRemoteKeys>;
  beforeEach(() => {
    clock = createFakeClock();
    lines = [];
    keys = createRemoteKeys({ fetchText: fetcher().text, clock, log: createLog('info', { write: (line) => void lines.push(line) }) });
  });

  test('are read once for ten minutes, however many ask at once', async () => {
    await Promise.all([kids('first'), kids('first'), kids()]);
    await clock.advance(599_999);
    expect(await kids('first')).toEqual(['first']);
    expect(asked).toBe(1);
    await clock.advance(1);
    answer = (response) => response.end(keySet(second.jwk));
    expect(await kids('first'), 'a key that was taken out is not believed once more').toEqual(['second']);
    expect(asked).toBe(2);
  });

  test('a kid that is not among them has them read again, at most every 30 seconds', async () => {
    await kids('first');
    answer = (response) => response.end(keySet(first.jwk, second.jwk));
    await clock.advance(29_999);
    for (const kid of ['second', 'made-up', 'made-up-again']) expect(await kids(kid)).toEqual(['first']);
    expect(asked).toBe(1);
    await clock.advance(1);
    expect(await kids('second')).toEqual(['first', 'second']);
    for (const kid of ['made-up', 'made-up-again']) await kids(kid);
    expect(asked).toBe(2);
  });

  const longer = JSON.stringify({ keys: [first.jwk], more: 'x'.repeat(70_000) });
  test.each<[string, (response: ServerResponse) => void]>([
    ['an error', (response) => response.writeHead(500).end(keySet(second.jwk))],
    ['a redirect', (response) => response.writeHead(302, { location: 'https://elsewhere.example/' }).end()],
    ['something that is no JSON', (response) => response.end('<html>')],
    ['no keys', (response) => response.end(keySet())],
    ['a private key', (response) => response.end(keySet({ ...second.jwk, d: 'AAAA' }))],
    ['more than 64 KiB', (response) => response.end(longer)],
    ['an answer that breaks off', (response) => response.writeHead(200, { 'content-length': '100' }).write('{', () => response.destroy())],
  ])('stay as they were through %s, for a day, and are then none', async (_, broken) => {
    await kids('first');
    answer = broken;
    await clock.advance(600_000);
    expect(await kids('first')).toEqual(['first']);
    expect(asked).toBe(2);
    expect(lines.join(''), 'whoever runs it is told').toContain("a client's keys could not be read");
    await clock.advance(29_999);
    await kids('first');
    expect(asked, 'and not asked for in a tight loop').toBe(2);
    await clock.advance(86_400_000);
    expect(await kids('first')).toEqual([]);
    answer = (response) => response.end(keySet(first.jwk));
    await clock.advance(30_000);
    expect(await kids('first')).toEqual(['first']);
  });

  test('are none when they could not be read yet', async () => {
    answer = (response) => response.destroy();
    expect(await kids('first')).toEqual([]);
  });
});

describe('a document that a partner publishes', () => {
  test('is given up when it does not end in time, also after its head', async () => {
    answer = (response) => response.writeHead(200).write('{"keys":');
    const clock = createFakeClock();
    const reading = fetcher({ clock }).text(uri, { bytesMax: 1_000, timeoutMs: 5_000 });
    const refused = expect(reading).rejects.toThrow('did not answer within 5000 ms');
    await expect.poll(() => asked).toBe(1);
    await clock.advance(5_000);
    await refused;
  });

  test.each([
    ['https://10.0.0.1/', undefined],
    ['https://169.254.169.254/latest', undefined],
    ['https://[::1]/', undefined],
    ['https://named.example/', ['192.168.0.1']],
    ['https://named.example/', ['8.8.8.8', '127.0.0.1']],
    ['http://named.example/', ['8.8.8.8']],
  ])('is not read from %s at %s, outside of the sandbox', async (url, addresses) => {
    const outside = fetcher({ allowLoopback: false, resolve: async () => addresses ?? [] });
    await expect(outside.text(url, { bytesMax: 1_000, timeoutMs: 5_000 })).rejects.toMatchObject({ code: 'EVENTS.SINK_NOT_ALLOWED' });
    await expect(outside.text(uri, { bytesMax: 1_000, timeoutMs: 5_000 })).rejects.toMatchObject({ code: 'EVENTS.SINK_NOT_ALLOWED' });
    expect(asked).toBe(0);
  });
});

test('a client proves itself by a key that it publishes, and by the next one once it has put it there', async () => {
  const client = aClient({ id: 'publisher', keysUri: uri });
  const clock = createFakeClock(Date.now());
  const edge = await startTestEdge({ clients: [client], clock, fetchText: fetcher().text });
  let jti = 0;
  async function proves({ privateKey, jwk }: typeof first): Promise<number> {
    const now = Math.floor(clock.now() / 1_000);
    const claims = { iss: client.id, sub: client.id, aud: edge.url, iat: now, exp: now + 60, jti: `jti-${++jti}` };
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: jwt.sign(claims, privateKey, { algorithm: 'ES256', keyid: jwk.kid }),
    });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return (await edge.api.call('POST', '/oauth2/token', { rawBody: body.toString(), headers })).status;
  }
  try {
    expect(await proves(first)).toBe(200);
    expect(await proves(second)).toBe(401);
    answer = (response) => response.end(keySet(second.jwk));
    await clock.advance(30_000);
    expect(await proves(second)).toBe(200);
    expect(await proves(first)).toBe(401);
  } finally {
    await edge.close();
  }
});
