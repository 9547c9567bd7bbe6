import { afterEach, expect, test } from 'vitest';
import { type MessageFields, segments, tlv } from '../../../src/smpp/index.js';
import { encodeUcs2 } from '../../../src/smpp/text.js';
import { type Esme, type EsmeRig, HER, openEsmeRig, SENDER } from './rig.js';

let rig: EsmeRig;
afterEach(() => rig.close());

async function open(options: Parameters<typeof openEsmeRig>[0] = {}): Promise<Esme> {
  rig = await openEsmeRig(options);
  if (!options.port) await rig.sms.bound();
  return rig.bind();
}

/** Where nothing listens: what is queued stays queued. */
const NO_SMSC = { port: () => 9 };

const arrived = (count: number) => rig.sms.within(() => rig.onHandsets().length === count);
const texts = () => rig.onHandsets().map(({ text }) => text);
const stored = async () => (await rig.rows<{ n: number }>('SELECT COUNT(*) AS n FROM sms_message'))[0]?.n;

/** A deliver_sm that comes while time goes on, answered. */
async function delivered(esme: Esme) {
  let pdu: Awaited<ReturnType<Esme['take']>> | undefined;
  void esme.take().then((got) => (pdu = got));
  await rig.sms.within(() => pdu !== undefined);
  if (!pdu) throw new Error('nothing was delivered');
  return { ...pdu, text: pdu.shortMessage.toString('latin1') };
}

test('a submit is answered with our id once it is durable, goes out as an SMS, and its receipt says so in text and parameters', async () => {
  const esme = await open();
  const { status, messageId } = await esme.submit({ registeredDelivery: 1 });
  expect(status).toBe('ESME_ROK');
  expect(messageId).toMatch(/^\d{19}$/);
  expect(await stored()).toBe(1);
  await arrived(1);
  expect(rig.onHandsets()).toEqual([{ to: `+${HER}`, from: `+${SENDER}`, text: 'Hallo' }]);
  const receipt = await delivered(esme);
  expect(receipt).toMatchObject({ esmClass: 4, sourceAddr: HER, sourceAddrTon: 1, destinationAddr: SENDER, destAddrTon: 1 });
  const words = `^id:${messageId} sub:001 dlvrd:001 submit date:\\d{10} done date:\\d{10} stat:DELIVRD err:000 text:$`;
  expect(receipt.text).toMatch(new RegExp(words));
  expect(receipt.tlvs).toEqual([tlv('receipted_message_id', messageId), tlv('message_state', 2)]);
});

