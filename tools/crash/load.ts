import { randomBytes } from 'node:crypto';
import { startWebhookReceiver, type WebhookReceiver } from '../demo/webhook-receiver.js';
import { chat } from './chats.js';
import { missedMessages } from './fallbacks.js';
import { type Ledger, refusalOf } from './ledger.js';
import { order } from './orders.js';

import type { Reach } from './reach.js';
import { once, type Scene } from './scene.js';
import type { Smsc } from './smsc.js';

/** Orders, messages, fallbacks and their webhooks, from several workers at once, for as long as they are let. */
export interface Load {
  readonly run: string;
  readonly secretWord: string;
  readonly receiver: WebhookReceiver;
  /** When the test clock was set, by how much it had been put forward. */
  readonly offsetSeconds: number;
  /** Begins no new work. @returns when what was begun has come to its end. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

/** Everything that the load makes happen. */
export const TOLD: ReadonlySet<string> = new Set([
  ...['order.acknowledged', 'order.in-progress', 'order.completed', 'order.failed', 'order.partial'],
  ...[
    'task.awaiting-operator',
    'task.confirmed',
    'task.rejected',
    'subscription.active',
    'subscription.failed',
    'entitlement.granted',
    'account.registered',
    'line.changed',
  ],
  ...['fallback.armed', 'fallback.cancelled', 'fallback.claimed', 'fallback.unknown'],
  ...['sms.submitted', 'sms.delivered', 'sms.undelivered', 'sms.unknown', 'sms-reply.received'],
]);

/** The endpoint refuses one webhook in so many at first. */
const REFUSED = 100;

/** Each goes on with new work whenever it has ended some. */
const WORKERS = [order, order, chat, chat, missedMessages, missedMessages, missedMessages, missedMessages];

export async function startLoad(given: { reach: Reach; ledger: Ledger; smsc: Smsc; random: Scene['random'] }): Promise<Load> {
  const { reach, ledger, smsc, random } = given;
  const { partner } = reach;
  const run = `crash-${randomBytes(4).toString('hex')}`;
  const secretWord = `q${randomBytes(6).toString('hex')}`;
  let last = 0;
  let isOver = false;

  const refused = new Set<string>();
  const receiver = await startWebhookReceiver({
    onAnswered: () => ledger.came('a webhook'),
    // Each at most once: the second retry comes after minutes.
    accepts: ({ id }) => random(REFUSED) > 0 || refused.has(id) || !refused.add(id),
  });
  const headers = { 'Idempotency-Key': `${run}-sink` };
  const types = [...TOLD].map((type) => `com.causeway.v1.${type}`);
  const sink = await ledger.ask('other', () => partner.createEventSubscription({ headers, body: { sink: receiver.url, types } }));
  receiver.useSecret(sink.secret ?? '');
  const { offsetSeconds } = await ledger.ask('other', () => partner.getSandboxClock());
  const { items: plans } = await ledger.ask('other', () => partner.listPlans({ query: { market: 'XS', status: 'published' } }));
  const plan = plans.find(({ name }) => name === 'Prepaid messaging SIM');
  if (!plan) throw new Error('the catalogue has no plan for the load');

  const scene: Scene = {
    ...{ reach, ledger, smsc, random, run, secretWord },
    planId: plan.id,
    isOver: () => isOver,
    next: () => ++last,
    async advance(seconds) {
      const key = once(scene, `clock-${++last}`);
      const move = (to = partner) => to.moveSandboxClock({ headers: key, body: { advanceSeconds: seconds } });
      const { now } = await ledger.ask('other', () => move());
      ledger.advancedSeconds += seconds;
      ledger.mayRepeat({ what: 'a move of the test clock', answer: now, again: async (other) => (await move(other.partner)).now });
    },
  };

  async function work(worker: (scene: Scene) => Promise<void>): Promise<void> {
    while (!isOver) {
      try {
        await worker(scene);
      } catch (failure) {
        ledger.fault({ kind: 'lost', what: refusalOf(failure) });
      }
    }
  }
  const workers = WORKERS.map(work);

  return {
    ...{ run, secretWord, receiver, offsetSeconds },
    async stop() {
      isOver = true;
      await Promise.all(workers);
    },
    async close() {
      isOver = true;
      for (const phone of ledger.phones) phone.close();
      await receiver.close();
    },
  };
}
