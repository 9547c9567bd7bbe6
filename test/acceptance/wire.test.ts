import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { startTestGateway, type TestGateway } from '../fakes/gateway.js';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway?.close());

// Whatever a test sent, the gateway still serves.
afterEach(async () => expect((await gateway.api.get('/healthz')).status).toBe(200));

/** A raw connection to the public port. */
function dial(url = gateway.url): Socket {
  const { hostname, port } = new URL(url);
  return connect(Number(port), hostname).on('error', () => undefined);
}

/** What the gateway says to these bytes until it closes the connection. */
async function said(bytes: string | Uint8Array): Promise<string> {
  const socket = dial();
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const closed = once(socket, 'close');
  socket.write(bytes);
  await closed;
  return Buffer.concat(chunks).toString('latin1');
}

test.each([
  ['noise', Uint8Array.from({ length: 4_096 }, (_, i) => (i * 197) % 256)],
  ['a TLS hello', Buffer.from('16030100c4010000c00303', 'hex')],
  ['an SMPP bind', Buffer.from('0000002f000000020000000000000001736d7070636c69656e74310070617373776f726400', 'hex')],
  ['a method that is none', 'FLY /v1/plans HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['two lengths', 'POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!'],
  ['a length and chunks', 'POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['a header line without a name', 'GET /healthz HTTP/1.1\r\nHost: x\r\n: nothing\r\n\r\n'],
  ['no host', 'GET /healthz HTTP/1.1\r\n\r\n'],
])('%s on the public port is 400 and closed', async (_, bytes) => {
  expect(await said(bytes)).toMatch(/^HTTP\/1\.1 400 /);
});

test('headers beyond 16 KiB are 431 and closed', async () => {
  expect(await said(`GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
});

test('connections that say nothing, or never finish, keep nobody out', async () => {
  const idle = Array.from({ length: 200 }, () => dial());
  await Promise.all(idle.map((socket) => once(socket, 'connect')));
  for (const socket of idle) socket.write('POST /v1/orders HTTP/1.1\r\nHost: x\r\nX-Slow: ');
  expect((await gateway.api.get('/healthz')).status).toBe(200);
  expect((await (await gateway.as()).get('/v1/partner')).status).toBe(200);
  for (const socket of idle) socket.destroy();
});

test('a connection cut in the middle of a body is nothing but the end of that request', async () => {
  const token = await gateway.token();
  const socket = dial();
  await once(socket, 'connect');
  socket.write(
    `POST /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"market"`,
  );
  const closed = once(socket, 'close');
  socket.destroy();
  await closed;
  expect((await (await gateway.as()).get('/v1/orders')).body.items).toEqual([]);
});

test.each(['/', '/v1/plans', '/messaging/v1', '/messaging/v1/streams', '/messaging/v1/stream/x', '//messaging/v1/stream'])(
  'a WebSocket for %s gets 404',
  async (path) => {
    const answer = await said(
      `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
  },
);

test('/healthz says only ok', async () => {
  const { body, text } = await gateway.api.get('/healthz');
  expect(body).toEqual({ status: 'ok' });
  expect(text.length).toBeLessThan(30);
});

test.each(['/livez', '/readyz', '/metrics'])('%s is on the operations port and not on the public one', async (path) => {
  expect((await gateway.api.get(path)).status).toBe(404);
  expect((await fetch(gateway.operationsUrl + path)).status).toBe(200);
});

test('no partner operation is on the operations port, and metrics hold no id, number or path', async () => {
  await (await gateway.as()).post('/v1/subscriptions/search', { msisdn: '+9995701234567' });
  expect((await fetch(`${gateway.operationsUrl}/v1/plans`)).status).toBe(404);
  const metrics = await (await fetch(`${gateway.operationsUrl}/metrics`)).text();
  expect(metrics).toContain('searchSubscriptions');
  expect(metrics).not.toMatch(/99957|[a-z]{3}_[0-9a-hjkmnp-tv-z]{26}|\/v1\//);
});

test('/docs loads everything from here, under a policy that allows nothing else', async () => {
  const page = await gateway.api.get('/docs');
  expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'/);
  const links = [...String(page.body).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link = '']) => link);
  expect(links.length).toBeGreaterThan(3);
  for (const link of links) {
    expect(link).toMatch(/^\/(?!\/)/);
    const asset = await fetch(new URL(link, gateway.url));
    expect(asset.status, link).toBe(200);
    expect((await asset.arrayBuffer()).byteLength, link).toBeGreaterThan(10);
  }
  expect(String(page.body)).not.toMatch(/https?:\/\//);
  const start = await (await fetch(`${gateway.url}/docs/assets/start.js`)).text();
  expect(start).not.toMatch(/https?:\/\//);
});

test('an error links to a page about it that is served here', async () => {
  const { body } = await gateway.api.get('/v1/plans');
  const page = await fetch(new URL(body.type, gateway.url));
  expect(page.status).toBe(200);
  expect(await page.text()).toContain(body.code);
});