const UNKNOWN_ELEMENT = Buffer.from([0x03, 0x70, 0x01, 0x00, 0x61]);
const BAD: [what: string, fields: Partial<MessageFields>, status: string][] = [
  ['a source that is no sender', { sourceAddr: '9995790000099' }, 'ESME_RINVSRCADR'],
  ['letters that are no sender', { sourceAddr: 'STRANGER', sourceAddrTon: 5 }, 'ESME_RINVSRCADR'],
  ['no source', { sourceAddr: '' }, 'ESME_RINVSRCADR'],
  ['a source of type 7', { sourceAddrTon: 7 }, 'ESME_RINVSRCTON'],
  ['a source of plan 2', { sourceAddrNpi: 2 }, 'ESME_RINVSRCNPI'],
  ['letters as destination', { destinationAddr: 'her' }, 'ESME_RINVDSTADR'],
  ['a destination of three digits', { destinationAddr: '112' }, 'ESME_RINVDSTADR'],
  ['a destination that no link reaches', { destinationAddr: '4917012345678' }, 'ESME_RINVDSTADR'],
  ['an alphanumeric destination', { destAddrTon: 5 }, 'ESME_RINVDSTTON'],
  ['a destination of the ERMES plan', { destAddrNpi: 10 }, 'ESME_RINVDSTNPI'],
  ['datagram mode', { esmClass: 0x01 }, 'ESME_RINVESMCLASS'],
  ['transaction mode', { esmClass: 0x02 }, 'ESME_RINVESMCLASS'],
  ['a receipt from an ESME', { esmClass: 0x04 }, 'ESME_RINVESMCLASS'],
  ['a reply path', { esmClass: 0x80 }, 'ESME_RINVESMCLASS'],
  ['a header that is not there', { esmClass: 0x40, shortMessage: Buffer.alloc(0) }, 'ESME_RINVESMCLASS'],
  ['a header longer than the message', { esmClass: 0x40, shortMessage: Buffer.from([0xff, 1]) }, 'ESME_RINVESMCLASS'],
  ['an element of a header that we cannot carry', { esmClass: 0x40, shortMessage: UNKNOWN_ELEMENT }, 'ESME_RINVESMCLASS'],
  ['USSD', { serviceType: 'USSD' }, 'ESME_RINVSERTYP'],
  ['a priority of 4', { priorityFlag: 4 }, 'ESME_RINVPRTFLG'],
  ['an acknowledgement by the handset', { registeredDelivery: 0x04 }, 'ESME_RINVREGDLVFLG'],
  ['a bit of registered_delivery without a meaning', { registeredDelivery: 0x20 }, 'ESME_RINVREGDLVFLG'],
  ['replacing with 2', { replaceIfPresentFlag: 2 }, 'ESME_RINVREPFLAG'],
  ['a canned message', { smDefaultMsgId: 1 }, 'ESME_RINVDFTMSGID'],
  ['a silent message', { protocolId: 0x40 }, 'ESME_RSUBMITFAIL'],
  ['a schedule that is no time', { scheduleDeliveryTime: '261322100000000+' }, 'ESME_RINVSCHED'],
  ['a schedule in the past', { scheduleDeliveryTime: '261121100000000+' }, 'ESME_RINVSCHED'],
  ['a schedule in two months', { scheduleDeliveryTime: '000200000000000R' }, 'ESME_RINVSCHED'],
  ['a validity that is over', { validityPeriod: '261121100000000+' }, 'ESME_RINVEXPIRY'],
  ['a validity of nothing', { validityPeriod: '000000000000000R' }, 'ESME_RINVEXPIRY'],
  [
    'a validity that ends before it begins',
    { scheduleDeliveryTime: '000001000000000R', validityPeriod: '000000010000000R' },
    'ESME_RINVEXPIRY',
  ],
  ['no message', { shortMessage: Buffer.alloc(0) }, 'ESME_RINVMSGLEN'],
  ['half a character of UCS-2', { dataCoding: 8, shortMessage: Buffer.from([0, 65, 0]) }, 'ESME_RINVMSGLEN'],
  ['a text of eleven segments', { shortMessage: Buffer.alloc(0), tlvs: [tlv('message_payload', Buffer.alloc(1_600, 'x'))] }, 'ESME_RINVMSGLEN'],
  ['two messages in one', { tlvs: [tlv('message_payload', Buffer.from('b'))] }, 'ESME_ROPTPARNOTALLWD'],
  ['the Japanese alphabet of JIS', { dataCoding: 5 }, 'ESME_RINVDCS'],
  ['a reserved data_coding', { dataCoding: 0x0f }, 'ESME_RINVDCS'],
  ['octets that the GSM alphabet lacks', { shortMessage: Buffer.from([0x48, 0xe4]) }, 'ESME_RINVDCS'],
]; // biome-ignore format: one line each

test.each(BAD)('%s is refused with its status, and nothing of it is kept', async (_, fields, status) => {
  const esme = await open();
  expect((await esme.submit(fields)).status).toBe(status);
  expect(await stored()).toBe(0);
  expect((await esme.submit()).status).toBe('ESME_ROK');
});

