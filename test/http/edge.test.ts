import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.js';
import { startTestEdge, type TestEdge } from '../fakes/gateway.js';

const planId = newId('pln', 0);
let edge: TestEdge;
const seen: unknown[] = [];

beforeAll(async () => {
  edge = await startTestEdge({
    routes: {
      partner: {
        listPlans: {
          handle: async (request) => {
            seen.push(request.query);
            return { status: 200, body: { items: [], hasMore: false, nextCursor: null } };
          },
        },
        searchSims: { handle: async () => ({ status: 200, body: { items: [], hasMore: false, nextCursor: null } }) },
        getPlan: {
          handle: async () => {
            throw new Error('row +9995790000123 is broken');
          },
        },
        createOrder: { handle: async () => ({ status: 201, body: edge.example('createOrder', 201) }) },
      },
    },
  });
});
afterAll(() => edge.close());

const anOrder = { market: 'XS', items: [{ action: 'add', planId, iccid: '8999957900000000017', msisdn: '+9995790000123' }] };
const json = { 'content-type': 'application/json' };

describe('who may call', () => {
  test('without a token: 401 with WWW-Authenticate and a problem body', async () => {
    const answer = await edge.api.get('/v1/plans');
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="causeway"');
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.body).toMatchObject({ code: 'UNAUTHENTICATED', type: '/docs/errors/UNAUTHENTICATED', instance: '/v1/plans' });
  });

  test('with a token that is none: 401 with invalid_token', async () => {
    for (const token of ['x', 'a.b.c', 'eyJhbGciOiJub25lIn0.e30.']) {
      const answer = await edge.api.get('/v1/plans', { token });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
    }
  });

  test('a missing scope: 403 that names it in detail and hint', async () => {
    const api = await edge.as(undefined, 'orders:write');
    const answer = await api.get('/v1/plans');
    expect(answer.status).toBe(403);
    expect(answer.body.code).toBe('PERMISSION_DENIED');
    expect(answer.body.detail).toContain('plans:read');
    expect(answer.body.hint).toContain('plans:read');
  });
});

describe('what is there', () => {
  test('an unknown path is 404, another method 405 with Allow, HEAD answers like GET', async () => {
    expect((await edge.api.get('/v1/nothing')).status).toBe(404);
    expect((await edge.api.get('/v1/plans/')).status).toBe(404);
    const wrong = await edge.api.call('DELETE', '/v1/orders');
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, POST, HEAD']);
    const head = await (await edge.as()).call('HEAD', '/v1/plans');
    expect([head.status, head.text]).toEqual([200, '']);
  });

  test('an Accept that nothing fits is 406; application/json alone gets problems as application/json', async () => {
    const api = await edge.as();
    expect((await api.get('/v1/plans', { headers: { accept: 'text/csv' } })).status).toBe(406);
    const plain = await api.get('/v1/plans?limit=0', { headers: { accept: 'application/json' } });
    expect(plain.headers.get('content-type')).toBe('application/json');
    const either = await api.get('/v1/plans?limit=0', { headers: { accept: 'application/json, */*;q=0.1' } });
    expect(either.headers.get('content-type')).toBe('application/problem+json');
  });

  test('the start fails when contract and routes differ', async () => {
    await expect(startTestEdge({ http: { allowMissingRoutes: false } })).rejects.toThrow(/operation listPlans has no route/);
    await expect(startTestEdge({ routes: { partner: { noSuch: { handle: async () => ({ status: 200 }) } } } })).rejects.toThrow(
      /route noSuch has no operation/,
    );
  });
});

describe('x-correlator', () => {
  test('is echoed, made when absent, and 400 when malformed', async () => {
    const given = await edge.api.get('/healthz', { headers: { 'x-correlator': 'req-7f3a' } });
    expect(given.headers.get('x-correlator')).toBe('req-7f3a');
    expect((await edge.api.get('/healthz')).headers.get('x-correlator')).toMatch(/^req_/);
    for (const bad of ['a b', 'é', 'x'.repeat(257)]) {
      const answer = await edge.api.get('/healthz', { headers: { 'x-correlator': bad } });
      expect(answer.status).toBe(400);
      expect(answer.body.errors).toMatchObject([{ pointer: '/header/x-correlator' }]);
      expect(answer.headers.get('x-correlator')).toMatch(/^req_/);
    }
  });
});

