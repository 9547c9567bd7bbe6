import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { LETTERS, NUMBER, openSmsRig, type RigOptions, SECOND_NUMBER, type SmsRig } from './rig.js';

let rig: SmsRig;
afterEach(() => rig.close());

const HER = '+999571234567';
const HIM = '+999571111111';
const magic = (suffix: string) => `+9995790${suffix}`;

async function open(options: RigOptions = {}, her = HER) {
  rig = await openSmsRig(options);
  await rig.bound();
  return { he: await rig.person(HIM), she: await rig.person(her) };
}

const stateOf = async (id: string) => (await rig.get(id)).state;
const smsOf = async (id: string) => rig.sms.getMessage({ partnerId: 'e-plus', markets: undefined }, (await rig.get(id)).smsId ?? '');
const types = async () => (await rig.events()).map(({ type }) => type);

test('a message that is not fetched goes out by SMS with its reference, and its sender learns that it was delivered', async () => {
  const { he, she } = await open();
  const { id } = await rig.fallback(he, she, 'Dinner at eight?');
  rig.fire();
  await rig.within(async () => (await stateOf(id)) === 'delivered');
  expect(rig.smsc.received({ limit: 10 })).toMatchObject([{ from: '+9995790000001', to: HER, text: 'Dinner at eight? #7QKD', parts: 1 }]);
  expect(await rig.get(id)).toMatchObject({ segments: 1, price: { amountMinor: 4, currency: 'EUR' }, sealed: undefined });
  expect(await rig.statuses(he)).toEqual(['fallback-claimed', 'sent-by-sms', 'delivered-by-sms']);
  const [submitted, delivered] = await rig.events();
  expect(submitted).toMatchObject({ type: 'sms.submitted', market: 'XS', price: { amountMinor: 4, currency: 'EUR' } });
  expect(submitted?.facts).toEqual([
    { name: 'segments', value: '1' },
    { name: 'link', value: 'e-plus-main' },
  ]);
  expect(delivered).toMatchObject({ type: 'sms.delivered', subject: submitted?.subject, previous: { state: 'submitted' } });
  expect(await smsOf(id)).toMatchObject({
    state: 'delivered',
    recipient: '+999•••••••67',
    encoding: 'gsm7',
    segments: [{ number: 1, state: 'delivered', commandStatus: 'ESME_ROK' }],
    receipts: [{ segment: 1, state: 'DELIVRD', errorCode: '000' }],
    price: { amountMinor: 4, currency: 'EUR' },
    fallbackId: id,
  });
});

test('an acknowledged message sends nothing', async () => {
  const { he, she } = await open();
  const { id, messageId } = await rig.fallback(he, she, 'read in time');
  const [envelope] = (await rig.engine.calls.readQueue(she, 10)).items;
  await rig.engine.calls.ackQueue(she, { envelopeIds: [envelope?.envelopeId ?? messageId] });
  rig.fire();
  await rig.sms.idle();
  expect(await stateOf(id)).toBe('cancelled');
  expect(rig.smsc.submitted({ limit: 10 })).toEqual([]);
});

test.each([
  ['000101', 'undelivered', 'failed', 'receipt-undeliverable:001', 'sms.undelivered'],
  ['000103', 'expired', 'failed', 'receipt-expired:002', 'sms.undelivered'],
  ['000104', 'rejected', 'failed', 'ESME_RINVDSTADR', 'sms.undelivered'],
])('the operator’s word for %s is the message’s state', async (suffix, sms, fallback, reason, type) => {
  const { he, she } = await open({}, magic(suffix));
  const { id } = await rig.fallback(he, she, 'x');
  rig.fire();
  await rig.within(async () => (await stateOf(id)) === fallback);
  expect(await smsOf(id)).toMatchObject({ state: sms, reason });
  expect((await types()).at(-1)).toBe(type);
  expect((await rig.statuses(he)).at(-1)).toBe('undelivered-by-sms');
  // What the SMSC refused costs nothing; what it accepted does.
  expect((await rig.get(id)).price).toEqual(sms === 'rejected' ? undefined : { amountMinor: 4, currency: 'EUR' });
});

