import { createPublicKey, verify } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DeliveryWorker } from '../../src/events/index.js';
import { openSqliteStore, type Store } from '../../src/store/index.js';
import { createFakeClock, type FakeClock } from '../fakes/clock.js';
import { openTestStore } from '../fakes/store.js';
import { anEvent } from './event-builder.js';
import { aFixture, aSender, type Fixture, type ScriptedSender, status } from './fixture.js';
import { openReceiver, type Receiver } from './receiver.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

let store: Awaited<ReturnType<typeof openTestStore>>;
const workers: DeliveryWorker[] = [];
beforeEach(async () => {
  store = await openTestStore();
});
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.close();
  await store.close();
});

const turn = () => new Promise<void>((done) => setImmediate(done));

/** Sweeps are off: these tests move days, and wake the worker themselves. */
function start({ events }: Fixture, nodeId = 'node'): DeliveryWorker {
  const worker = events.startDeliveries({ nodeId, sweepMs: 365 * DAY, random: () => 0 });
  workers.push(worker);
  return worker;
}

describe('a delivery over HTTP', () => {
  let receiver: Receiver;
  beforeEach(async () => {
    receiver = await openReceiver();
  });
  afterEach(() => receiver.close());
  // The stock verifier compares with the machine's time.
  const realTime = () => createFakeClock(Date.now());

  test('is verified by the stock verifier, byte for byte what the event log holds', async () => {
    const fixture = aFixture(store, { clock: realTime() });
    const { secret } = await fixture.subscribe({ sink: receiver.url });
    const event = anEvent({ resource: { id: 'ord_1', note: 'Grüße / \u2028 🎉' } });
    await fixture.append(event);
    await start(fixture).idle();
    expect(receiver.received).toHaveLength(1);
    const [{ headers, body, path } = { headers: {}, body: '', path: '' }] = receiver.received;
    expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toEqual((await fixture.events.list('e-plus')).items[0]);
    expect(headers).toMatchObject({ 'webhook-id': event.id, 'content-type': 'application/cloudevents+json' });
    expect(headers['webhook-timestamp']).toBe(String(Math.floor(fixture.clock.now() / 1000)));
    expect(path).toBe('/hooks?x=1');
    expect(body).toBe((await store.control.read.event.findUnique({ where: { id: event.id } }))?.cloudEvent);
    expect(() => new Webhook(secret).verify(`${body} `, headers as Record<string, string>)).toThrow();
    expect(await fixture.deliveries()).toEqual([{ eventId: event.id, status: 'delivered', attempts: 1 }]);
  });

  test("scheme v1a verifies with the partner's key in the JWKS, which is the one shown at registration", async () => {
    const fixture = aFixture(store, { clock: realTime() });
    const { keyId, publicKey } = await fixture.subscribe({ sink: receiver.url, scheme: 'v1a' });
    const second = await fixture.subscribe({ sink: receiver.url, scheme: 'v1a', partnerId: 'other' });
    await fixture.append(anEvent());
    await start(fixture).idle();
    const { headers, body } = receiver.received[0] ?? { headers: {} as IncomingHttpHeaders, body: '' };
    const jwks = await fixture.events.webhookKeys();
    const jwk = jwks.find(({ kid }) => kid === keyId);
    expect(jwks.map(({ kid }) => kid)).toEqual([keyId, second.keyId]);
    expect(publicKey).toBe(`whpk_${Buffer.from(jwk?.x ?? '', 'base64url').toString('base64')}`);
    const signature = Buffer.from(String(headers['webhook-signature']).replace(/^v1a,/, ''), 'base64');
    const signed = Buffer.from([headers['webhook-id'], headers['webhook-timestamp'], body].join('.'));
    expect(verify(null, signed, createPublicKey({ key: { ...jwk }, format: 'jwk' }), signature)).toBe(true);
  });

  test('a redirect is a failure and is not followed', async () => {
    const other = await openReceiver();
    receiver.answers.unshift({ status: 307, headers: { location: other.url } });
    const fixture = aFixture(store);
    await fixture.subscribe({ sink: receiver.url });
    await fixture.append(anEvent());
    await start(fixture).idle();
    expect([receiver.received.length, other.received.length]).toEqual([1, 0]);
    expect(await fixture.deliveries()).toMatchObject([{ status: 'pending', attempts: 1 }]);
    await other.close();
  });

  test('an endpoint that does not answer is given 15 seconds', async () => {
    const fixture = aFixture(store);
    const hole = createServer();
    const asked = once(hole, 'connection').then(([socket]) => once(socket as Socket, 'data'));
    await new Promise<void>((done) => hole.listen(0, '127.0.0.1', () => done()));
    await fixture.subscribe({ sink: `http://127.0.0.1:${(hole.address() as { port: number }).port}/` });
    await fixture.append(anEvent());
    const worker = start(fixture);
    await asked;
    await fixture.clock.advance(15 * SECOND);
    await worker.idle();
    expect(await store.control.read.webhookAttempt.findMany()).toMatchObject([
      { number: 1, outcome: 'timeout', httpStatus: null, durationMs: 15_000 },
    ]);
    await new Promise<void>((done) => hole.close(() => done()));
  });
});

