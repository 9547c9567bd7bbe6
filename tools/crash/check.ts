import type { Fallback, SmsMessage } from '../../sdks/typescript/index.js';
import type { ReceivedWebhook } from '../demo/webhook-receiver.js';
import type { Books, LoggedEvent } from './books.js';
import type { AnsweredOrder, Finding, Ledger } from './ledger.js';
import type { HandsetSms } from './smsc.js';

/** What there is to compare. */
export interface Evidence {
  readonly ledger: Pick<Ledger, 'orders' | 'messages' | 'fallbacks' | 'replies' | 'phones' | 'advancedSeconds'>;
  readonly books: Books;
  readonly handsets: readonly HandsetSms[];
  readonly webhooks: readonly ReceivedWebhook[];
  /** Types of events that webhooks tell of, without prefix. */
  readonly told: ReadonlySet<string>;
  /** What the test clock was set to when the load began. */
  readonly offsetSeconds: number;
}

/** What one SMS segment costs by E-Plus's agreement. */
const PRICE_MINOR = 4;
/** Two phones may register for one account in turn: each is told of. */
const REPEATS = new Set(['account.registered']);

/** The states of an SMS that go with a fallback's end. */
const AGREE: Readonly<Record<string, readonly string[]>> = {
  delivered: ['delivered'],
  unknown: ['unknown'],
  failed: ['undelivered', 'expired', 'rejected'],
};

const lost = (what: string): Finding => ({ kind: 'lost', what });
const doubled = (what: string): Finding => ({ kind: 'doubled', what });

/** Compares what was answered with what is there. Empty when nothing is missing and nothing is there twice. */
export function check(evidence: Evidence): Finding[] {
  return [
    ...orderFindings(evidence),
    ...messageFindings(evidence),
    ...smsFindings(evidence),
    ...eventFindings(evidence),
    ...clockFindings(evidence),
  ];
}

function orderFindings({ ledger, books }: Evidence): Finding[] {
  const findings: Finding[] = [];
  const byName = groupBy(books.orders, ({ externalId }) => externalId ?? '');
  for (const [name, orders] of byName)
    if (orders.length > 1) findings.push(doubled(`order ${name}: ${orders.map(({ id }) => id).join(', ')}`));
  for (const answered of ledger.orders) {
    const { orderId, externalId } = answered;
    const order = byName.get(externalId)?.find(({ id }) => id === orderId);
    const end = endOf(answered);
    if (!order) findings.push(lost(`order ${orderId}`));
    else if (end !== undefined && order.state !== end)
      findings.push(lost(`order ${orderId}: its tasks make it ${end}, and it is ${order.state}`));
  }
  const confirmed = ledger.orders.flatMap(({ decided }) => [...decided.values()]).filter((decision) => decision === 'confirmed').length;
  const active = books.events.filter(({ type }) => type === 'subscription.active').length;
  if (active > confirmed) findings.push(doubled(`${confirmed} lines were confirmed, and ${active} became active`));
  return findings;
}

/** The state that an order comes to by what was decided over its tasks; undefined while some are open. */
function endOf({ tasks, decided }: AnsweredOrder): 'completed' | 'failed' | 'partial' | undefined {
  const decisions = new Set(decided.values());
  if (tasks.length === 0 || decided.size < tasks.length) return undefined;
  return decisions.size === 2 ? 'partial' : decisions.has('confirmed') ? 'completed' : 'failed';
}

