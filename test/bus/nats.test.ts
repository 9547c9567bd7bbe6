import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BUS_RESUMED, type NatsBus, openNatsBus } from '../../src/bus/index.js';
import { natsSubject } from '../../src/bus/subject.js';
import { createLog } from '../../src/kernel/log.js';
import { createNatsServer, type NatsServer } from '../../tools/gateway/nats-server.js';

const isInstalled = spawnSync('nats-server', ['--version']).status === 0;
const isRequired = (process.env['CAUSEWAY_REQUIRE'] ?? '').split(',').includes('nats');
const NO_SERVER = 'skipped: no nats-server on the PATH';
if (!isInstalled) process.stderr.write(`${NO_SERVER}\n`);

test('subjects of NATS have no wildcards, spaces or empty tokens, and stay below ours', () => {
  expect(natsSubject('device.dev_01')).toBe('causeway.device.dev_01');
  expect(natsSubject('a*b.>c d')).toBe('causeway.a=2Ab.=3Ec=20d');
  expect(natsSubject('.a..b...')).toBe('causeway.=2Ea.=2Eb.=2E=2E');
  expect(natsSubject('ä=')).toBe('causeway.=C3=A4=3D');
});

describe.skipIf(!isInstalled && !isRequired)('over a NATS server of its own', () => {
  const buses: NatsBus[] = [];
  const failures: unknown[] = [];
  let server: NatsServer;

  async function open(url = server.url, connectMs = 2_000): Promise<NatsBus> {
    const bus = await openNatsBus({
      ...{ url, connectMs, reconnectMs: 20, log: createLog('silent') },
      onError: (failure) => void failures.push(failure),
    });
    buses.push(bus);
    return bus;
  }
  const resumed = (bus: NatsBus) => new Promise<void>((resolve) => void bus.subscribe(BUS_RESUMED, () => resolve()));
  const lost = async (bus: NatsBus) => {
    while (bus.isConnected()) await new Promise<void>((resolve) => setImmediate(resolve));
  };
  const heard = (bus: NatsBus, subject: string) => {
    const bodies: string[] = [];
    const waiting = new Set<{ count: number; done: () => void }>();
    bus.subscribe(subject, (body) => {
      bodies.push(body);
      for (const each of waiting) if (bodies.length >= each.count) each.done();
    });
    const until = (count: number) => new Promise<void>((done) => (bodies.length >= count ? done() : void waiting.add({ count, done })));
    return { bodies, until };
  };

  beforeEach(async () => {
    failures.length = 0;
    server = await createNatsServer();
    await server.start();
  });
  afterEach(async () => {
    await Promise.all(buses.splice(0).map((bus) => bus.close()));
    await server.kill();
  });

  test('a server that cannot be reached at the start is said in one sentence', async () => {
    await server.kill();
    await expect(open()).rejects.toMatchObject({
      code: 'CONFIG.INVALID',
      detail: `The NATS server at ${new URL(server.url).host} cannot be reached.`,
    });
  });

  test('a password in the address is used, and never told', async () => {
    const guarded = await createNatsServer({ user: 'node', password: 'pass word' });
    await guarded.start();
    try {
      const refusal: unknown = await open(guarded.url).catch((failure: unknown) => failure);
      expect(String(Reflect.get(refusal as object, 'detail'))).toMatch(/cannot be reached/);
      const url = guarded.url.replace('//', '//node:pass%20word@');
      const [one, other] = [await open(url), await open(url)];
      const listener = heard(other, 'guarded');
      await other.flush();
      one.publish('guarded', 'in');
      await listener.until(1);
    } finally {
      await Promise.all(buses.splice(0).map((bus) => bus.close()));
      await guarded.kill();
    }
  });

  test('after a restart of the server both ends go on by themselves and are told to look for what they missed', async () => {
    const [one, other] = [await open(), await open()];
    const listener = heard(other, 'restart');
    await other.flush();
    one.publish('restart', 'before');
    await listener.until(1);
    const back = Promise.all([resumed(one), resumed(other)]);
    await server.kill();
    await Promise.all([lost(one), lost(other)]);
    one.publish('restart', 'while it is away');
    await server.start();
    await back;
    await Promise.all([one.flush(), other.flush()]);
    one.publish('restart', 'after');
    await listener.until(2);
    expect(listener.bodies).toEqual(['before', 'after']);
    expect(one.dropped()).toBe(1);
  });

  test('while the server is away listeners of the same process hear each other', async () => {
    const bus = await open();
    const listener = heard(bus, 'local');
    await server.kill();
    await lost(bus);
    bus.publish('local', 'still');
    await listener.until(1);
    expect(failures).toEqual([]);
  });

  test('a subscription made while the server is away counts once it is back', async () => {
    const [one, other] = [await open(), await open()];
    const back = Promise.all([resumed(one), resumed(other)]);
    await server.kill();
    await Promise.all([lost(one), lost(other)]);
    const listener = heard(other, 'late');
    await server.start();
    await back;
    await other.flush();
    one.publish('late', 'heard');
    await listener.until(1);
  });

  test('a server that does not read makes us drop frames, not gather them', async () => {
    const bus = await open();
    server.freeze();
    const body = 'x'.repeat(60_000);
    for (let count = 0; count < 1_000; count++) bus.publish('flood', body);
    expect(bus.dropped()).toBeGreaterThan(800);
    server.thaw();
    await bus.flush();
    const before = bus.dropped();
    bus.publish('flood', 'small');
    expect(bus.dropped()).toBe(before);
  });

  test('a listener that is slow does not make the process gather frames without end, and the publisher goes on', async () => {
    const [one, other] = [await open(), await open()];
    let count = 0;
    other.subscribe('slow', () => {
      count++;
      const until = performance.now() + 1;
      while (performance.now() < until);
    });
    await other.flush();
    for (let sent = 0; sent < 100; sent++) one.publish('slow', 'frame');
    await one.flush();
    expect(one.isConnected()).toBe(true);
    while (count < 100) await new Promise<void>((resolve) => setImmediate(resolve));
  });

  test('closing lets what was published arrive', async () => {
    const [one, other] = [await open(), await open()];
    const listener = heard(other, 'last');
    await other.flush();
    for (let sent = 0; sent < 1_000; sent++) one.publish('last', String(sent));
    await one.close();
    await listener.until(1_000);
    expect(listener.bodies.at(-1)).toBe('999');
  });

  test('closing is quick while the server is away', async () => {
    const bus = await open();
    await server.kill();
    await lost(bus);
    await bus.close();
    expect(bus.isConnected()).toBe(false);
  });
});