test.each([['000102'], ['000105']])('a busy SMSC (%s) is tried again until it takes the message, once', async (suffix) => {
  const { he, she } = await open({}, magic(suffix));
  const { id } = await rig.fallback(he, she, 'again');
  rig.fire();
  await rig.within(async () => (await stateOf(id)) === 'delivered');
  expect(rig.smsc.received({ limit: 10 })).toHaveLength(1);
  expect((await types()).filter((type) => type === 'sms.submitted')).toHaveLength(1);
});

test.each([
  ['standard', { messageIdForm: 'decimal', receiptIdForm: 'decimal', tlvs: true } as const],
  ['hexdec', { messageIdForm: 'hex', receiptIdForm: 'decimal', tlvs: false } as const],
])('a receipt before the response is held and matched (%s ids)', async (_name, personality) => {
  const { he, she } = await open({ smsc: { personality } }, magic('000106'));
  const { id } = await rig.fallback(he, she, 'early');
  rig.fire();
  await rig.until(async () => (await stateOf(id)) === 'delivered');
  expect(await types()).toEqual(['sms.submitted', 'sms.delivered']);
});

test('the same receipt twice changes nothing and charges nothing', async () => {
  const { he, she } = await open({}, magic('000108'));
  const { id } = await rig.fallback(he, she, 'twice');
  rig.fire();
  await rig.within(() => rig.smsc.submitted({ limit: 5 }).length === 1 && rig.smsc.owed() === 0);
  await rig.sms.idle();
  expect(await stateOf(id)).toBe('delivered');
  expect(await types()).toEqual(['sms.submitted', 'sms.delivered']);
  expect((await smsOf(id)).receipts).toHaveLength(1);
});

test('without a receipt it stays submitted, and once its time is over it may have arrived', async () => {
  const { he, she } = await open({}, magic('000107'));
  const { id } = await rig.fallback(he, she, 'silence');
  rig.fire();
  await rig.until(async () => (await stateOf(id)) === 'submitted');
  await rig.store.messages.read('SELECT 1');
  await rig.stopSms();
  await rig.clock.advance(3 * 3_600_000);
  await rig.restart();
  await rig.until(async () => (await stateOf(id)) === 'unknown');
  expect(await smsOf(id)).toMatchObject({ state: 'unknown', reason: 'no-receipt' });
});

test('a link that drops before the answer leaves an unknown outcome, is not sent again, and the receipt on another bind resolves it', async () => {
  const { he, she } = await open({}, magic('000109'));
  const { id } = await rig.fallback(he, she, 'cut off');
  rig.fire();
  await rig.until(async () => (await stateOf(id)) === 'unknown');
  await rig.within(async () => (await stateOf(id)) === 'delivered');
  expect(rig.smsc.submitted({ limit: 10 })).toHaveLength(1);
  // The receipt proves that the SMSC had taken it.
  expect(await types()).toEqual(['sms.unknown', 'sms.submitted', 'sms.delivered']);
  expect(await rig.statuses(he)).toEqual(['fallback-claimed', 'may-have-arrived', 'delivered-by-sms']);
  expect((await rig.get(id)).price).toEqual({ amountMinor: 4, currency: 'EUR' });
});

test('a code that somebody waits for is sent once more after an unknown outcome, and no more than once', async () => {
  const { he, she } = await open({}, magic('000109'));
  const { id } = await rig.fallback(he, she, '123456', { class: 'otp' });
  rig.fire();
  await rig.within(async () => rig.smsc.submitted({ limit: 10 }).length === 2 && (await stateOf(id)) !== 'claimed');
  await rig.within(() => rig.smsc.owed() === 0);
  await rig.sms.idle();
  expect(rig.smsc.submitted({ limit: 10 })).toHaveLength(2);
  expect(await stateOf(id)).toBe('delivered');
});

