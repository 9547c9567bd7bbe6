import { createInProcessBus } from '../../src/bus/index.js';
import {
  createEvents,
  type Events,
  type EventsOptions,
  type NewEvent,
  type Sender,
  type SendRequest,
  type SendResult,
} from '../../src/events/index.js';
import type { KeyWrap } from '../../src/kernel/key-wrap.js';
import { createLog } from '../../src/kernel/log.js';
import type { Store } from '../../src/store/index.js';
import { createFakeClock, type FakeClock } from '../fakes/clock.js';
import { createFakeKeyWrap } from './fake-key-wrap.js';

export interface Fixture {
  store: Store;
  clock: FakeClock;
  events: Events;
  keyWrap: KeyWrap;
  append(...events: NewEvent[]): Promise<void>;
  subscribe(given?: {
    sink?: string;
    types?: string[];
    scheme?: 'v1' | 'v1a';
    partnerId?: string;
    markets?: string[];
  }): Promise<Subscribed>;
  deliveries(): Promise<{ eventId: string; status: string; attempts: number }[]>;
}
export interface Subscribed {
  id: string;
  secret: string;
  keyId: string;
  publicKey: string;
}

/** The events feature of a sandbox on a store of the test's own. */
export function aFixture(store: Store, given: Partial<EventsOptions> & { clock?: FakeClock } = {}): Fixture {
  const clock = given.clock ?? createFakeClock();
  const keyWrap = given.keyWrap ?? createFakeKeyWrap();
  const bus = createInProcessBus(() => {});
  const source = 'https://gateway.example';
  const events = createEvents({
    source,
    store,
    bus,
    log: createLog('silent'),
    allowLoopback: true,
    resolve: async () => ['8.8.8.8'],
    ...given,
    clock,
    keyWrap,
  });
  return {
    store,
    clock,
    events,
    keyWrap,
    append: (...all) =>
      store.control.transact(async (tx, hints) => {
        for (const event of all) await events.append(tx, event, hints);
      }),
    async subscribe({ sink = 'https://hooks.example/', types = ['order.completed'], scheme = 'v1', partnerId = 'e-plus', markets } = {}) {
      const wanted = { sink, types: types.map((type) => `com.causeway.v1.${type}`), scheme };
      const { made, verification } = await store.control.transact((tx) => events.subscriptions.create(tx, { partnerId, markets }, wanted));
      return { id: made.id, secret: '', keyId: '', publicKey: '', ...verification };
    },
    deliveries: async () =>
      (await store.control.read.webhookDelivery.findMany({ orderBy: { position: 'asc' } })).map(({ eventId, status, attempts }) => ({
        eventId,
        status,
        attempts,
      })),
  };
}

export interface ScriptedSender extends Sender {
  sent: { id: string; sink: string; at: number }[];
  inFlight: number;
  mostInFlight: number;
}

/** A sender without a network: `answer` decides, and may wait. */
export function aSender(clock: FakeClock, answer: (request: SendRequest) => Promise<SendResult> | SendResult): ScriptedSender {
  const sender: ScriptedSender = {
    sent: [],
    inFlight: 0,
    mostInFlight: 0,
    async send(request) {
      sender.sent.push({ id: request.headers['webhook-id'] ?? '', sink: request.sink, at: clock.now() });
      sender.mostInFlight = Math.max(sender.mostInFlight, ++sender.inFlight);
      try {
        return await answer(request);
      } finally {
        sender.inFlight--;
      }
    },
    async close() {},
  };
  return sender;
}

export const status = (httpStatus: number, retryAfterMs?: number): SendResult => ({ outcome: 'answered', httpStatus, retryAfterMs });
