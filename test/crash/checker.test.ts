/**
 * The checker of `npm run crash` sees what is missing, what is there twice, and what leaks: a load that nothing happens to is
 * judged as it is, and then with one thing after the other changed.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Envelope } from '../../sdks/messaging/index.js';
import type { Books } from '../../tools/crash/books.js';
import { check, type Evidence } from '../../tools/crash/check.js';
import { type Crash, openCrash } from '../../tools/crash/crash.js';
import { createLeaks, type Leaks } from '../../tools/crash/leaks.js';
import type { Phone } from '../../tools/crash/phone.js';

const TEST_MS_MAX = 300_000;

let crash: Crash;
let evidence: Evidence;

beforeAll(async () => {
  crash = await openCrash({ seed: 20_261_123, repeatablesMax: 200 });
  // Until there is one of each kind to be changed.
  while (crash.ledger.replies.length === 0 || crash.ledger.orders.length < 2 || crash.ledger.messages.length < 2) await crash.answers(10);
  expect(await crash.settle()).toEqual([]);
  evidence = await crash.evidence();
}, TEST_MS_MAX);
afterAll(() => crash?.close(), TEST_MS_MAX);

const changed = (books: Partial<Books>): Evidence => ({ ...evidence, books: { ...evidence.books, ...books } });
const kindsOf = (of: Evidence) => new Set(check(of).map(({ kind }) => kind));

/** With other envelopes at every phone. */
function withArrivals(change: (envelopes: Envelope[]) => Envelope[]): Evidence {
  const phones = evidence.ledger.phones.map((phone): Phone => {
    const envelopes = change([...phone.arrivals.values()].map(({ envelope }) => envelope));
    return { ...phone, arrivals: new Map(envelopes.map((envelope) => [envelope.envelopeId, { envelope, times: 1, isAckAnswered: true }])) };
  });
  const of = (phone: Phone) => phones.find(({ deviceId }) => deviceId === phone.deviceId) ?? phone;
  const messages = evidence.ledger.messages.map((message) => ({ ...message, to: of(message.to) }));
  return { ...evidence, ledger: { ...evidence.ledger, phones, messages } };
}

function first<T>(items: Iterable<T>): T {
  for (const item of items) return item;
  throw new Error('there is none');
}

test('a load that nothing happened to is found whole', () => {
  expect(check(evidence)).toEqual([]);
});

describe('what is missing is lost', () => {
  const missing: [string, () => Evidence][] = [
    ['an order', () => changed({ orders: evidence.books.orders.slice(1) })],
    ['the end of an order', () => changed({ orders: evidence.books.orders.map((order) => ({ ...order, state: 'inProgress' })) })],
    ['a fallback', () => changed({ fallbacks: new Map([...evidence.books.fallbacks].slice(1)) })],
    ['an event', () => changed({ events: evidence.books.events.filter(({ type }) => type !== 'sms.delivered') })],
    [
      'a place in a subject’s numbering',
      () => changed({ events: evidence.books.events.map((event) => ({ ...event, sequence: event.sequence + 1 })) }),
    ],
    ['a move of the test clock', () => changed({ offsetSeconds: evidence.books.offsetSeconds - 11 })],
    ['an SMS on a handset', () => ({ ...evidence, handsets: evidence.handsets.slice(1) })],
    ['a webhook', () => ({ ...evidence, webhooks: evidence.webhooks.slice(1) })],
    ['the event of a webhook', () => changed({ events: evidence.books.events.filter(({ id }) => id !== first(evidence.webhooks).id) })],
    [
      'the price of an SMS',
      () =>
        changed({
          sms: new Map(
            [...evidence.books.sms].map(([id, sms]) => {
              const { price: _, ...free } = sms ?? first([]);
              return [id, free];
            }),
          ),
        }),
    ],
    ['a message at its recipient', () => withArrivals((envelopes) => envelopes.filter(({ kind }) => kind !== 'message'))],
    ['a status at its sender', () => withArrivals((envelopes) => envelopes.filter(({ kind }) => kind !== 'status'))],
    [
      'an answer by SMS',
      () => ({
        ...evidence,
        ledger: { ...evidence.ledger, replies: [...evidence.ledger.replies, { ...first(evidence.ledger.replies), text: 'never' }] },
      }),
    ],
  ];
  test.each(missing)('%s', (_, change) => {
    expect(kindsOf(change())).toContain('lost');
  });
});

describe('what is there twice is doubled', () => {
  const twice: [string, () => Evidence][] = [
    ['an order of one key', () => changed({ orders: [...evidence.books.orders, { ...first(evidence.books.orders), id: 'ord_again' }] })],
    ['an event of one change', () => changed({ events: [...evidence.books.events, { ...first(evidence.books.events), id: 'evt_again' }] })],
    ['an SMS on a handset', () => ({ ...evidence, handsets: [...evidence.handsets, ...evidence.handsets, ...evidence.handsets] })],
    [
      'an SMS that nobody wrote',
      () => ({ ...evidence, handsets: [...evidence.handsets, { ...first(evidence.handsets), text: 'Hello.' }] }),
    ],
    [
      'a charge of one fallback',
      () => {
        const [id, sms] = first(evidence.books.sms);
        return changed({ sms: new Map([...evidence.books.sms, [`${id}again`, sms && { ...sms, id: `${id}again` }]]) });
      },
    ],
    ['a move of the test clock', () => changed({ offsetSeconds: evidence.books.offsetSeconds + 11 })],
    [
      'a message at its recipient',
      () => withArrivals((envelopes) => [...envelopes, ...envelopes.map((each) => ({ ...each, envelopeId: `${each.envelopeId}again` }))]),
    ],
    [
      'an answer by SMS',
      () => ({
        ...evidence,
        ledger: {
          ...evidence.ledger,
          phones: evidence.ledger.phones.map((phone) => ({ ...phone, replies: [...phone.replies, ...phone.replies] })),
        },
      }),
    ],
  ];
  test.each(twice)('%s', (_, change) => {
    expect(kindsOf(change())).toContain('doubled');
  });
});

describe('what leaks is found', () => {
  const word = 'a-word-of-an-sms-0815';
  const leaksOf = async (plant: (leaks: Leaks) => Promise<void> | void) => {
    const leaks = createLeaks();
    leaks.note(word, 'the text of an SMS');
    await plant(leaks);
    return leaks.findings().map(({ what }) => what);
  };
  const atRest = (leaks: Leaks) => leaks.readRest(crash.place, crash.load.run);

  test('in a file of the data folder, also in base64', async () => {
    const file = join(crash.place.home.dataDir, 'planted.tmp');
    expect(await leaksOf(atRest)).toEqual([]);
    writeFileSync(file, `{"queued":"${Buffer.from(`Hello ${word}`).toString('base64')}"}`);
    expect(await leaksOf(atRest)).toEqual([expect.stringContaining('planted.tmp holds the text of an SMS')]);
    rmSync(file);
  });

  test('in a line of the log, known secrets and whatever looks like one', async () => {
    const line = `{"msg":"sms queued","text":"${word}","peer":"+9995712345678"}`;
    expect(await leaksOf((leaks) => leaks.readOutput(`{"msg":"harmless"}\n${line}\n`))).toEqual([
      'the log holds an MSISDN, in "sms queued"',
      'the log holds the text of an SMS, in "sms queued"',
    ]);
  });

  test('and a search that does not see what is there fails', async () => {
    await expect(createLeaks().readRest(crash.place, 'a word that is nowhere')).rejects.toThrow('blind');
  });
});
