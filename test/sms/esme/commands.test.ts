import { afterEach, expect, test } from 'vitest';
import { segments } from '../../../src/smpp/index.js';
import { statusName } from '../../../src/smpp/statuses.js';
import { type Esme, type EsmeRig, HER, openEsmeRig, SENDER } from './rig.js';

let rig: EsmeRig;
afterEach(() => rig.close());

const LATER = '000000010000000R';
const SOURCE = { sourceAddr: SENDER, sourceAddrTon: 1, sourceAddrNpi: 1 };
const TO_HER = { destinationAddr: HER, destAddrTon: 1, destAddrNpi: 1 };
const words = (text: string) => ({ shortMessage: Buffer.from(text) });

async function open(options: Parameters<typeof openEsmeRig>[0] = {}): Promise<Esme> {
  rig = await openEsmeRig(options);
  await rig.sms.bound();
  return rig.bind();
}

const query = (esme: Esme, messageId: string, more: object = {}) => esme.ask('query_sm', { messageId, ...SOURCE, ...more });
const cancel = async (esme: Esme, messageId: string, more: object = {}) =>
  statusName((await esme.ask('cancel_sm', { messageId, ...SOURCE, ...TO_HER, ...more })).commandStatus);
const replace = async (esme: Esme, messageId: string, more: object) =>
  statusName((await esme.ask('replace_sm', { messageId, ...SOURCE, ...more })).commandStatus);
const texts = () => rig.onHandsets().map(({ text }) => text);

test('query_sm follows a message to its end', async () => {
  const esme = await open();
  const { messageId } = await esme.submit({ scheduleDeliveryTime: LATER });
  expect(await query(esme, messageId)).toMatchObject({ commandStatus: 0, messageId, messageState: 1, finalDate: '', errorCode: 0 });
  const sent = await esme.submit({ destinationAddr: '999571230001' });
  await rig.sms.within(async () => (await query(esme, sent.messageId)).messageState === 2);
  expect((await query(esme, sent.messageId)).finalDate).toMatch(/^261122\d{9}\+$/);
  const failed = await esme.submit({ destinationAddr: '9995790000101' });
  await rig.sms.within(async () => (await query(esme, failed.messageId)).messageState === 5);
  expect((await query(esme, failed.messageId)).errorCode).toBe(1);
});

test('of submit_multi the destination that is furthest behind speaks for all', async () => {
  const esme = await open();
  const to = (destinationAddr: string) => ({ destinationAddr, destAddrTon: 1, destAddrNpi: 1 });
  const destinations = [to('999571230001'), to('9995790000101'), to('9995790000107')];
  const { messageId } = await esme.ask('submit_multi', { ...SOURCE, ...words('An alle'), destinations });
  const ended = async () => (await rig.rows("SELECT 1 AS n FROM sms_message WHERE state IN ('delivered', 'undelivered')")).length;
  await rig.sms.within(async () => (await ended()) === 2);
  // To the third a receipt never comes.
  expect((await query(esme, messageId)).messageState).toBe(1);
});

test('nobody asks about, takes back or changes what another account, or another source, has submitted', async () => {
  const esme = await open({ accounts: [{}, { systemId: 'another' }] });
  const other = await rig.bind('transceiver', { systemId: 'another' });
  const { messageId } = await esme.submit({ scheduleDeliveryTime: LATER });
  expect(statusName((await query(other, messageId)).commandStatus)).toBe('ESME_RQUERYFAIL');
  expect(await cancel(other, messageId)).toBe('ESME_RCANCELFAIL');
  expect(await cancel(other, '')).toBe('ESME_RCANCELFAIL');
  expect(await replace(other, messageId, words('mine now'))).toBe('ESME_RREPLACEFAIL');
  expect(statusName((await query(esme, messageId, { sourceAddr: 'CAUSEWAY', sourceAddrTon: 5 })).commandStatus)).toBe('ESME_RQUERYFAIL');
  expect(await cancel(esme, messageId, { destinationAddr: '999571230009' })).toBe('ESME_RCANCELFAIL');
  for (const wrong of ['x', '-1', '99999999999999999999'])
    expect(statusName((await query(esme, wrong)).commandStatus)).toBe('ESME_RINVMSGID');
  expect(statusName((await query(esme, '1')).commandStatus)).toBe('ESME_RQUERYFAIL');
  expect((await query(esme, messageId)).messageState).toBe(1);
});

test('cancel_sm takes back what has not gone out, once, and its receipt says DELETED', async () => {
  const esme = await open();
  const { messageId } = await esme.submit({ scheduleDeliveryTime: LATER, registeredDelivery: 1 });
  expect(await cancel(esme, messageId)).toBe('ESME_ROK');
  const { shortMessage } = await esme.take();
  expect(shortMessage.toString()).toMatch(new RegExp(`^id:${messageId} .*stat:DELETED`));
  expect(await query(esme, messageId)).toMatchObject({ messageState: 4, finalDate: expect.stringMatching(/\+$/) });
  const sent = await esme.submit({ destinationAddr: '999571230001' });
  await rig.sms.within(() => texts().length === 1);
  expect(await cancel(esme, sent.messageId, { destinationAddr: '999571230001' })).toBe('ESME_RCANCELFAIL');
  await rig.sms.clock.advance(7_200_000);
  expect(texts()).toEqual(['Hallo']);
});