function messageFindings({ ledger }: Evidence): Finding[] {
  const findings: Finding[] = [];
  for (const { messageId, clientMsgId, to, body } of ledger.messages) {
    const arrival = to.arrivals.get(messageId);
    if (!arrival) findings.push(lost(`message ${messageId} never came to ${to.deviceId}`));
    else if (arrival.envelope.body !== body || arrival.envelope.clientMsgId !== clientMsgId)
      findings.push(lost(`message ${messageId}: another body came`));
  }
  const delivered = new Set<string>();
  for (const { deviceId, arrivals } of ledger.phones) {
    const envelopes = [...arrivals.values()].map(({ envelope }) => envelope);
    const messages = groupBy(
      envelopes.filter(({ kind }) => kind === 'message'),
      ({ from, clientMsgId }) => `${from?.deviceId} ${clientMsgId}`,
    );
    for (const [, same] of messages)
      if (same.length > 1) findings.push(doubled(`a message at ${deviceId}: ${same.map(({ envelopeId }) => envelopeId).join(', ')}`));
    const statuses = groupBy(
      envelopes.filter(({ kind }) => kind === 'status').map(({ body }) => JSON.parse(body) as { messageId: string; status: string }),
      ({ messageId, status }) => `${status} of ${messageId}`,
    );
    for (const [status, same] of statuses) {
      if (same.length > 1) findings.push(doubled(`${status}, told ${same.length} times to ${deviceId}`));
      delivered.add(status);
    }
  }
  for (const { messageId, to } of ledger.messages)
    if (to.arrivals.has(messageId) && !delivered.has(`delivered of ${messageId}`))
      findings.push(lost(`the status delivered of ${messageId}`));
  return findings;
}

function smsFindings({ ledger, books, handsets }: Evidence): Finding[] {
  const findings: Finding[] = [];
  const texts = groupBy(handsets, ({ text }) => textOf(text));
  const bySms = groupBy(
    [...books.sms.values()].filter((sms) => sms !== undefined),
    ({ fallbackId }) => fallbackId ?? '',
  );
  for (const { fallbackId, class: kind, text } of ledger.fallbacks) {
    const fallback = books.fallbacks.get(fallbackId);
    const sms = bySms.get(fallbackId) ?? [];
    const onHandset = texts.get(textOf(text))?.length ?? 0;
    texts.delete(textOf(text));
    if (!fallback) {
      findings.push(lost(`fallback ${fallbackId}`));
      continue;
    }
    const what = `fallback ${fallbackId} (${kind}, ${fallback.state}${fallback.reason === undefined ? '' : `, ${fallback.reason}`})`;
    // A code that somebody waits for goes out once more when nobody can say whether it did.
    if (onHandset > (kind === 'otp' ? 2 : 1)) findings.push(doubled(`${what}: ${onHandset} SMS on the handset`));
    if (sms.length > 1) findings.push(doubled(`${what}: ${sms.map(({ id }) => id).join(', ')}`));
    findings.push(...stateFindings(what, fallback, sms[0], onHandset));
  }
  for (const [text, same] of texts) findings.push(doubled(`${same.length} SMS that nobody wrote: ${text.length} characters to a handset`));
  const heard = new Set(ledger.phones.flatMap(({ replies }) => replies.map(({ text }) => text)));
  for (const { text } of ledger.replies) if (!heard.has(text)) findings.push(lost(`an answer by SMS: "${text}"`));
  for (const { deviceId, replies } of ledger.phones)
    for (const [text, same] of groupBy(replies, (reply) => reply.text))
      if (same.length > 1) findings.push(doubled(`an answer by SMS at ${deviceId}: "${text}"`));
  return findings;
}

/** What a fallback's state, its SMS and the handset say of each other. */
function stateFindings(what: string, { state, smsId }: Fallback, sms: SmsMessage | undefined, onHandset: number): Finding[] {
  const says = `${what} with SMS ${sms?.id ?? smsId ?? 'none'} (${sms?.state ?? 'none'})`;
  const findings: Finding[] = [];
  if (state === 'cancelled' || state === 'failed') {
    if (onHandset > 0) findings.push(doubled(`${says}: the handset has it all the same`));
  } else if (state === 'delivered') {
    if (onHandset === 0) findings.push(lost(`${says}: the handset has nothing`));
  } else if (state !== 'unknown') findings.push(lost(`${says}: it never came to an end`));
  if (!sms) return findings;
  if (!(AGREE[state] ?? []).includes(sms.state)) findings.push(lost(`${says}: the two do not agree`));
  const price = sms.price?.amountMinor;
  const isPriced = sms.submittedAt !== undefined;
  if (isPriced !== (price !== undefined)) findings.push((isPriced ? lost : doubled)(`${says}: the price is ${price ?? 'not there'}`));
  else if (price !== undefined && price !== PRICE_MINOR * sms.segments.length) findings.push(doubled(`${says}: it cost ${price}`));
  return findings;
}

