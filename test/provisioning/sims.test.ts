import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { luhnDigit } from '../../src/kernel/iccid.js';
import type { ApiClient, Json } from '../fakes/api-client.js';
import { expectOneAct, iccidOf, imsiOf, msisdnOf, openEdge } from './rig.js';

let world: Awaited<ReturnType<typeof openEdge>>;
let api: ApiClient;
beforeAll(async () => {
  world = await openEdge();
  api = await world.edge.as();
});
afterAll(() => world.close());

const batch = (...sims: object[]) => ({ market: 'XS', sims });

describe('createSimBatch', () => {
  test('201: each row has its own outcome, and a bad row fails alone', async () => {
    const foreign = '8949150000000000000';
    const { status, body } = await api.post('/v1/sim-batches', {
      ...batch(
        { iccid: iccidOf(1), imsi: imsiOf(1) },
        { iccid: `${iccidOf(2).slice(0, -1)}${(Number(iccidOf(2).at(-1)) + 1) % 10}` },
        { iccid: foreign.slice(0, -1) + luhnDigit(foreign.slice(0, -1)) },
        { iccid: iccidOf(3), imsi: '262030000000001' },
        { iccid: `${iccidOf(4)}F` },
        { iccid: iccidOf(1) },
        { iccid: iccidOf(5), imsi: imsiOf(1) },
      ),
      externalId: 'lunch',
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({ market: 'XS', externalId: 'lunch', total: 7, succeeded: 2, failed: 5 });
    expect(body.items.map((item: Json) => [item.index, item.status, item.code, item.pointer])).toEqual([
      [0, 'registered', undefined, undefined],
      [1, 'failed', 'INVALID_ARGUMENT', '/sims/1/iccid'],
      [2, 'failed', 'PROVISIONING.ICCID_NOT_OURS', '/sims/2/iccid'],
      [3, 'failed', 'PROVISIONING.IMSI_NOT_OURS', '/sims/3/imsi'],
      [4, 'registered', undefined, undefined],
      [5, 'failed', 'ALREADY_EXISTS', '/sims/5/iccid'],
      [6, 'failed', 'ALREADY_EXISTS', '/sims/6/imsi'],
    ]);
    expect(JSON.stringify(body)).not.toMatch(/\d{14,}/);
    const sim = await api.get(`/v1/sims/${body.items[4].simId}`);
    expect(sim.body).toMatchObject({ iccid: iccidOf(4), state: 'inStock', market: 'XS' });
  });

  test('a SIM that failed as a repeat leaves the first as it was', async () => {
    const { body } = await api.post(
      '/v1/sim-batches',
      batch({ iccid: iccidOf(10), imsi: imsiOf(10) }, { iccid: iccidOf(10), imsi: imsiOf(11) }),
    );
    expect(body.items.map((item: Json) => item.status)).toEqual(['registered', 'failed']);
    const again = await api.post(
      '/v1/sim-batches',
      batch({ iccid: iccidOf(10), imsi: imsiOf(11) }, { iccid: iccidOf(11), imsi: imsiOf(11) }),
    );
    expect(again.body.items.map((item: Json) => item.status)).toEqual(['failed', 'registered']);
    expect((await api.get(`/v1/sims/${body.items[0].simId}`)).body.imsi).toBe(imsiOf(10));
  });

  test('1,000 rows in one request, a repeat across its chunks included; 1,001 are refused', async () => {
    const sims = Array.from({ length: 1_000 }, (_, n) => ({
      iccid: iccidOf(n === 999 ? 1_000 : 1_000 + n),
      imsi: imsiOf(n === 999 ? 5_000 : 1_000 + n),
    }));
    const { status, body } = await api.post('/v1/sim-batches', batch(...sims));
    expect([status, body.total, body.succeeded, body.failed]).toEqual([201, 1_000, 999, 1]);
    expect(body.items[999]).toMatchObject({ index: 999, status: 'failed', code: 'ALREADY_EXISTS' });
    const more = await api.post('/v1/sim-batches', batch(...sims, { iccid: iccidOf(3_000) }));
    expect([more.status, more.body.errors[0].pointer]).toEqual([400, '/sims']);
  });

  test('400: an ICCID of the wrong form, an unknown member, no SIM at all', async () => {
    for (const [body, pointer] of [
      [batch({ iccid: '12' }), '/sims/0/iccid'],
      [batch({ iccid: iccidOf(20), colour: 'red' }), '/sims/0/colour'],
      [batch(), '/sims'],
    ] as const) {
      const answer = await api.post('/v1/sim-batches', body);
      expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, pointer]);
    }
  });

  test('422: a market that is not the partner’s, or that the token does not cover', async () => {
    const german = await world.edge.as('e-plus-de');
    for (const [client, market] of [
      [api, 'JM'],
      [german, 'XS'],
    ] as const) {
      const { status, body } = await client.post('/v1/sim-batches', { market, sims: [{ iccid: iccidOf(20) }] });
      expect([status, body.code, body.errors[0].pointer]).toEqual([422, 'MARKET.NOT_COVERED', '/market']);
    }
  });

  test('401 without a token; 403 names the scope', async () => {
    expect((await world.edge.api.post('/v1/sim-batches', batch({ iccid: iccidOf(20) }))).status).toBe(401);
    const narrow = await (await world.edge.as('e-plus-backoffice', 'sims:read')).post('/v1/sim-batches', batch({ iccid: iccidOf(20) }));
    expect([narrow.status, narrow.body.detail]).toEqual([403, expect.stringContaining('sims:write')]);
  });

  test('the same batch twice with one key registers once, also when both arrive at the same instant', async () => {
    const send = () => api.post('/v1/sim-batches', batch({ iccid: iccidOf(30) }), { idempotencyKey: 'lunch-30' });
    expectOneAct(await Promise.all([send(), send()]));
    const repeat = await send();
    expect([repeat.status, repeat.headers.get('idempotency-replayed'), repeat.body.succeeded]).toEqual([201, 'true', 1]);
    expect(await world.rig.control.read.sim.count({ where: { iccid: iccidOf(30) } })).toBe(1);
  });

  test('a SIM that another partner registered stays theirs', async () => {
    const body = batch({ iccid: '8999987000000000008'.slice(0, -1) + luhnDigit('899998700000000000'), imsi: '001020000000001' });
    const cw = await world.edge.as('cw');
    const { body: made } = await cw.post('/v1/sim-batches', body);
    expect(made.succeeded).toBe(1);
    const simId = made.items[0].simId;
    expect([(await api.get(`/v1/sims/${simId}`)).status, (await cw.get(`/v1/sims/${simId}`)).status]).toEqual([404, 200]);
    expect((await api.post('/v1/sims/search', { imsi: '001020000000001' })).body.items).toEqual([]);
    expect((await api.post('/v1/sim-batches', body)).body.items[0].code).toBe('PROVISIONING.ICCID_NOT_OURS');
  });
});