test('cancel_sm without an id takes back all between two addresses that wait, of that service', async () => {
  const esme = await open();
  for (const text of ['a', 'b']) await esme.submit({ scheduleDeliveryTime: LATER, ...words(text) });
  await esme.submit({ scheduleDeliveryTime: LATER, serviceType: 'OTP', sourceAddr: 'CAUSEWAY', sourceAddrTon: 5, ...words('c') });
  await esme.submit({ scheduleDeliveryTime: LATER, destinationAddr: '999571230001', ...words('d') });
  expect(await cancel(esme, '')).toBe('ESME_ROK');
  expect(await cancel(esme, '')).toBe('ESME_RCANCELFAIL');
  await rig.sms.clock.advance(3_601_000);
  await rig.sms.within(() => texts().length === 2);
  expect(texts().sort()).toEqual(['c', 'd']);
});

test('cancel_sm of a part that waits for the others ends them all', async () => {
  const esme = await open();
  const [first, second, third] = segments('A long one. '.repeat(30), { method: 'udh16', reference: 7 }).segments;
  const { messageId } = await esme.submit({ ...first });
  await esme.submit({ ...second });
  expect((await query(esme, messageId)).messageState).toBe(1);
  expect(await cancel(esme, messageId)).toBe('ESME_ROK');
  expect((await query(esme, messageId)).messageState).toBe(4);
  await esme.submit({ ...third });
  expect(await rig.rows('SELECT 1 AS n FROM sms_message')).toEqual([]);
});

test('replace_sm puts another text and another time into what waits, and keeps what it leaves empty', async () => {
  const esme = await open();
  const { messageId } = await esme.submit({ scheduleDeliveryTime: LATER, ...words('first') });
  expect(await replace(esme, messageId, { ...words('second'), registeredDelivery: 1 })).toBe('ESME_ROK');
  await rig.sms.clock.advance(1_000_000);
  expect(texts()).toEqual([]);
  expect(await replace(esme, messageId, { ...words('third €'), scheduleDeliveryTime: '000000000500000R', registeredDelivery: 1 })).toBe('ESME_RINVDCS');
  const third = { shortMessage: Buffer.from('third'), scheduleDeliveryTime: '000000000500000R', registeredDelivery: 1 };
  expect(await replace(esme, messageId, third)).toBe('ESME_ROK');
  await rig.sms.clock.advance(301_000);
  await rig.sms.within(() => texts().length === 1);
  expect(texts()).toEqual(['third']);
  // The first one asked for no receipt.
  let told = '';
  void esme.take().then(({ shortMessage }) => (told = shortMessage.toString()));
  await rig.sms.within(() => told !== '');
  expect(told).toMatch(new RegExp(`^id:${messageId} .*stat:DELIVRD`));
  expect(await replace(esme, messageId, words('too late'))).toBe('ESME_RREPLACEFAIL');
}); // biome-ignore format: one story

test.each([
  ['no text', { shortMessage: Buffer.alloc(0) }, 'ESME_RINVMSGLEN'],
  ['a schedule in the past', { ...words('x'), scheduleDeliveryTime: '200101000000000+' }, 'ESME_RINVSCHED'],
  ['a validity that is over', { ...words('x'), validityPeriod: '200101000000000+' }, 'ESME_RINVEXPIRY'],
  ['a canned message', { ...words('x'), smDefaultMsgId: 3 }, 'ESME_RINVDFTMSGID'],
  ['a bit that has no meaning', { ...words('x'), registeredDelivery: 0x80 }, 'ESME_RINVREGDLVFLG'],
])('replace_sm with %s changes nothing', async (_, fields, status) => {
  const esme = await open();
  const { messageId } = await esme.submit({ scheduleDeliveryTime: '000000000100000R', ...words('as it was') });
  expect(await replace(esme, messageId, fields)).toBe(status);
  await rig.sms.clock.advance(61_000);
  await rig.sms.within(() => texts().length === 1);
  expect(texts()).toEqual(['as it was']);
});

test('replace_if_present_flag: what waits between the same addresses gives way and keeps its id; else it is a new message', async () => {
  const esme = await open();
  const flag = { replaceIfPresentFlag: 1, scheduleDeliveryTime: LATER };
  const first = await esme.submit({ ...flag, ...words('first') });
  const second = await esme.submit({ ...flag, ...words('second') });
  expect(second).toEqual(first);
  const elsewhere = await esme.submit({ ...flag, destinationAddr: '999571230001', ...words('elsewhere') });
  expect(elsewhere.messageId).not.toBe(first.messageId);
  await rig.sms.clock.advance(3_601_000);
  await rig.sms.within(() => texts().length === 2);
  expect(texts().sort()).toEqual(['elsewhere', 'second']);
});
