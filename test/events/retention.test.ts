import { afterEach, beforeEach, expect, test } from 'vitest';
import { openTestStore } from '../fakes/store.js';
import { anEvent } from './event-builder.js';
import { aFixture, aSender, type Fixture, status } from './fixture.js';

const DAY = 86_400_000;

let fixture: Fixture;
let store: Awaited<ReturnType<typeof openTestStore>>;
beforeEach(async () => {
  store = await openTestStore();
  fixture = aFixture(store);
});
afterEach(() => store.close());

async function sweep(): Promise<void> {
  const retention = fixture.events.startRetention();
  await retention.finished();
  await retention.close();
}
const positions = async () =>
  (await store.control.read.event.findMany({ orderBy: { position: 'asc' } })).map(({ position }) => Number(position));

test('after 30 days an event is forgotten, not before; positions and sequences go on where they were', async () => {
  const subject = 'ord_1';
  await fixture.append(anEvent({ subject }), anEvent({ subject }));
  await fixture.clock.advance(DAY);
  await fixture.append(anEvent({ subject }));
  await fixture.clock.advance(29 * DAY);
  await sweep();
  expect(await positions()).toEqual([1, 2, 3]);
  await fixture.clock.advance(1);
  await sweep();
  expect(await positions()).toEqual([3]);
  await fixture.append(anEvent({ subject }));
  const { items, nextCursor } = await fixture.events.list('e-plus');
  expect(items.map((item) => (item as { sequence: string }).sequence)).toEqual(['0000000000000003', '0000000000000004']);
  expect((await fixture.events.list('e-plus', { after: nextCursor ?? '' })).items).toEqual([]);
});

test('its deliveries and their attempts go with it; one that is still on its way is kept until its tries are over', async () => {
  await fixture.subscribe();
  let answer = 500;
  const sender = aSender(fixture.clock, () => status(answer));
  const delivering = aFixture(store, { clock: fixture.clock, keyWrap: fixture.keyWrap, sender });
  await delivering.append(anEvent());
  const worker = delivering.events.startDeliveries({ nodeId: 'node', sweepMs: 365 * DAY, random: () => 0 });
  await worker.idle();
  const kept = { where: { status: 'pending' } };
  expect(await store.control.read.webhookDelivery.count(kept)).toBe(1);
  await fixture.clock.advance(30 * DAY + 1);
  await sweep();
  expect([await positions(), await store.control.read.webhookAttempt.count()]).toEqual([[1], 1]);
  answer = 204;
  worker.wake();
  await worker.idle();
  await worker.close();
  expect(await fixture.deliveries()).toEqual([expect.objectContaining({ status: 'delivered' })]);
  await sweep();
  expect([
    await positions(),
    await store.control.read.webhookDelivery.count(),
    await store.control.read.webhookAttempt.count(),
    await store.control.read.eventSubscription.count(),
  ]).toEqual([[], 0, 0, 1]);
});

test('however many there are, each transaction forgets few', async () => {
  for (let part = 0; part < 3; part++) await fixture.append(...Array.from({ length: 150 }, () => anEvent({ subject: 'ord_1' })));
  await fixture.clock.advance(30 * DAY + 1);
  await fixture.append(anEvent());
  const chunks: number[] = [];
  const watched = {
    ...store.control,
    async transact<T>(work: Parameters<typeof store.control.transact<T>>[0]) {
      const before = await store.control.read.event.count();
      const result = await store.control.transact(work);
      chunks.push(before - (await store.control.read.event.count()));
      return result;
    },
  };
  const retention = aFixture({ ...store, control: watched }, { clock: fixture.clock }).events.startRetention();
  await retention.finished();
  await retention.close();
  expect(await positions()).toEqual([451]);
  expect(chunks.reduce((sum, chunk) => sum + chunk)).toBe(450);
  expect(Math.max(...chunks)).toBe(200);
});