describe('retries', () => {
  let clock: FakeClock;
  let fixture: Fixture;
  let sender: ScriptedSender;
  let worker: DeliveryWorker;
  let answer: Parameters<typeof aSender>[1];
  beforeEach(async () => {
    answer = () => status(500);
    clock = createFakeClock();
    sender = aSender(clock, (request) => answer(request));
    fixture = aFixture(store, { clock, sender });
    worker = start(fixture);
  });
  const pass = async (ms: number) => {
    await clock.advance(ms);
    await worker.idle();
  };

  test('come after 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h with one id; then the delivery is dead', async () => {
    await fixture.subscribe();
    const event = anEvent();
    await fixture.append(event);
    await worker.idle();
    const gaps = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];
    for (const [index, gap] of gaps.entries()) {
      await pass(gap - 1);
      expect(sender.sent).toHaveLength(index + 1);
      await pass(1);
      expect(sender.sent).toHaveLength(index + 2);
    }
    expect(new Set(sender.sent.map(({ id }) => id))).toEqual(new Set([event.id]));
    expect(await fixture.deliveries()).toEqual([{ eventId: event.id, status: 'dead', attempts: 10 }]);
    await pass(30 * DAY);
    expect(sender.sent).toHaveLength(10);
    expect(await store.control.read.webhookAttempt.count()).toBe(10);
  });

  test.each(['timeout', 'connection', 'address'] as const)('follow a %s as they follow an error', async (outcome) => {
    await fixture.subscribe();
    answer = () => ({ outcome });
    await fixture.append(anEvent());
    await worker.idle();
    answer = () => status(200);
    await pass(5 * SECOND);
    expect(await fixture.deliveries()).toMatchObject([{ status: 'delivered', attempts: 2 }]);
  });

  test('410 switches the endpoint off at once, drops what waits, and is told in the event log', async () => {
    const { id } = await fixture.subscribe();
    answer = () => status(410);
    await fixture.append(...Array.from({ length: 20 }, () => anEvent()));
    await worker.idle();
    expect(sender.sent.length).toBeLessThanOrEqual(8);
    expect(new Set((await fixture.deliveries()).map((row) => row.status))).not.toContain('pending');
    const found = await fixture.events.subscriptions.get({ partnerId: 'e-plus', markets: undefined }, id);
    expect(found).toMatchObject({ status: 'inactive', reason: 'The sink answered 410 Gone.' });
    const { items } = await fixture.events.list('e-plus', { limit: 200 });
    expect(items.filter((item) => (item as { type: string }).type === 'com.causeway.v1.event-subscription.deactivated')).toHaveLength(1);
    await fixture.append(anEvent());
    expect(await fixture.deliveries()).toHaveLength(20);
  });

  test('429 slows the endpoint down for as long as it asks, within an hour, for every delivery', async () => {
    await fixture.subscribe();
    answer = () => status(429, 10 * MINUTE);
    await fixture.append(anEvent());
    await worker.idle();
    answer = () => status(200);
    await fixture.append(anEvent());
    await pass(10 * MINUTE - 1);
    expect(sender.sent).toHaveLength(1);
    await pass(1);
    expect((await fixture.deliveries()).map((row) => row.status)).toEqual(['delivered', 'delivered']);

    answer = () => status(504, 30 * DAY);
    await fixture.append(anEvent());
    await worker.idle();
    answer = () => status(200);
    await pass(HOUR);
    expect(await fixture.deliveries()).toHaveLength(3);
    expect((await fixture.deliveries()).every((row) => row.status === 'delivered')).toBe(true);
  });

  test('an endpoint that fails gets one request at a time, and all it can take again once one succeeds', async () => {
    await fixture.subscribe();
    await fixture.append(anEvent());
    await worker.idle();
    sender.mostInFlight = 0;
    const hold: (() => void)[] = [];
    answer = () => new Promise((done) => hold.push(() => done(status(200))));
    await fixture.append(...Array.from({ length: 30 }, () => anEvent()));
    await clock.advance(5 * SECOND);
    worker.wake();
    while (hold.length === 0) await turn();
    expect(sender.inFlight).toBe(1);
    answer = () => status(200);
    hold.shift()?.();
    await worker.idle();
    expect((await fixture.deliveries()).every((row) => row.status === 'delivered')).toBe(true);
  });

  test('an endpoint gets at most eight requests at once, and a stuck one does not hold up another', async () => {
    await fixture.subscribe({ sink: 'https://stuck.example/' });
    await fixture.subscribe({ sink: 'https://quick.example/' });
    const hold: (() => void)[] = [];
    answer = ({ sink }) => (sink.includes('quick') ? status(200) : new Promise((done) => hold.push(() => done(status(200)))));
    await fixture.append(...Array.from({ length: 30 }, () => anEvent()));
    const quick = () => sender.sent.filter(({ sink }) => sink.includes('quick')).length;
    while (quick() < 30) await turn();
    expect(sender.sent.length - quick()).toBe(8);
    answer = () => status(200);
    for (const release of hold.splice(0)) release();
    await worker.idle();
    expect((await fixture.deliveries()).every((row) => row.status === 'delivered')).toBe(true);
  });

  test('an endpoint that has failed for five days without one success is switched off', async () => {
    const { id } = await fixture.subscribe();
    const state = async () => (await fixture.events.subscriptions.get({ partnerId: 'e-plus', markets: undefined }, id)).status;
    await fixture.append(anEvent());
    await worker.idle();
    await pass(4 * DAY);
    await fixture.append(anEvent());
    await worker.idle();
    expect(await state()).toBe('active');
    await pass(DAY);
    expect(await state()).toBe('inactive');
  });

  test('one success in between starts the five days anew', async () => {
    const { id } = await fixture.subscribe();
    await fixture.append(anEvent());
    await pass(4 * DAY);
    answer = () => status(200);
    await fixture.append(anEvent());
    await worker.idle();
    answer = () => status(500);
    await fixture.append(anEvent());
    await pass(2 * DAY);
    await worker.idle();
    expect((await fixture.events.subscriptions.get({ partnerId: 'e-plus', markets: undefined }, id)).status).toBe('active');
  });

  test('an append wakes the worker by itself once it is committed', async () => {
    await fixture.subscribe();
    answer = () => status(200);
    await worker.idle();
    await fixture.append(anEvent());
    while (sender.sent.length === 0) await turn();
    await worker.idle();
    expect(await fixture.deliveries()).toMatchObject([{ status: 'delivered' }]);
  });
});

