import { randomUUID } from 'node:crypto';
import {
  createMessagingClient,
  type IncomingMessage,
  type MessagingClient,
  type SmsReply,
  type StatusChange,
} from '../../sdks/messaging/index.js';
import { createCausewayClient } from '../../sdks/typescript/index.js';
import { freshIccid, freshImsi, freshMsisdn } from './numbers.js';
import { expect, patiently, until } from './patience.js';
import type { WebhookReceiver } from './webhook-receiver.js';

export interface StoryOptions {
  /** Where the gateway is; a function, since a restarted one may have another port. */
  url: string;
  /** Where the phones reach it, when that is another of its nodes. */
  phonesUrl?: string;
  clientId: string;
  clientSecret: string;
  receiver: WebhookReceiver;
  /** Told each step once it was as it should be. */
  onStep(step: StoryStep): void | Promise<void>;
  /** Milliseconds that one step may take. */
  patienceMs?: number;
}

export interface StoryStep {
  step: string;
  at: string;
  ok: true;
  id?: string;
  state?: string;
  [fact: string]: unknown;
}

/** What a checker needs to look for afterwards. */
export interface StoryResult {
  /** Texts that may be nowhere but at the two phones. */
  chatTexts: string[];
  /** The text that the fallback sent: it may be at the SMSC, and nowhere else. */
  smsText: string;
  msisdns: string[];
  smsId: string;
  subscriptionId: string;
}

/** The events that the story subscribes to, each of which must come as a webhook and stand in the timeline. */
const TOLD = [
  ...['order.completed', 'task.awaiting-operator', 'task.confirmed', 'subscription.active', 'entitlement.granted'],
  ...['fallback.armed', 'fallback.claimed', 'sms.submitted', 'sms.delivered', 'sms-reply.received'],
];

/** What the handset shows of the SMS: the reference that pairs it with the app copy comes last. */
const withRef = (text: string, ref: string) => `${text} #${ref}`;

/**
 * Plays the main job from end to end, as the operator's back office, its network, and two phones would: order a line,
 * zero-rate it, miss a message, get it by SMS, answer it. Every act may be repeated, so the gateway may be restarted at
 * any moment of it.
 *
 * @throws StoryError at the first thing that is not as it should be.
 */
