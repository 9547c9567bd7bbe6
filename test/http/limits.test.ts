import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createHttpMetrics, createOperations, etagOf, type Http, requireIfMatch } from '../../src/http/index.js';
import { addressKey, createRateLimiter } from '../../src/http/rate-limit.js';
import { newId } from '../../src/kernel/ids.js';
import { createLog } from '../../src/kernel/log.js';
import { createFakeClock } from '../fakes/clock.js';
import { startTestEdge, type TestEdge } from '../fakes/gateway.js';

const planId = newId('pln', 0);
const opened: { close(): Promise<void> }[] = [];
const start = async (options: Parameters<typeof startTestEdge>[0]): Promise<TestEdge> => {
  const edge = await startTestEdge(options);
  opened.push(edge);
  return edge;
};
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

describe('entity tags', () => {
  test('a resource has the tag of its bytes; If-None-Match that names it is 304 without a body', async () => {
    let edge: TestEdge | undefined;
    edge = await start({
      routes: { partner: { getPlan: { handle: async () => ({ status: 200, body: edge?.example('getPlan', 200) }) } } },
    });
    const api = await edge.as();
    const first = await api.get(`/v1/plans/${planId}`);
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toBe(etagOf(first.body));
    for (const header of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const answer = await fetch(`${edge.url}/v1/plans/${planId}`, {
        headers: { authorization: `Bearer ${await edge.token()}`, 'if-none-match': header },
      });
      expect([answer.status, await answer.text(), answer.headers.get('etag')]).toEqual([304, '', etag]);
    }
    expect((await api.get(`/v1/plans/${planId}`, { headers: { 'if-none-match': '"x"' } })).status).toBe(200);
  });

  test('a change needs If-Match (428), and one that is current (412)', () => {
    const resource = { id: 'x', state: 1 };
    const check =
      (value: string | undefined, current: unknown = resource) =>
      () =>
        requireIfMatch({ header: () => value }, current);
    expect(check(etagOf(resource))).not.toThrow();
    expect(check('*')).not.toThrow();
    expect(check(etagOf(resource), etagOf(resource))).not.toThrow();
    expect(check(undefined)).toThrow(expect.objectContaining({ code: 'PRECONDITION_REQUIRED', status: 428 }));
    expect(check(etagOf({ ...resource, state: 2 }))).toThrow(expect.objectContaining({ code: 'FAILED_PRECONDITION', status: 412 }));
    expect(check(`W/${etagOf(resource)}`)).toThrow(expect.objectContaining({ code: 'FAILED_PRECONDITION' }));
  });
});

describe('rate limits', () => {
  test('answers say what is left; more than that is 429 with Retry-After, for reads and writes apart', async () => {
    const edge = await start({
      rateLimits: { readPerSecond: 1, writePerSecond: 1_000, tokenPerMinute: 1_000 },
      routes: {
        partner: {
          listPlans: { handle: async () => ({ status: 200, body: { items: [], hasMore: false, nextCursor: null } }) },
          searchSims: { handle: async () => ({ status: 200, body: { items: [], hasMore: false, nextCursor: null } }) },
        },
      },
    });
    const api = await edge.as();
    const answers = await Promise.all(Array.from({ length: 20 }, () => api.get('/v1/plans')));
    const refused = answers.filter((answer) => answer.status === 429);
    expect(refused.length).toBeGreaterThan(0);
    for (const answer of answers) expect(answer.headers.get('ratelimit-policy')).toBe('"read";q=1;w=1');
    expect(refused[0]?.headers.get('ratelimit')).toMatch(/^"read";r=0;t=\d+$/);
    expect(refused[0]?.headers.get('retry-after')).toBe('1');
    expect(refused[0]?.body.code).toBe('TOO_MANY_REQUESTS');
    const write = await api.call('POST', '/v1/sims/search', { body: { iccid: '8999957900000000017' } });
    expect([write.status, write.headers.get('ratelimit-policy')]).toEqual([200, '"write";q=1000;w=1']);
  });

  test('what needs no token is limited by address', async () => {
    const edge = await start({ http: { publicPerMinute: 2 } });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await edge.api.get('/healthz')).status);
    expect(statuses).toEqual([200, 200, 429]);
  });

  test('an IPv6 subscriber is its /64, a mapped IPv4 address itself', () => {
    expect(addressKey('2001:db8:1:2:3:4:5:6')).toBe(addressKey('2001:db8:1:2::1'));
    expect(addressKey('2001:db8:1:3::1')).not.toBe(addressKey('2001:db8:1:2::1'));
    expect(addressKey('::ffff:192.0.2.1')).toBe('192.0.2.1');
  });

  test('one partner does not use up what another may', async () => {
    const limiter = createRateLimiter();
    const policy = { quota: 1, windowSeconds: 60 };
    await limiter.take('read', 'a', policy);
    await expect(limiter.take('read', 'a', policy)).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    await expect(limiter.take('read', 'b', policy)).resolves.toBeTruthy();
  });
});