describe('leases', () => {
  const stuck = () => new Promise<never>(() => {});
  const leased = async ({ control }: Store, leaseOwner: string) => {
    while (!(await control.read.webhookDelivery.findFirst({ where: { leaseOwner } }))) await turn();
  };

  test('what a killed node had claimed is delivered after its restart, with the same id', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'causeway-'));
    const clock = createFakeClock();
    const killed = await openSqliteStore(folder);
    const before = aFixture(killed, { clock, sender: aSender(clock, stuck) });
    await before.subscribe();
    const event = anEvent();
    await before.append(event);
    before.events.startDeliveries({ nodeId: 'node', sweepMs: 365 * DAY });
    await leased(killed, 'node');
    // The worker is not closed: its process is gone, and only the files remain.
    await killed.close();

    const reopened = await openSqliteStore(folder);
    const sender = aSender(clock, () => status(200));
    const after = aFixture(reopened, { clock, sender, keyWrap: before.keyWrap });
    const worker = after.events.startDeliveries({ nodeId: 'node', sweepMs: 365 * DAY });
    await worker.idle();
    expect(sender.sent).toMatchObject([{ id: event.id }]);
    expect(await after.deliveries()).toEqual([{ eventId: event.id, status: 'delivered', attempts: 1 }]);
    await worker.close();
    await reopened.close();
    rmSync(folder, { recursive: true });
  });

  test("another node takes over when a dead node's lease has ended, and not before", async () => {
    const clock = createFakeClock();
    const dead = aFixture(store, { clock, sender: aSender(clock, stuck) });
    await dead.subscribe();
    await dead.append(anEvent());
    dead.events.startDeliveries({ nodeId: 'dead', sweepMs: 365 * DAY });
    await leased(store, 'dead');
    const sender = aSender(clock, () => status(200));
    const worker = start(aFixture(store, { clock, sender, keyWrap: dead.keyWrap }), 'alive');
    await worker.idle();
    await clock.advance(24 * SECOND);
    await worker.idle();
    expect(sender.sent).toHaveLength(0);
    await clock.advance(SECOND);
    await worker.idle();
    expect(sender.sent).toHaveLength(1);
  });

  test('two nodes never have one delivery in flight at once, and together send each once', async () => {
    const clock = createFakeClock();
    const flying = new Set<string>();
    let clashes = 0;
    const begun = new Set<number>();
    const answer = async (node: number, { headers }: { headers: Record<string, string> }) => {
      const id = headers['webhook-id'] ?? '';
      if (flying.has(id)) clashes++;
      flying.add(id);
      // An endpoint gets eight at once from a node, so there is work for both.
      begun.add(node);
      while (begun.size < 2) await turn();
      for (let turns = 0; turns < 5; turns++) await turn();
      flying.delete(id);
      return status(200);
    };
    const senders = [0, 1].map((node) => aSender(clock, (request) => answer(node, request)));
    const [one, two] = senders.map((sender) => ({ clock, sender }));
    const first = aFixture(store, one);
    const second = aFixture(store, { ...two, keyWrap: first.keyWrap });
    await first.subscribe();
    const all = Array.from({ length: 100 }, () => anEvent());
    await first.append(...all);
    const pair = [start(first, 'one'), start(second, 'two')];
    await Promise.all(pair.map((worker) => worker.idle()));
    await Promise.all(pair.map((worker) => worker.idle()));
    expect(clashes).toBe(0);
    expect(senders.flatMap(({ sent }) => sent.map(({ id }) => id)).sort()).toEqual(all.map(({ id }) => id).sort());
  });

  test('closing hands back what is in flight, uncounted, to be sent again', async () => {
    const clock = createFakeClock();
    const sender = aSender(
      clock,
      ({ signal }) => new Promise((done) => signal.addEventListener('abort', () => done({ outcome: 'aborted' }))),
    );
    const fixture = aFixture(store, { clock, sender });
    await fixture.subscribe();
    const event = anEvent();
    await fixture.append(event);
    const worker = start(fixture);
    while (sender.inFlight === 0) await turn();
    const closed = worker.close();
    await clock.advance(3 * SECOND);
    await closed;
    expect(await fixture.deliveries()).toEqual([{ eventId: event.id, status: 'pending', attempts: 0 }]);
    expect(await store.control.read.webhookDelivery.count({ where: { leaseOwner: null } })).toBe(1);
    expect(clock.pending()).toBe(0);
  });
});