export async function playStory({
  url,
  phonesUrl = url,
  clientId,
  clientSecret,
  receiver,
  onStep,
  patienceMs = 20_000,
}: StoryOptions): Promise<StoryResult> {
  const run = randomUUID().slice(0, 8);
  const partner = createCausewayClient({ serverUrl: url, clientId, clientSecret });
  const once = (what: string) => ({ 'Idempotency-Key': `demo-${run}-${what}`, 'x-correlator': `demo-${run}` });
  const tell = async (step: string, facts: { id?: string; state?: string; [fact: string]: unknown } = {}): Promise<void> =>
    onStep({ step, at: new Date().toISOString(), ok: true, ...facts });
  const waitFor = <T>(words: string, ask: () => Promise<T | undefined>) => until(words, () => patiently(ask), patienceMs);

  const her = { msisdn: freshMsisdn(), iccid: freshIccid(), imsi: freshImsi() };
  const friend = { msisdn: freshMsisdn() };
  const chatText = `The key is under the blue pot, run ${run}`;
  const smsText = `Where the key is: look below the blue pot (${run})`;
  const replyText = `Found it, thanks! ${run}`;
  const phones: MessagingClient[] = [];

  try {
    // 1. The back office reads the catalogue and subscribes to events.
    const { items: plans } = await patiently(() => partner.listPlans({ query: { market: 'XS', status: 'published' } }));
    const plan = plans.find((one) => one.name === 'Prepaid messaging SIM');
    expect(plan, 'the catalogue has no plan "Prepaid messaging SIM" in market XS');
    await tell('plan read', {
      id: plan.id,
      state: plan.status,
      name: plan.name,
      priceMinor: plan.price.amountMinor,
      currency: plan.price.currency,
    });

    const sink = await patiently(() =>
      partner.createEventSubscription({
        headers: once('sink'),
        body: { sink: receiver.url, types: TOLD.map((type) => `com.causeway.v1.${type}`) },
      }),
    );
    expect(sink.secret, 'the event subscription gave no secret');
    receiver.useSecret(sink.secret);
    await tell('webhook subscribed', { id: sink.id, state: sink.status });

    const morning = tenLocalTime(new Date());
    const tenOClock = await patiently(() => partner.moveSandboxClock({ headers: once('clock'), body: { now: morning } }));
    await tell('test clock set', { state: tenOClock.now });

    // 2. SIMs and the order.
    const batch = await patiently(() =>
      partner.createSimBatch({ headers: once('sims'), body: { market: 'XS', sims: [{ iccid: her.iccid, imsi: her.imsi }] } }),
    );
    expect(batch.succeeded === 1, `the SIM was not registered: ${batch.items[0]?.message}`);
    await tell('SIM registered', { id: batch.items[0]?.simId ?? batch.id, state: 'inStock' });

    const order = await patiently(() =>
      partner.createOrder({
        headers: once('order'),
        body: {
          market: 'XS',
          externalId: `demo-${run}`,
          items: [{ action: 'add', planId: plan.id, iccid: her.iccid, msisdn: her.msisdn }],
        },
      }),
    );
    expect(order.state === 'acknowledged', `the order is ${order.state}, not acknowledged`);
    await tell('order taken', { id: order.id, state: order.state });

    const waiting = await waitFor('the activation task', async () => {
      const { items, state } = await partner.getOrder({ path: { orderId: order.id } });
      const taskId = items[0]?.taskId;
      if (taskId === undefined) return undefined;
      expect(state === 'inProgress', `the order is ${state} while its task waits`);
      return partner.getTask({ path: { taskId } });
    });
    expect(['awaitingOperator', 'confirmed'].includes(waiting.status), `the task is ${waiting.status}`);
    const before = await patiently(() => partner.getSubscription({ path: { subscriptionId: waiting.subscriptionId } }));
    expect(before.status !== 'active' || waiting.status === 'confirmed', 'the subscription is active before the network said so');
    await tell('network asked', { id: waiting.id, state: waiting.status });

    await patiently(() =>
      partner.confirmTask({ path: { taskId: waiting.id }, headers: once('confirm'), body: { operatorReference: `hlr-${run}` } }),
    );
    const completed = await patiently(() => partner.getOrder({ path: { orderId: order.id } }));
    const subscription = await patiently(() => partner.getSubscription({ path: { subscriptionId: waiting.subscriptionId } }));
    expect(completed.state === 'completed', `the order is ${completed.state}, not completed`);
    expect(subscription.status === 'active', `the subscription is ${subscription.status}, not active`);
    await tell('line active', { id: subscription.id, state: subscription.status, order: completed.state });

    // 3. Zero-rating: entitlements, the feed, the list, what applies now.
    const classes = subscription.entitlements
      .filter((one) => one.status === 'active')
      .map((one) => one.trafficClass)
      .sort();
    expect(classes.join() === 'messaging-media,messaging-text', `the line is entitled to ${classes.join() || 'nothing'}`);
    const list = await patiently(() => partner.getTrafficList({ path: { trafficClass: 'messaging-text' } }));
    const exported = await patiently(() =>
      partner.exportTrafficList({ path: { trafficClass: 'messaging-text' }, query: { format: 'pfd' } }),
    );
    expect(JSON.stringify(exported).includes('pfdDatas'), 'the PFD export is not one');
    const deployedAt = new Date().toISOString();
    await patiently(() =>
      partner.acknowledgeTrafficList({
        path: { trafficClass: 'messaging-text' },
        headers: once('list'),
        body: { version: list.version, deployedAt },
      }),
    );
    const decision = await patiently(() => partner.decideEntitlement({ body: { msisdn: her.msisdn, trafficClass: 'messaging-text' } }));
    expect(decision.applies && decision.treatment === 'free', `messaging is ${decision.treatment}: ${decision.reason}`);
    await tell('zero-rated', { id: list.id, state: decision.treatment, listVersion: list.version });

    // 4. The phones register over their cellular connections; hers then goes offline.
    const heard = { messages: [] as IncomingMessage[], collapsed: 0 };
    const told = { statuses: [] as StatusChange[], replies: [] as SmsReply[] };
    const herPhone = await registerPhone('her phone', her.msisdn);
    herPhone.on('message', (message) => void heard.messages.push(message));
    herPhone.on('collapsed', () => void heard.collapsed++);
    const friendsPhone = await registerPhone("a friend's phone", friend.msisdn);
    friendsPhone.on('message', () => undefined);
    friendsPhone.on('status', (status) => void told.statuses.push(status));
    friendsPhone.on('smsReply', (reply) => void told.replies.push(reply));
    await friendsPhone.connect();
    await tell('phones registered', { state: 'registered' });

    async function registerPhone(what: string, msisdn: string): Promise<MessagingClient> {
      const phone = createMessagingClient({ url: phonesUrl });
      phones.push(phone);
      let tries = 0;
      await patiently(async () => {
        // A token is used up by the first try that reached the gateway, so each try gets one of its own.
        const { token } = await partner.createNumberVerificationToken({
          headers: once(`${what.replaceAll(/[^a-z]/g, '-')}-${tries++}`),
          body: { msisdn },
        });
        await phone.register({ msisdn, verificationToken: token, deviceName: what, platform: 'bot', language: 'de' });
      });
      await patiently(() => phone.uploadKeys());
      return phone;
    }

    // 5. Somebody writes to her; she is offline; the fallback is armed.
    const sent = await patiently(() =>
      friendsPhone.send({
        to: her.msisdn,
        text: chatText,
        clientMsgId: `chat-${run}`,
        ref: refOf(run),
        fallback: { mode: 'sealed', class: 'chat', text: smsText },
      }),
    );
    expect(sent.fallback, 'no fallback was armed');
    const fallbackId = sent.fallback.id;
    await tell('message sent, fallback armed', { id: fallbackId, state: sent.fallback.state, dueAt: sent.fallback.dueAt });

    const { items: early } = await patiently(() => partner.listSandboxSms({ query: { limit: 200 } }));
    expect(!early.some((sms) => sms.to === her.msisdn), 'an SMS went out before its time');

    // 6. The timer fires; the SMS goes out and is delivered.
    await patiently(() => partner.moveSandboxClock({ headers: once('advance'), body: { advanceSeconds: 301 } }));
    const fired = await waitFor('the fallback to be delivered', async () => {
      const fallback = await partner.getFallback({ path: { fallbackId } });
      expect(!['failed', 'cancelled', 'unknown'].includes(fallback.state), `the fallback is ${fallback.state}: ${fallback.reason}`);
      return fallback.state === 'delivered' ? fallback : undefined;
    });
    expect(fired.smsId, 'the fallback names no SMS');
    const sms = await patiently(() => partner.getSmsMessage({ path: { smsId: fired.smsId ?? '' } }));
    expect(sms.state === 'delivered', `the SMS is ${sms.state}`);
    expect(sms.price && sms.price.amountMinor > 0, 'the SMS has no price');
    await tell('SMS delivered', {
      id: sms.id,
      state: sms.state,
      segments: sms.segments.length,
      priceMinor: sms.price.amountMinor,
      currency: sms.price.currency,
    });

    const onHandset = await waitFor('the SMS on her handset', async () => {
      const all = await everySms();
      return all.length > 0 ? all : undefined;
    });
    expect(onHandset.length === 1, `her handset got ${onHandset.length} SMS, not one`);
    expect(onHandset[0]?.text === withRef(smsText, sent.ref), 'the SMS does not say what the sender sealed');
    await waitFor('delivered-by-sms at the sender', async () => told.statuses.find((one) => one.status === 'delivered-by-sms'));
    await tell('sender knows', { id: sent.messageId, state: 'delivered-by-sms' });

    async function everySms() {
      const found: { from: string; text: string }[] = [];
      for await (const one of partner.listSandboxSms.items({ query: { limit: 200 } })) if (one.to === her.msisdn) found.push(one);
      return found;
    }

    // 7. She answers by SMS; the reply lands in the chat.
    await patiently(() =>
      partner.sendSandboxInboundSms({ headers: once('reply'), body: { from: her.msisdn, to: onHandset[0]?.from ?? '', text: replyText } }),
    );
    const reply = await waitFor('the reply in the chat', async () => told.replies[0]);
    expect(reply.text === replyText && reply.inReplyTo === sent.clientMsgId, 'the reply is not hers');
    await tell('SMS reply in the chat', { id: sent.clientMsgId, state: 'received' });

    // 8. Her phone comes back: the app copy arrives and pairs with the SMS.
    await herPhone.noteSms(onHandset[0]?.text ?? '');
    await patiently(() => herPhone.drainQueue());
    const copy = await waitFor('the app copy', async () => heard.messages.find((one) => one.ref === sent.ref));
    expect(copy.text === chatText, 'the app copy is another text');
    expect(copy.alsoSentBySms || heard.collapsed > 0, 'the two copies were not paired');
    await tell('app copy paired with the SMS', { id: copy.clientMsgId, state: 'collapsed' });

    // 9. Webhooks and timeline.
    await waitFor('the webhooks', async () => {
      const types = new Set(
        receiver
          .received()
          .filter((one) => isHers(one.resource))
          .map((one) => one.type.replace('com.causeway.v1.', '')),
      );
      return TOLD.every((type) => types.has(type)) || undefined;
    });
    expect(receiver.refused() === 0, `${receiver.refused()} webhooks did not verify`);
    await tell('webhooks verified', { id: sink.id, state: 'delivered', webhooks: receiver.received().length });

    function isHers(resource: Record<string, unknown>): boolean {
      const text = JSON.stringify(resource);
      return [order.id, subscription.id, fallbackId, sms.id].some((id) => text.includes(id));
    }

    const timeline = await waitFor('the timeline', async () => {
      const types: string[] = [];
      for await (const item of partner.listTimeline.items({ path: { subscriptionId: subscription.id } })) types.push(item.type);
      return TOLD.every((type) => types.some((one) => one.endsWith(type))) ? types : undefined;
    });
    await tell('timeline shows it all', { id: subscription.id, state: 'complete', entries: timeline.length });

    await patiently(async () => {
      try {
        const { headers } = await partner.getEventSubscription({ path: { eventSubscriptionId: sink.id } }, { envelope: true });
        await partner.deleteEventSubscription({ path: { eventSubscriptionId: sink.id }, headers: { 'If-Match': headers.etag ?? '' } });
      } catch (failure) {
        // An earlier try may have deleted it, and lost the answer with the gateway.
        if ((failure as { status?: number }).status !== 404) throw failure;
      }
    });
    return {
      chatTexts: [chatText, replyText],
      smsText,
      msisdns: [her.msisdn, friend.msisdn],
      smsId: sms.id,
      subscriptionId: subscription.id,
    };
  } finally {
    await Promise.all(phones.map((phone) => phone.close()));
  }
}

/** Ten in the morning in E-Plus's time zone, on the day that it is there: outside everybody's quiet hours. */
function tenLocalTime(now: Date): string {
  const day = new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/Berlin', dateStyle: 'short' }).format(now);
  const guess = new Date(`${day}T10:00:00.000Z`);
  const hour = Number(new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', hour: '2-digit', hourCycle: 'h23' }).format(guess));
  return new Date(guess.getTime() - (hour - 10) * 3_600_000).toISOString();
}

/** Four Crockford characters from the run's name, so that a repeated send has the same reference. */
const refOf = (run: string): string => run.slice(0, 4).toUpperCase();
