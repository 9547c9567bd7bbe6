import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Bus, createInProcessBus, openNatsBus } from '../../src/bus/index.js';
import { createLog } from '../../src/kernel/log.js';
import { findServices } from '../fakes/services.js';

interface Adapter {
  /** Two ends of one bus; the same object within one process. */
  publisher: Bus;
  subscriber: Bus;
  /** Resolves when everything that was published or subscribed before has arrived. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

const nats = await findServices('nats');
let failures: unknown[];

async function openInProcess(): Promise<Adapter> {
  const bus = createInProcessBus((failure) => failures.push(failure));
  const settle = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
  return { publisher: bus, subscriber: bus, settle, close: async () => undefined };
}

async function openNats(): Promise<Adapter> {
  const given = { url: nats.urls.nats, log: createLog('silent'), onError: (failure: unknown) => void failures.push(failure) };
  const [publisher, subscriber] = await Promise.all([openNatsBus(given), openNatsBus(given)]);
  return {
    publisher,
    subscriber,
    async settle() {
      await subscriber.flush();
      await publisher.flush();
      // Behind what the server had for the subscriber by then.
      await subscriber.flush();
      await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
    },
    close: async () => void (await Promise.all([publisher.close(), subscriber.close()])),
  };
}

describe.each([
  { name: 'within one process', open: openInProcess, skip: false },
  { name: 'over NATS', open: openNats, skip: nats.skipped !== undefined },
])('the bus $name', ({ open, skip }) => {
  let adapter: Adapter;
  /** Of this test alone: the server is everybody's. */
  let own: string;
  beforeEach(async ({ skip: skipTest }) => {
    if (skip) skipTest(nats.skipped);
    failures = [];
    own = `test.${randomUUID()}`;
    adapter = await open();
  });
  afterEach(async () => {
    if (!skip) await adapter.close();
  });

  test('brings what is published to every listener of the subject, in order', async () => {
    const heard: string[][] = [[], []];
    for (const list of heard) adapter.subscriber.subscribe(own, (body) => list.push(body));
    await adapter.settle();
    const bodies = Array.from({ length: 100 }, (_, index) => `${index} – ä€😀`);
    for (const body of bodies) adapter.publisher.publish(own, body);
    await adapter.settle();
    expect(heard).toEqual([bodies, bodies]);
  });

  test('a publisher that listens hears its own frame once', async () => {
    const heard: string[] = [];
    adapter.publisher.subscribe(own, (body) => heard.push(body));
    await adapter.settle();
    adapter.publisher.publish(own, 'once');
    await adapter.settle();
    await adapter.settle();
    expect(heard).toEqual(['once']);
  });

  test('a listener runs after the turn that published', async () => {
    const order: string[] = [];
    adapter.publisher.subscribe(own, () => order.push('heard'));
    await adapter.settle();
    adapter.publisher.publish(own, '');
    order.push('published');
    await adapter.settle();
    expect(order).toEqual(['published', 'heard']);
  });

  test('an ended subscription hears nothing more, and the others of its subject go on', async () => {
    const heard: string[] = [];
    const stop = adapter.subscriber.subscribe(own, (body) => heard.push(`first ${body}`));
    adapter.subscriber.subscribe(own, (body) => heard.push(`second ${body}`));
    await adapter.settle();
    adapter.publisher.publish(own, 'a');
    await adapter.settle();
    stop();
    stop();
    await adapter.settle();
    adapter.publisher.publish(own, 'b');
    await adapter.settle();
    expect(heard).toEqual(['first a', 'second a', 'second b']);
  });

  test('a listener that throws is reported and harms no other', async () => {
    const heard: string[] = [];
    adapter.subscriber.subscribe(own, () => {
      throw new Error('of the listener');
    });
    adapter.subscriber.subscribe(own, (body) => heard.push(body));
    await adapter.settle();
    adapter.publisher.publish(own, 'a');
    adapter.publisher.publish(own, 'b');
    await adapter.settle();
    expect(heard).toEqual(['a', 'b']);
    expect(failures.map(String)).toEqual(['Error: of the listener', 'Error: of the listener']);
  });

  test('subjects are matched whole, whatever characters they have', async () => {
    const odd = ['', '.', '..', '.a', 'a.', 'a..b', '.*', '.>', '*', '>', ' ', '=', '=2E', '=2e', '%2E', 'é', '\r\n', '\t', '😀', 'A', 'a'];
    const subjects = odd.map((ending) => own + ending);
    const heard: string[] = [];
    for (const subject of subjects) adapter.subscriber.subscribe(subject, (body) => heard.push(`${subject} ${body === subject}`));
    await adapter.settle();
    for (const subject of subjects) adapter.publisher.publish(subject, subject);
    await adapter.settle();
    expect(heard).toEqual(subjects.map((subject) => `${subject} true`));
  });

  test('nobody listening is no fault', async () => {
    adapter.publisher.publish(own, 'lost');
    await adapter.settle();
    expect(failures).toEqual([]);
  });
});
