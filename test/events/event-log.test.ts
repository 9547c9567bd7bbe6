import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createInProcessBus } from '../../src/bus/index.js';
import { createEvents, type Events, type NewEvent } from '../../src/events/index.js';
import { createLog } from '../../src/kernel/log.js';
import { createFakeClock } from '../fakes/clock.js';
import { openTestStore } from '../fakes/store.js';
import { anEvent } from './event-builder.js';
import { createFakeKeyWrap } from './fake-key-wrap.js';

let store: Awaited<ReturnType<typeof openTestStore>>;
let events: Events;
beforeEach(async () => {
  store = await openTestStore();
  const bus = createInProcessBus(() => {});
  events = createEvents({
    store,
    bus,
    clock: createFakeClock(),
    log: createLog('silent'),
    keyWrap: createFakeKeyWrap(),
    allowLoopback: false,
    source: 'https://gateway.example',
  });
});
afterEach(() => store.close());

const append = (...all: NewEvent[]) =>
  store.control.transact(async (tx) => {
    for (const event of all) await events.append(tx, event);
  });
const positions = async (partnerId: string) =>
  (await store.control.read.event.findMany({ where: { partnerId }, orderBy: { position: 'asc' } })).map((row) => Number(row.position));
const ids = (page: { items: unknown[] }) => page.items.map((item) => (item as { id: string }).id);

describe('the event log', () => {
  test('an event is listed as CloudEvents 1.0.2, with its sequence, partner, market and correlator', async () => {
    const event = anEvent({ correlator: 'c-1', subscriptionId: 'sub_1', previous: { status: 'inProgress' } });
    await append(event);
    expect((await events.list('e-plus')).items).toEqual([
      {
        specversion: '1.0',
        id: event.id,
        source: 'https://gateway.example',
        type: 'com.causeway.v1.order.completed',
        time: '2026-11-22T12:00:00.000Z',
        subject: event.subject,
        datacontenttype: 'application/json',
        sequence: '0000000000000001',
        partnerid: 'e-plus',
        market: 'XS',
        correlator: 'c-1',
        data: { subscriptionId: 'sub_1', resource: event.resource, previous: { status: 'inProgress' } },
      },
    ]);
  });

  test('an id that is appended again changes nothing: no gap, no second row, no later sequence', async () => {
    const [first, second] = [anEvent({ subject: 'ord_1' }), anEvent({ subject: 'ord_1' })];
    await append(first, first);
    await append(first, second);
    expect(await positions('e-plus')).toEqual([1, 2]);
    expect((await events.list('e-plus')).items).toMatchObject([{ sequence: '0000000000000001' }, { sequence: '0000000000000002' }]);
  });

  test('positions have no gaps, whatever rolls back and whoever else appends', async () => {
    const refused = store.control.transact(async (tx) => {
      await events.append(tx, anEvent());
      throw new Error('no');
    });
    await Promise.allSettled([append(anEvent()), refused, append(anEvent({ partnerId: 'other' })), append(anEvent())]);
    expect(await positions('e-plus')).toEqual([1, 2]);
    expect(await positions('other')).toEqual([1]);
  });

  test('each subject counts for itself', async () => {
    await append(anEvent({ subject: 'a' }), anEvent({ subject: 'b' }), anEvent({ subject: 'a' }));
    const sequences = (await events.list('e-plus')).items.map((item) => {
      const { subject, sequence } = item as { subject: string; sequence: string };
      return `${subject}${Number(sequence)}`;
    });
    expect(sequences).toEqual(['a1', 'b1', 'a2']);
  });

  test('a reader pages through everything once and, having caught up, goes on from there', async () => {
    const all = Array.from({ length: 5 }, () => anEvent());
    await append(...all);
    const seen: string[] = [];
    let after: string | undefined;
    expect((await events.list('nobody')).nextCursor).toBeNull();
    for (let more = true; more; ) {
      const page = await events.list('e-plus', { after, limit: 2 });
      seen.push(...ids(page));
      after = page.nextCursor ?? undefined;
      more = page.hasMore;
    }
    expect(seen).toEqual(all.map((event) => event.id));
    const later = anEvent();
    await append(later);
    expect(ids(await events.list('e-plus', { after }))).toEqual([later.id]);
  });

  test("types and the token's markets narrow the list; another partner's events are not in it", async () => {
    const [here, there, everywhere] = [anEvent({ market: 'XS' }), anEvent({ market: 'DE', type: 'sim.registered' }), anEvent()];
    delete everywhere.market;
    await append(here, there, everywhere, anEvent({ partnerId: 'other' }));
    expect(ids(await events.list('e-plus', { markets: ['XS'] }))).toEqual([here.id, everywhere.id]);
    expect(ids(await events.list('e-plus', { types: ['com.causeway.v1.sim.registered'] }))).toEqual([there.id]);
    expect(ids(await events.list('e-plus'))).toHaveLength(3);
  });

  test.each(['', 'x', 'LTE', 'MS4y', Buffer.from('99999999999999999').toString('base64url'), 'M'.repeat(1000)])(
    'a cursor that the list did not hand out is refused: %s',
    async (after) => {
      await expect(events.list('e-plus', { after })).rejects.toMatchObject({ status: 400, errors: [{ pointer: '/query/after' }] });
    },
  );
});