test('texts arrive as they were meant, whatever alphabet they came in', async () => {
  const esme = await open();
  const given: [Partial<MessageFields>, string][] = [
    [{ shortMessage: Buffer.from([0x48, 0x00, 0x1b, 0x65, 0x7b]) }, 'H@€ä'],
    [{ dataCoding: 3, shortMessage: Buffer.from([0xe4, 0xe7]) }, 'äç'],
    [{ dataCoding: 1, shortMessage: Buffer.from('$[ascii]') }, '$[ascii]'],
    [{ dataCoding: 8, shortMessage: encodeUcs2('Привет 🙂') }, 'Привет 🙂'],
    [{ dataCoding: 0x18, shortMessage: encodeUcs2('Блиц') }, 'Блиц'],
    [{ dataCoding: 0xf0, shortMessage: Buffer.from('Blitz') }, 'Blitz'],
    [{ dataCoding: 4, shortMessage: Buffer.from([0x00, 0xff, 0x0a]) }, '00ff0a'],
    [{ shortMessage: Buffer.alloc(0), tlvs: [tlv('message_payload', Buffer.from('long '.repeat(60)))] }, 'long '.repeat(60)],
  ];
  for (const [index, [fields]] of given.entries())
    expect((await esme.submit({ ...fields, destinationAddr: `99957123450${index}` })).status).toBe('ESME_ROK');
  await arrived(given.length);
  const byNumber = rig.onHandsets().sort((a, b) => (a.to < b.to ? -1 : 1));
  expect(byNumber.map(({ text }) => text)).toEqual(given.map(([, text]) => text));
});

test('an ESME that means Latin-1 by data_coding 0 is understood so', async () => {
  const esme = await open({ accounts: [{ dataCodingDefault: 'latin1' }] });
  await esme.submit({ shortMessage: Buffer.from('schön', 'latin1') });
  await arrived(1);
  expect(texts()).toEqual(['schön']);
});

test('the queue keeps nothing that an ESME wrote readable, parts that wait included', async () => {
  const esme = await open(NO_SMSC);
  await esme.submit({ shortMessage: Buffer.from('secret words') });
  const [part] = parts('secret words '.repeat(20), 'udh8', 7);
  await esme.submit(part);
  for (const table of ['sms_message', 'sms_esme_submit']) {
    const rows = await rig.rows<{ wrapped: string | null }>(`SELECT * FROM ${table}`);
    expect(rows.some(({ wrapped }) => wrapped !== null)).toBe(true);
    expect(JSON.stringify(rows)).not.toContain('secret');
  }
});

const parts = (text: string, method: 'udh8' | 'udh16' | 'sar', reference: number): Partial<MessageFields>[] =>
  segments(text, { method, reference }).segments.map((segment) => ({ ...segment }));
const LONG = 'A long one that is cut in three. '.repeat(13);

test.each(['udh8', 'udh16', 'sar'] as const)('the parts of a long message by %s are one message, in any order, over two binds', async (method) => {
  const esme = await open();
  const other = await rig.bind('transmitter');
  const [first, second, third] = parts(LONG, method, 0x1207);
  const answers = [await esme.submit(third), await other.submit(first), await esme.submit(second)];
  expect(answers.map(({ status }) => status)).toEqual(['ESME_ROK', 'ESME_ROK', 'ESME_ROK']);
  expect(new Set(answers.map(({ messageId }) => messageId)).size).toBe(3);
  await arrived(1);
  expect(texts()).toEqual([LONG]);
  expect(await rig.rows('SELECT wrapped FROM sms_esme_submit WHERE wrapped IS NOT NULL')).toEqual([]);
}); // biome-ignore format: a name that says it

test('parts that come in one moment are one message', async () => {
  const esme = await open();
  const answers = await Promise.all(parts(LONG, 'udh16', 5).map((part) => esme.submit(part)));
  expect(answers.map(({ status }) => status)).toEqual(['ESME_ROK', 'ESME_ROK', 'ESME_ROK']);
  await arrived(1);
  expect(texts()).toEqual([LONG]);
});

test('a part that is repeated while the others are waited for is the same part', async () => {
  const esme = await open();
  const [first, second, third] = parts(LONG, 'udh8', 9);
  const one = await esme.submit(first);
  expect((await esme.submit(first)).messageId).toBe(one.messageId);
  await esme.submit(second);
  await esme.submit(third);
  await arrived(1);
  expect(texts()).toEqual([LONG]);
});