describe('closing', () => {
  test('lets a running request finish, takes no new one, and leaves no connection', async () => {
    let finish = () => {};
    let arrived = () => {};
    const running = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const edge = await start({
      routes: {
        partner: {
          listPlans: {
            async handle() {
              arrived();
              await new Promise<void>((resolve) => {
                finish = resolve;
              });
              return { status: 200, body: { items: [], hasMore: false, nextCursor: null } };
            },
          },
        },
      },
    });
    const request = (await edge.as()).get('/v1/plans');
    await running;
    const closed = edge.http.close();
    await expect(fetch(`${edge.url}/healthz`)).rejects.toThrow();
    finish();
    expect((await request).status).toBe(200);
    await closed;
    expect(edge.http.server.listening).toBe(false);
  });

  test('does not wait for ever for a client that does not go', async () => {
    const clock = createFakeClock();
    const edge = await start({ clock, http: { limits: { drainMs: 1_000 } } });
    const socket = connect(Number(new URL(edge.url).port), '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write('POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n');
    await expect.poll(() => connections(edge.http)).toBe(1);
    const gone = new Promise((resolve) => socket.once('close', resolve).once('error', () => {}));
    const closed = edge.http.close();
    await clock.advance(1_000);
    await closed;
    await gone;
  });

  test('a port in use is one clear sentence', async () => {
    const edge = await start({});
    await expect(edge.http.listen('127.0.0.1', 0)).rejects.toThrow();
    const other = await createOperationsForTest([]);
    await expect(other.listen('127.0.0.1', Number(new URL(edge.url).port))).rejects.toThrow(/Port \d+ on 127\.0\.0\.1 is in use/);
  });
});

const connections = (http: Http) => new Promise<number>((resolve) => http.server.getConnections((_, count) => resolve(count)));
const createOperationsForTest = async (checks: { name: string; check(): Promise<void> }[], metrics = createHttpMetrics()) => {
  const operations = createOperations({ checks, metrics, clock: createFakeClock(), log: createLog('silent') });
  opened.push(operations);
  return operations;
};

const NOT_READY = '{"status":"unavailable","notReady":["smpp e-plus"],"reasons":{"smpp e-plus":"It cannot be used; the log says why."}}';

describe('the operations listener', () => {
  test('says that it lives, names what is not ready, and prints metrics by operation', async () => {
    let healthy = false;
    const metrics = createHttpMetrics();
    const edge = await start({ http: { metrics } });
    await edge.api.get('/healthz');
    const check = async () => {
      if (!healthy) throw new Error('no');
    };
    const operations = await createOperationsForTest(
      [
        { name: 'store', check: async () => {} },
        { name: 'smpp e-plus', check },
      ],
      metrics,
    );
    const { port } = await operations.listen('127.0.0.1', 0);
    const get = async (path: string) => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: answer.status, text: await answer.text() };
    };
    expect(await get('/livez')).toEqual({ status: 200, text: '{"status":"ok"}' });
    expect(await get('/readyz')).toEqual({ status: 503, text: NOT_READY });
    healthy = true;
    expect(await get('/readyz')).toEqual({ status: 200, text: '{"status":"ready"}' });
    await expect
      .poll(async () => (await get('/metrics')).text)
      .toMatch(/http_request_duration_seconds_count\{operation="getHealth",status_class="2xx"\} 1/);
    expect((await get('/')).status).toBe(404);
    expect((await fetch(`${edge.url}/metrics`)).status).toBe(404);
  });
});