describe('the timeline of a subscription', () => {
  test('is the newest first, by when things happened, with facts and price', async () => {
    const price = { amountMinor: 4, currency: 'EUR' };
    const first = anEvent({ subscriptionId: 'sub_1', at: 1_000, type: 'sms-message.submitted', subject: 'sms_1', price });
    const second = anEvent({ subscriptionId: 'sub_1', at: 3_000, facts: [{ name: 'segments', value: '1' }] });
    const late = anEvent({ subscriptionId: 'sub_1', at: 2_000 });
    await append(first, second, late, anEvent({ subscriptionId: 'sub_2' }), anEvent({ subscriptionId: 'sub_1', partnerId: 'other' }));
    const page = await events.timeline('e-plus', 'sub_1');
    expect(ids(page)).toEqual([second.id, late.id, first.id]);
    expect(page.items[0]?.facts).toEqual([{ name: 'segments', value: '1' }]);
    expect(page.items[2]).toEqual({
      id: first.id,
      at: 1_000,
      type: 'sms-message.submitted',
      resourceType: 'sms-message',
      resourceId: 'sms_1',
      summary: 'Order completed',
      facts: [],
      price,
    });
  });

  test('pages without a repeat or a hole when many things happened at one instant', async () => {
    const all = Array.from({ length: 7 }, (_, i) => anEvent({ subscriptionId: 'sub_1', at: i < 5 ? 1_000 : 2_000 }));
    await append(...all);
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await events.timeline('e-plus', 'sub_1', { after, limit: 2 });
      seen.push(...ids(page));
      after = page.nextCursor ?? undefined;
    } while (after);
    expect(seen).toEqual(all.map((event) => event.id).reverse());
  });
});

describe("what messages.db's outbox reports", () => {
  test('is appended once, in order, however often it is relayed; a row that is no event holds up no other', async () => {
    const all = Array.from({ length: 60 }, () => anEvent());
    const entries = all.map((event) => ({ id: event.id, payload: JSON.stringify(event) }));
    entries.splice(10, 0, { id: 'bad', payload: '{"id":' }, { id: 'worse', payload: JSON.stringify({ ...anEvent(), at: 'noon' }) });
    await events.appendFromOutbox(entries);
    await events.appendFromOutbox(entries.slice(40));
    expect(ids(await events.list('e-plus', { limit: 200 }))).toEqual(all.map((event) => event.id));
    expect(await positions('e-plus')).toEqual(all.map((_, i) => i + 1));
  });
});