test('the same reference with another text is another message; of the one that stays in pieces the ESME hears', async () => {
  const esme = await open();
  const [orphan] = parts('Never whole. '.repeat(30), 'udh8', 3);
  const { messageId } = await esme.submit({ ...orphan, registeredDelivery: 1 });
  for (const part of parts(LONG, 'udh8', 3)) await esme.submit(part);
  await arrived(1);
  expect(texts()).toEqual([LONG]);
  expect((await delivered(esme)).text).toContain(`id:${messageId} sub:001 dlvrd:000`);
});

test('a message whose rest does not come in ten minutes is not sent, and each part that asked gets its receipt', async () => {
  const esme = await open();
  const [first, second] = parts(LONG, 'udh16', 1);
  const { messageId } = await esme.submit({ ...first, registeredDelivery: 1 });
  await esme.submit(second);
  await rig.sms.clock.advance(601_000);
  const receipt = await delivered(esme);
  expect(receipt.text).toContain(`id:${messageId}`);
  expect(receipt.text).toContain('stat:UNDELIV');
  expect(await stored()).toBe(0);
  expect(await rig.rows('SELECT 1 AS n FROM sms_esme_submit WHERE wrapped IS NOT NULL')).toEqual([]);
});

test('a long message that cannot be sent is refused to its last part, and to the others by receipt', async () => {
  const esme = await open();
  const [first, second, third] = parts(LONG, 'udh16', 1).map((part) => ({
    ...part,
    destinationAddr: '4917012345678',
    registeredDelivery: 1,
  }));
  const { messageId } = await esme.submit(first);
  await esme.submit(second);
  expect((await esme.submit(third)).status).toBe('ESME_RINVDSTADR');
  const receipts = [await delivered(esme), await delivered(esme)].map(({ text }) => text);
  expect(receipts.some((text) => text.includes(`id:${messageId}`) && text.includes('stat:REJECTD'))).toBe(true);
  expect(await stored()).toBe(0);
});

test('each part of a long message that asked for a receipt gets the one truth of the whole', async () => {
  const esme = await open();
  const ids: string[] = [];
  for (const [index, part] of parts(LONG, 'udh16', 2).entries()) {
    const { messageId } = await esme.submit({ ...part, registeredDelivery: index === 1 ? 0 : 1 });
    if (index !== 1) ids.push(messageId);
  }
  const told = [await delivered(esme), await delivered(esme)].map(({ text }) => /^id:(\d+) .* stat:(\w+)/.exec(text)?.slice(1));
  expect(told.sort()).toEqual(ids.sort().map((id) => [id, 'DELIVRD']));
});

test('submit_multi: one id, a message to each good destination, and a reason for each other', async () => {
  const esme = await open();
  const to = (destinationAddr: string, destAddrTon = 1) => ({ destinationAddr, destAddrTon, destAddrNpi: 1 });
  const answer = await esme.ask('submit_multi', {
    sourceAddr: SENDER,
    registeredDelivery: 1,
    shortMessage: Buffer.from('An alle'),
    destinations: [to('999571230001'), to('12'), to('999571230002'), to('999571230003', 5), to('4917012345678')],
  });
  expect(answer.commandStatus).toBe(0);
  expect(answer.unsuccessSmes).toEqual([
    { ...to('12'), errorStatusCode: 0x0b },
    { ...to('999571230003', 5), errorStatusCode: 0x50 },
    { ...to('4917012345678'), errorStatusCode: 0x0b },
  ]);
  await arrived(2);
  const receipts = [await delivered(esme), await delivered(esme)];
  expect(receipts.map(({ sourceAddr }) => sourceAddr).sort()).toEqual(['999571230001', '999571230002']);
  expect(receipts.every(({ text }) => text.startsWith(`id:${answer.messageId} `))).toBe(true);

  const nobody = await esme.ask('submit_multi', { sourceAddr: SENDER, shortMessage: Buffer.from('x'), destinations: [to('12')] });
  expect([nobody.commandStatus, nobody.messageId]).toEqual([0x0b, '']);
  const list = await esme.ask('submit_multi', { sourceAddr: SENDER, shortMessage: Buffer.from('x'), destinations: [{ dlName: 'all' }] });
  expect(list.commandStatus).toBe(0x34);
});

