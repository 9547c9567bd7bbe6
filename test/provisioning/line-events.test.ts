import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ApiClient } from '../fakes/api-client.js';
import { expectOneAct, msisdnOf, openEdge } from './rig.js';

let world: Awaited<ReturnType<typeof openEdge>>;
let api: ApiClient;
beforeAll(async () => {
  world = await openEdge();
  api = await world.edge.as();
});
afterAll(() => world.close());

const linesOf = async (n: number) => (await world.rig.outbox()).filter((line) => line.msisdn === msisdnOf(n));

describe('createLineEvent', () => {
  test.each(['portedIn', 'portedOut', 'recycled', 'simSwapped', 'barred'])(
    '201: %s raises the epoch before the answer goes out',
    async (type) => {
      const settled = world.linesSettled();
      const before = (await linesOf(1)).length;
      const { status, body } = await api.post('/v1/line-events', {
        type,
        msisdn: msisdnOf(1),
        occurredAt: '2026-11-22T09:00:00.000Z',
        note: 'By phone.',
      });
      expect([status, body.type, body.occurredAt, body.recordedAt]).toEqual([
        201,
        type,
        '2026-11-22T09:00:00.000Z',
        '2026-11-22T10:00:00.000Z',
      ]);
      expect(world.linesSettled()).toBe(settled + 1);
      const lines = await linesOf(1);
      expect(lines).toHaveLength(before + 1);
      expect(lines.at(-1)).toEqual({ id: body.id, msisdn: msisdnOf(1), partnerId: 'e-plus', market: 'XS', cause: type });
      expect(await world.rig.control.read.lineEvent.findUnique({ where: { id: body.id } })).toMatchObject({ note: 'By phone.' });
    },
  );

  test('201: on the timeline of the line that holds the number, without the note', async () => {
    await world.rig.stock(2);
    await world.rig.tasksOf(await world.rig.order([2]));
    const [subscription] = (await api.post('/v1/subscriptions/search', { msisdn: msisdnOf(2) })).body.items;
    const { body } = await api.post('/v1/line-events', { type: 'simSwapped', msisdn: msisdnOf(2), note: 'Her dog ate it.' });
    expect(body.subscriptionId).toBe(subscription.id);
    const event = (await world.rig.history()).at(-1);
    expect(event).toMatchObject({ type: 'line.changed', subject: body.id, data: { subscriptionId: subscription.id } });
    expect(JSON.stringify(event)).not.toContain('dog');
  });

  test.each([
    ['e-plus-backoffice', '+9998700000001'],
    ['e-plus-backoffice', '+4917000000001'],
    ['e-plus-de', msisdnOf(1)],
    ['cw', msisdnOf(1)],
  ])('422: for %s a number that is not in its ranges and markets; nothing rises', async (client, msisdn) => {
    const before = await world.rig.outbox();
    const { status, body } = await (await world.edge.as(client)).post('/v1/line-events', { type: 'recycled', msisdn });
    expect([status, body.code, body.errors[0].pointer]).toEqual([422, 'PROVISIONING.MSISDN_NOT_OURS', '/msisdn']);
    expect(JSON.stringify(body)).not.toMatch(/\d{10,}/);
    expect(await world.rig.outbox()).toEqual(before);
  });

  test('400: a bad number, an unknown type; 401; 403 names the scope', async () => {
    for (const [body, pointer] of [
      [{ type: 'recycled', msisdn: '12' }, '/msisdn'],
      [{ type: 'eaten', msisdn: msisdnOf(1) }, '/type'],
    ] as const) {
      const answer = await api.post('/v1/line-events', body);
      expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, pointer]);
    }
    expect((await world.edge.api.post('/v1/line-events', { type: 'recycled', msisdn: msisdnOf(1) })).status).toBe(401);
    const narrow = await (await world.edge.as('e-plus-backoffice', 'lines:read')).post('/v1/line-events', {
      type: 'recycled',
      msisdn: msisdnOf(1),
    });
    expect([narrow.status, narrow.body.detail]).toEqual([403, expect.stringContaining('lines:write')]);
  });

  test('the same event twice with one key raises once, also at the same instant; a repeat waits for the epoch too', async () => {
    const send = () => api.post('/v1/line-events', { type: 'recycled', msisdn: msisdnOf(3) }, { idempotencyKey: 'recycled-3' });
    expectOneAct(await Promise.all([send(), send()]));
    expect(await linesOf(3)).toHaveLength(1);
    const settled = world.linesSettled();
    expect((await send()).headers.get('idempotency-replayed')).toBe('true');
    expect(world.linesSettled()).toBe(settled + 1);
    expect(await linesOf(3)).toHaveLength(1);
  });
});