test('an answer that comes after our time is over changes nothing; the receipt tells what became of the message', async () => {
  const { he, she } = await open({ link: { responseTimeoutMs: 1_000 } }, magic('000110'));
  const { id } = await rig.fallback(he, she, 'slow');
  rig.fire();
  await rig.within(async () => (await stateOf(id)) === 'delivered');
  await rig.within(async () => (await types()).length === 3);
  expect(await types()).toEqual(['sms.unknown', 'sms.submitted', 'sms.delivered']);
  expect(rig.smsc.submitted({ limit: 10 })).toHaveLength(1);
});

test('a long text in UCS-2 arrives whole, each segment is charged, and its state is that of all parts', async () => {
  const { he, she } = await open();
  const text = `${'Привет, как дела? 👋 '.repeat(8)}конец`;
  const { id } = await rig.fallback(he, she, text);
  rig.fire();
  await rig.within(async () => (await stateOf(id)) === 'delivered');
  const [message] = rig.smsc.received({ limit: 10 });
  expect(message?.text).toBe(`${text} #7QKD`);
  const parts = message?.parts ?? 0;
  expect(parts).toBeGreaterThan(2);
  expect(await smsOf(id)).toMatchObject({ encoding: 'ucs2', price: { amountMinor: 4 * parts } });
  expect((await smsOf(id)).receipts).toHaveLength(parts);
});

test('a notice says nothing of the message, in the language of whoever gets it', async () => {
  const { he, she } = await open();
  const { id } = await rig.notice(he, she, { senderName: 'Max' });
  rig.fire();
  await rig.within(async () => (await stateOf(id)) === 'delivered');
  expect(rig.smsc.received({ limit: 1 })[0]).toMatchObject({
    from: 'CAUSEWAY',
    text: 'Max hat dir eine Nachricht geschrieben. Öffne die App, um sie zu lesen. Ref 7QKD',
  });
  expect((await rig.events())[0]?.facts).toContainEqual({ name: 'noReply', value: 'true' });
});

test('an answer by SMS lands in the chat of whoever wrote, once, readable by that device alone', async () => {
  const { he, she } = await open();
  const { id, clientMsgId } = await rig.fallback(he, she, 'Dinner?');
  rig.fire();
  await rig.within(async () => (await stateOf(id)) === 'delivered');
  await rig.smsc.sendMo({ from: HER, to: NUMBER.address, text: 'Gern, um acht!' });
  await rig.until(async () => (await rig.replies(he)).length === 1);
  expect(await rig.replies(he)).toEqual([{ text: 'Gern, um acht!', from: HER, inReplyTo: clientMsgId }]);
  await rig.until(async () => (await types()).includes('sms-reply.received'));
  const event = (await rig.events()).at(-1);
  expect(event).toMatchObject({ type: 'sms-reply.received', market: 'XS', resource: { sender: '+999•••••••67', fallbackId: id } });
  // The same words once more, over a link that stood all the time, are a second answer.
  await rig.smsc.sendMo({ from: HER, to: NUMBER.address, text: 'Gern, um acht!' });
  await rig.until(async () => (await rig.replies(he)).length === 2);
});

test('a long answer lands whole, and one that nobody was written from is kept and reported', async () => {
  const { he, she } = await open({ listeners: [] });
  const { id } = await rig.fallback(he, she, 'Dinner?');
  rig.fire();
  await rig.within(async () => (await stateOf(id)) === 'delivered');
  const long = `${'Ja, sehr gern! '.repeat(20)}👋`;
  await rig.smsc.sendMo({ from: HER, to: NUMBER.address, text: long });
  await rig.until(async () => (await rig.replies(he)).length === 1);
  expect((await rig.replies(he))[0]?.text).toBe(long);
  await rig.smsc.sendMo({ from: HER, to: SECOND_NUMBER.address, text: 'who is this' });
  await rig.until(async () => (await types()).filter((type) => type === 'sms-reply.received').length === 2);
  expect((await rig.events()).at(-1)?.facts).toContainEqual({ name: 'reason', value: 'no-conversation' });
  expect(await rig.store.messages.read(`SELECT state, wrapped IS NOT NULL AS kept FROM sms_inbound ORDER BY state`)).toEqual([
    { state: 'routed', kept: 0 },
    { state: 'unmatched', kept: 1 },
  ]);
});