test('data_sm carries its message in the payload, and its validity in qos_time_to_live', async () => {
  const esme = await open();
  const fields = { sourceAddr: SENDER, destinationAddr: HER, destAddrTon: 1, destAddrNpi: 1 };
  const empty = await esme.ask('data_sm', fields);
  expect(empty.commandStatus).toBe(0xc3);
  const tlvs = [tlv('message_payload', Buffer.from('Daten')), tlv('qos_time_to_live', 600)];
  const { commandStatus, messageId } = await esme.ask('data_sm', { ...fields, tlvs });
  expect([commandStatus, messageId.length]).toEqual([0, 19]);
  const [row] = await rig.rows<{ ms: number }>('SELECT expires_at - queued_at AS ms FROM sms_message');
  expect(row?.ms).toBe(600_000);
  await arrived(1);
  expect(texts()).toEqual(['Daten']);
});

test('what is scheduled waits for its time', async () => {
  const esme = await open();
  await esme.submit({ scheduleDeliveryTime: '000000001000000R', shortMessage: Buffer.from('later') });
  await esme.submit({ destinationAddr: '999571230001' });
  await arrived(1);
  expect(texts()).toEqual(['Hallo']);
  await rig.sms.clock.advance(600_000);
  await arrived(2);
  expect(texts()).toContain('later');
});

test('what is not sent in its validity has expired, and its ESME hears so', async () => {
  const esme = await open(NO_SMSC);
  await esme.submit({ validityPeriod: '000000000100000R', registeredDelivery: 1 });
  await rig.sms.clock.advance(61_000);
  expect((await delivered(esme)).text).toContain('stat:EXPIRED');
});

// By the magic numbers of the sandbox: 0101 is not delivered, 0103 expires.
test('registered_delivery chooses: all, failures only, steps on the way, or nothing', async () => {
  const esme = await open();
  const asked: [number, string][] = [
    [1, '9995790000101'],
    [2, '9995791000101'],
    [2, '999571230002'],
    [0x11, '999571230003'],
    [0, '999571230004'],
    [3, '999571230005'],
    [3, '9995792000101'],
  ];
  const idOf = new Map<string, string>();
  for (const [registeredDelivery, destinationAddr] of asked)
    idOf.set((await esme.submit({ registeredDelivery, destinationAddr })).messageId, destinationAddr);
  const told: string[] = [];
  for (let count = 0; count < 5; count++) {
    const { text, esmClass, tlvs } = await delivered(esme);
    const [, id = '', state] = /^id:(\d+) .* stat:(\w+) err:(\d+)/.exec(text) ?? [];
    told.push(`${idOf.get(id)} ${state} ${esmClass.toString(16)} ${tlvs.length}`);
  }
  expect(told.sort()).toEqual([
    '999571230003 DELIVRD 4 2',
    '999571230003 ENROUTE 20 2',
    '999571230005 DELIVRD 4 2',
    // The network's error goes along: a parameter more.
    '9995790000101 UNDELIV 4 3',
    '9995791000101 UNDELIV 4 3',
  ]);
  await rig.sms.within(async () => (await rig.rows("SELECT 1 AS n FROM sms_message WHERE state NOT IN ('delivered', 'undelivered')")).length === 0);
  // And of nothing else.
  await rig.sms.until(async () => (await rig.rows("SELECT 1 AS n FROM sms_esme_delivery WHERE state = 'waiting'")).length === 0);
  expect(await rig.rows('SELECT COUNT(*) AS n FROM sms_esme_delivery')).toEqual([{ n: 5 }]);
}); // biome-ignore format: one story