describe('reading SIMs', () => {
  test('200: pages in the order of registration, filtered by state, nothing twice', async () => {
    const { body: first } = await api.get('/v1/sims?state=inStock&limit=200');
    expect([first.items.length, first.hasMore]).toEqual([200, true]);
    const { body: second } = await api.get(`/v1/sims?state=inStock&limit=200&after=${first.nextCursor}`);
    const ids = [...first.items, ...second.items].map((sim: Json) => sim.id);
    expect(ids).toEqual([...new Set(ids)].sort());
    expect((await api.get('/v1/sims?state=retired')).body.items).toEqual([]);
  });

  test('200: a SIM has a strong ETag, which changes when the SIM does', async () => {
    await world.rig.stock(50);
    const id = (await api.post('/v1/sims/search', { iccid: iccidOf(50) })).body.items[0].id;
    const etag = async () => (await api.get(`/v1/sims/${id}`)).headers.get('etag');
    const before = await etag();
    expect(before).toMatch(/^"[^"]+"$/);
    expect(await etag()).toBe(before);
    await world.rig.order([50]);
    expect(await etag()).not.toBe(before);
  });

  test('404: an unknown SIM and one of a market that the token does not cover', async () => {
    const id = (await api.get('/v1/sims?limit=1')).body.items[0].id;
    expect((await (await world.edge.as('e-plus-de')).get(`/v1/sims/${id}`)).status).toBe(404);
    expect((await api.get('/v1/sims/sim_00000000000000000000000000')).status).toBe(404);
  });

  test('400: a page of 201, a cursor from elsewhere', async () => {
    for (const [path, pointer] of [
      ['/v1/sims?limit=201', '/query/limit'],
      ['/v1/sims?after=e30', '/query/after'],
    ] as const) {
      const { status, body } = await api.get(path);
      expect([status, body.errors[0].pointer]).toEqual([400, pointer]);
    }
  });

  test('search: by ICCID with or without its pad nibble, by IMSI, by the number of the line', async () => {
    await world.rig.stock(40);
    const [taskId] = await world.rig.tasksOf(await world.rig.order([40]));
    for (const by of [{ iccid: iccidOf(40) }, { iccid: `${iccidOf(40)}F` }, { imsi: imsiOf(40) }, { msisdn: msisdnOf(40) }]) {
      const { status, body } = await api.post('/v1/sims/search', by, { headers: {} });
      expect([status, body.items.map((sim: Json) => sim.iccid)]).toEqual([200, [iccidOf(40)]]);
    }
    await world.rig.reject(taskId ?? '');
    expect((await api.post('/v1/sims/search', { msisdn: msisdnOf(40) })).body.items).toEqual([]);
  });

  test('400: a search by two things or by none', async () => {
    for (const body of [{}, { iccid: iccidOf(1), imsi: imsiOf(1) }]) expect((await api.post('/v1/sims/search', body)).status).toBe(400);
  });
});