test('two who write to one number get a thread each, a third goes out without a way back and says so, and a thread stays its own', async () => {
  const { he, she } = await open();
  const second = await rig.person('+999571111112');
  const third = await rig.person('+999571111113');
  const send = async (from: typeof he, text: string) => {
    const { id } = await rig.fallback(from, she, text);
    rig.fire();
    await rig.within(async () => (await stateOf(id)) === 'delivered');
    return id;
  };
  await send(he, 'one');
  await send(second, 'two');
  const last = await send(third, 'three');
  await send(he, 'four');
  expect(rig.smsc.received({ limit: 10 }).map(({ from }) => from)).toEqual([
    NUMBER.address,
    SECOND_NUMBER.address,
    LETTERS.address,
    NUMBER.address,
  ]);
  const events = await rig.events();
  const smsId = (await rig.get(last)).smsId;
  expect(events.find(({ subject }) => subject === smsId)?.facts).toContainEqual({ name: 'noReply', value: 'true' });
  await rig.smsc.sendMo({ from: HER, to: SECOND_NUMBER.address, text: 'to the second' });
  await rig.until(async () => (await rig.replies(second)).length === 1);
  expect(await rig.replies(he)).toEqual([]);
});

test('whoever has the number now does not answer in the old chat, and gets no message that was meant for the one before', async () => {
  const { he, she } = await open();
  const { id } = await rig.fallback(he, she, 'one');
  rig.fire();
  await rig.within(async () => (await stateOf(id)) === 'delivered');
  const waiting = await rig.fallback(he, she, 'two');
  await rig.engine.lines.raise({ id: 'recycled', msisdn: HER, partnerId: 'e-plus', market: 'XS', cause: 'recycled' });
  rig.fire();
  await rig.sms.idle();
  expect(await rig.get(waiting.id)).toMatchObject({ state: 'cancelled', reason: 'line-changed' });
  await rig.smsc.sendMo({ from: HER, to: NUMBER.address, text: 'who are you' });
  await rig.until(async () => (await types()).includes('sms-reply.received'));
  expect((await rig.events()).at(-1)?.facts).toContainEqual({ name: 'reason', value: 'line-changed' });
  expect(await rig.replies(he)).toEqual([]);
});

test('no text is ever at rest or in a log: not the sealed one, not an answer, not a part of one', async () => {
  const logged: string[] = [];
  const { he, she } = await open({ logged });
  const { id } = await rig.fallback(he, she, 'PLAINTEXT-MARKER-OUT');
  rig.fire();
  await rig.within(async () => (await stateOf(id)) === 'delivered');
  const long = `PLAINTEXT-MARKER-IN ${'lang '.repeat(60)}`;
  await rig.smsc.sendMo({ from: HER, to: NUMBER.address, text: long });
  await rig.smsc.sendMo({ from: HER, to: SECOND_NUMBER.address, text: 'PLAINTEXT-MARKER-LOST' });
  await rig.until(async () => (await types()).filter((type) => type === 'sms-reply.received').length === 2);
  expect(await rig.replies(he)).toHaveLength(1);
  const files = readdirSync(rig.folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(files.map(({ name }) => name)).toEqual(expect.arrayContaining(['messages.db', 'messages.db-wal', 'opener-ring.json']));
  for (const file of files) {
    const bytes = readFileSync(join(file.parentPath, file.name));
    expect([file.name, bytes.includes('PLAINTEXT-MARKER'), bytes.includes('lang lang lang')]).toEqual([file.name, false, false]);
  }
  const output = logged.join('');
  expect(output).toContain('submit_sm accepted');
  expect(output).not.toMatch(/PLAINTEXT-MARKER|571234567|571111111/);
});