function eventFindings({ ledger, books, webhooks, told }: Evidence): Finding[] {
  const findings: Finding[] = [];
  const facts = groupBy(books.events, ({ type, subject }) => `${type} of ${subject}`);
  for (const [fact, same] of facts)
    if (same.length > 1 && !REPEATS.has(same[0]?.type ?? ''))
      findings.push(doubled(`event ${fact}: ${same.map(({ id }) => id).join(', ')}`));
  for (const [subject, events] of groupBy(books.events, (event) => event.subject)) findings.push(...sequenceFindings(subject, events));

  const came = new Set(webhooks.map(({ id }) => id));
  for (const { id, type, subject } of books.events)
    if (told.has(type) && !came.has(id)) findings.push(lost(`the webhook of ${id}, ${type} of ${subject}`));
  const logged = new Set(books.events.map(({ id }) => id));
  for (const id of came) if (!logged.has(id)) findings.push(lost(`event ${id}, of which a webhook told`));

  const wanted = new Set<string>();
  for (const answered of ledger.orders) {
    const { orderId, tasks, decided } = answered;
    wanted.add(`order.acknowledged of ${orderId}`);
    for (const task of tasks) wanted.add(`task.awaiting-operator of ${task}`);
    for (const [task, decision] of decided) wanted.add(`task.${decision} of ${task}`);
    const end = endOf(answered);
    if (end !== undefined) wanted.add(`order.${end} of ${orderId}`);
  }
  for (const { fallbackId } of ledger.fallbacks) {
    wanted.add(`fallback.armed of ${fallbackId}`);
    const fallback = books.fallbacks.get(fallbackId);
    if (fallback?.state === 'cancelled') wanted.add(`fallback.cancelled of ${fallbackId}`);
    if (fallback?.smsId !== undefined) wanted.add(`fallback.claimed of ${fallbackId}`);
  }
  for (const [smsId, sms] of books.sms) {
    if (sms?.submittedAt !== undefined) wanted.add(`sms.submitted of ${smsId}`);
    if (sms?.state === 'delivered' || sms?.state === 'unknown') wanted.add(`sms.${sms.state} of ${smsId}`);
  }
  for (const fact of wanted) if (!facts.has(fact)) findings.push(lost(`event ${fact}`));
  const replies = books.events.filter(({ type }) => type === 'sms-reply.received').length;
  if (replies < ledger.replies.length) findings.push(lost(`${ledger.replies.length - replies} events sms-reply.received`));
  return findings;
}

/** A subject's events are numbered from 1 without a gap. */
function sequenceFindings(subject: string, events: readonly LoggedEvent[]): Finding[] {
  const numbers = new Set(events.map(({ sequence }) => sequence));
  const isWhole = numbers.size === events.length && events.every((_, index) => numbers.has(index + 1));
  return isWhole ? [] : [lost(`the numbering of ${subject}’s events: ${events.map(({ sequence }) => sequence).join(', ')}`)];
}

function clockFindings({ ledger, books, offsetSeconds }: Evidence): Finding[] {
  const expected = offsetSeconds + ledger.advancedSeconds;
  if (books.offsetSeconds === expected) return [];
  const difference = books.offsetSeconds - expected;
  return [
    (difference < 0 ? lost : doubled)(
      `the test clock: ${Math.abs(difference)} s ${difference < 0 ? 'behind' : 'ahead of'} what was answered`,
    ),
  ];
}

/** A text up to its full stop: behind it comes the reference that pairs the SMS with the app copy. */
const textOf = (text: string): string => text.slice(0, text.indexOf('.') + 1);

function groupBy<T>(items: Iterable<T>, keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