describe('query and path', () => {
  test('parameters are coerced and defaults filled in; reserved characters may stand', async () => {
    const api = await edge.as();
    seen.length = 0;
    await api.get('/v1/plans');
    await api.get('/v1/plans?limit=7&market=XS');
    expect(seen).toMatchObject([{ limit: 50 }, { limit: 7, market: 'XS' }]);
  });

  test.each([
    ['limit=0', '/query/limit'],
    ['limit=201', '/query/limit'],
    ['limit=x', '/query/limit'],
    ['limit=1&limit=2', '/query/limit'],
    ['limit=', '/query/limit'],
    ['nonsense=1', '/query/nonsense'],
    ['market=xs', '/query/market'],
    ['__proto__=1', '/query/__proto__'],
  ])('?%s is 400 at %s', async (query, pointer) => {
    const answer = await (await edge.as()).get(`/v1/plans?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((error: { pointer: string }) => error.pointer)).toEqual([pointer]);
  });

  test('a malformed id is 400 at /path, and a number in the path is not repeated', async () => {
    const answer = await (await edge.as()).get('/v1/plans/+9995790000123');
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].pointer).toBe('/path/planId');
    expect(answer.text).not.toContain('9995790000123');
    expect((await (await edge.as()).get('/v1/plans/%E0%A4%A')).status).toBe(404);
  });
});

describe('bodies', () => {
  const post = async (rawBody: string | Uint8Array, headers: Record<string, string> = json) =>
    (await edge.as()).call('POST', '/v1/orders', { rawBody, headers, idempotencyKey: true });

  test.each([
    ['malformed', '{"market":', ''],
    ['empty', '', ''],
    ['not an object', '[]', ''],
    ['another type', '"x"', ''],
    ['a byte order mark', `\uFEFF${JSON.stringify(anOrder)}`, ''],
    ['named twice', '{"market":"XS","market":"DE","items":[]}', '/market'],
    ['named twice inside', '{"market":"XS","items":[{},{"a":1,"\\u0061":2}]}', '/items/1/a'],
    ['an unknown member', JSON.stringify({ ...anOrder, surprise: 1 }), '/surprise'],
    ['an unknown member with a slash', JSON.stringify({ ...anOrder, 'a/b~c': 1 }), '/a~1b~0c'],
    ['a proto member', `{"__proto__":{},${JSON.stringify(anOrder).slice(1)}`, '/__proto__'],
    ['a bad number', JSON.stringify({ ...anOrder, items: [{ ...anOrder.items[0], msisdn: '0999' }] }), '/items/0/msisdn'],
    [
      'a missing member',
      JSON.stringify({ ...anOrder, items: [{ action: 'add', planId, iccid: '8999957900000000017' }] }),
      '/items/0/msisdn',
    ],
    ['no items', JSON.stringify({ ...anOrder, items: [] }), '/items'],
  ])('%s: 400 at "%s"', async (_name, body, pointer) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].pointer).toBe(pointer);
    expect(answer.text).not.toContain('0999');
  });

  test('nested without end: 400', async () => {
    expect((await post('['.repeat(100_000))).body.errors[0].pointer).toBe('');
  });

  test('not UTF-8, another charset, another type, compressed', async () => {
    expect((await post(Buffer.from('{"market":"\xff"}', 'latin1'))).status).toBe(400);
    expect((await post(JSON.stringify(anOrder), { 'content-type': 'application/json; charset=latin1' })).status).toBe(415);
    expect((await post(JSON.stringify(anOrder), { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await post(JSON.stringify(anOrder), { ...json, 'content-encoding': 'gzip' })).status).toBe(415);
    expect((await post(JSON.stringify(anOrder), { 'content-type': 'application/json; charset="UTF-8"; a=b' })).status).toBe(201);
  }, 10_000);

  test('more than 1 MiB: 413', async () => {
    expect((await post(`"${'x'.repeat(1_048_576)}"`)).status).toBe(413);
  });
});

describe('failures of our own', () => {
  test('are 500 without a word of what happened, in the answer and in the log', async () => {
    const answer = await (await edge.as()).get(`/v1/plans/${planId}`);
    expect(answer.status).toBe(500);
    expect(answer.body.code).toBe('INTERNAL');
    expect(answer.text).not.toMatch(/broken|\.ts|at /);
    const log = edge.logged().filter((line) => line.includes('request failed'));
    expect(log).toHaveLength(1);
    expect(log[0]).toContain('getPlan');
    expect(edge.logged().join('')).not.toContain('9995790000123');
  });

  test('every request is one line with operation, status and correlator, and no URL', async () => {
    await edge.api.get('/healthz?x=secret', { headers: { 'x-correlator': 'one-line' } });
    await expect.poll(() => edge.logged().filter((line) => line.includes('one-line'))).toHaveLength(1);
    const line: unknown = JSON.parse(edge.logged().find((logged) => logged.includes('one-line')) ?? '');
    expect(line).toMatchObject({ operationId: 'getHealth', status: 400, method: 'GET', msg: 'request' });
    expect(edge.logged().join('')).not.toContain('secret');
  });
});

describe('pages', () => {
  test('the documentation, its assets and the contract are served from here, under a policy without inline scripts', async () => {
    const page = await edge.api.get('/docs');
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self';");
    expect(page.text).not.toMatch(/https?:|<script>(?!$)/);
    for (const [, asset] of page.text.matchAll(/(?:src|href)="(\/docs\/[^"]+)"/g)) {
      const answer = await fetch(new URL(String(asset), edge.url));
      expect([asset, answer.status]).toEqual([asset, 200]);
      await answer.arrayBuffer();
    }
    expect((await edge.api.get('/openapi.yaml')).text).toBe(edge.http.contract.text);
  });

  test('security headers are on every answer', async () => {
    const { headers } = await edge.api.get('/healthz');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('x-powered-by')).toBeNull();
  });
});
