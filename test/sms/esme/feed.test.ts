import { afterEach, expect, test } from 'vitest';
import { messageText, parseUdh, STATUS } from '../../../src/smpp/index.js';
import { defineOperation, settleNothing } from '../../../src/store/index.js';
import { type Esme, type EsmeRig, type EsmeRigOptions, HER, openEsmeRig, SENDER } from './rig.js';

let rig: EsmeRig;
afterEach(() => rig.close());

async function open(...accounts: NonNullable<EsmeRigOptions['accounts']>[number][]): Promise<void> {
  rig = await openEsmeRig({ accounts });
  await rig.sms.bound();
}

const mo = (text: string, from = `+${HER}`) => rig.sms.smsc.sendMo({ from, to: `+${SENDER}`, text });
const waiting = async () => (await rig.rows("SELECT 1 AS n FROM sms_esme_delivery WHERE state = 'waiting'")).length;
const states = () => rig.rows('SELECT state, command_status, attempts FROM sms_esme_delivery ORDER BY position');

/** Answers every deliver_sm when it comes; what they say, in order. */
function taking(esme: Esme, status: () => number = () => 0): string[] {
  const told: string[] = [];
  async function take(): Promise<void> {
    for (;;) {
      const pdu = await esme.next('deliver_sm');
      told.push(messageText(pdu) ?? '');
      esme.send({ command: 'deliver_sm_resp', sequence: pdu.sequence, commandStatus: status() });
    }
  }
  take().catch(() => undefined);
  return told;
}

test('what comes while no receiver is bound is kept, encrypted, and replayed in order when one binds; a transmitter gets none', async () => {
  await open();
  await rig.bind('transmitter');
  for (const text of ['eins', 'zwei', 'drei']) await mo(text);
  await rig.sms.until(async () => (await waiting()) === 3);
  const rows = await rig.rows('SELECT * FROM sms_esme_delivery');
  expect(JSON.stringify(rows)).not.toMatch(/eins|zwei|drei|ZWlucw/);
  await rig.restart();
  const told = taking(await rig.bind('receiver'));
  await rig.sms.within(() => told.length === 3);
  expect(told).toEqual(['eins', 'zwei', 'drei']);
  await rig.sms.until(async () => (await waiting()) === 0);
  expect(await rig.rows("SELECT 1 AS n FROM sms_esme_delivery WHERE fields <> '' OR wrapped IS NOT NULL")).toEqual([]);
});

test('a backlog is replayed no faster than the account may', async () => {
  await open({ segmentsPerSecondMax: 10 });
  for (let count = 0; count < 25; count++) await mo(`text ${count}`, `+9995712345${String(count).padStart(2, '0')}`);
  await rig.sms.until(async () => (await waiting()) === 25);
  const told = taking(await rig.bind());
  await rig.sms.until(() => told.length === 1);
  await rig.sms.clock.advance(0);
  expect(told.length).toBe(1);
  const before = rig.sms.clock.now();
  await rig.sms.within(() => told.length === 25);
  expect(rig.sms.clock.now() - before).toBeGreaterThanOrEqual(2_300);
});

test('no more than a window is on the wire', async () => {
  await open();
  for (let count = 0; count < 25; count++) await mo(`text ${count}`, `+9995712345${String(count).padStart(2, '0')}`);
  await rig.sms.until(async () => (await waiting()) === 25);
  const esme = await rig.bind();
  const delivered = () => esme.got.filter(({ command }) => command === 'deliver_sm').length;
  await rig.sms.within(() => delivered() === 10);
  await rig.sms.clock.advance(500);
  expect(delivered()).toBe(10);
});

test.each([
  ['ESME_RX_T_APPN', STATUS.ESME_RX_T_APPN],
  ['ESME_RMSGQFUL', STATUS.ESME_RMSGQFUL],
  ['0x00000444', 0x444],
])('what is turned away with %s comes again later', async (name, status) => {
  await open();
  let isFull = true;
  const told = taking(await rig.bind(), () => (isFull ? status : 0));
  await mo('noch einmal');
  await rig.sms.until(async () => (await states()).some(({ attempts }) => attempts === 1));
  expect(await states()).toEqual([{ state: 'waiting', command_status: name, attempts: 1 }]);
  isFull = false;
  // At once would be no patience.
  expect(told).toEqual(['noch einmal']);
  await rig.sms.within(() => told.length === 2);
  await rig.sms.until(async () => (await waiting()) === 0);
  expect(await states()).toEqual([{ state: 'done', command_status: 'ESME_ROK', attempts: 2 }]);
});

test('what is refused for good is written down and never comes again; what it said is gone', async () => {
  await open();
  const told = taking(await rig.bind(), () => STATUS.ESME_RX_P_APPN);
  await mo('nie wieder');
  await rig.sms.until(async () => (await states()).some(({ state }) => state === 'failed'));
  expect(await states()).toEqual([{ state: 'failed', command_status: 'ESME_RX_P_APPN', attempts: 1 }]);
  expect(await rig.rows("SELECT 1 AS n FROM sms_esme_delivery WHERE fields <> '' OR wrapped IS NOT NULL")).toEqual([]);
  await rig.sms.clock.advance(20_000);
  expect(told).toEqual(['nie wieder']);
  const [view] = await rig.sms.sms.esmes.views('e-plus');
  expect(view).toMatchObject({ systemId: 'eplus-app', delivered: 0, refused: 1, backlog: { receipts: 0, messages: 0 } });
});

test('what was on the wire when a bind broke off comes again on the next', async () => {
  await open();
  const esme = await rig.bind();
  await mo('auf der Leitung');
  await rig.sms.within(() => esme.got.some(({ command }) => command === 'deliver_sm'));
  esme.destroy();
  await rig.sms.until(async () => (await states()).some(({ attempts }) => attempts === 1));
  const told = taking(await rig.bind());
  await rig.sms.within(() => told.length === 1);
  expect(told).toEqual(['auf der Leitung']);
});

test('what nobody came for in a week is given up and deleted', async () => {
  await open();
  await mo('zu spät');
  await rig.sms.until(async () => (await waiting()) === 1);
  const past = defineOperation<object, undefined>({
    name: 'test.past',
    statements: [`UPDATE sms_esme_delivery SET heard_at = heard_at - ${8 * 86_400_000}`],
    settle: settleNothing,
  });
  await rig.sms.store.messages.run(past, {});
  // What is old is looked for at the start, and then each hour.
  await rig.restart();
  await rig.sms.until(async () => (await waiting()) === 0);
  expect(await rig.rows("SELECT 1 AS n FROM sms_esme_delivery WHERE fields <> '' OR wrapped IS NOT NULL")).toEqual([]);
});

test('an ESME older than 3.4 gets no optional parameters', async () => {
  await open();
  const esme = await rig.bind('transceiver', { interfaceVersion: 0x33 });
  await esme.submit({ registeredDelivery: 1 });
  let receipt: Awaited<ReturnType<Esme['take']>> | undefined;
  void esme.take().then((pdu) => (receipt = pdu));
  await rig.sms.within(() => receipt !== undefined);
  expect(receipt?.tlvs).toEqual([]);
  expect(receipt?.shortMessage.toString()).toContain('stat:DELIVRD');
});

const LONG = 'Eine lange Antwort, die in drei Teile geht. '.repeat(9);

test.each([
  ['udh8', 'GSM', LONG],
  ['udh16', 'UCS-2', 'Длинный ответ из нескольких частей. '.repeat(5)],
  ['sar', 'GSM', LONG],
  ['payload', 'GSM', LONG],
] as const)('a long text comes by %s in %s', async (longMessages, _, text) => {
  await open({ longMessages });
  const esme = await rig.bind();
  taking(esme);
  await mo(text);
  await rig.sms.within(async () => (await waiting()) === 0 && esme.got.some(({ command }) => command === 'deliver_sm'));
  const pdus = esme.got.flatMap((pdu) => (pdu.command === 'deliver_sm' ? [pdu] : []));
  expect(pdus.map((pdu) => messageText(pdu)).join('')).toBe(text);
  expect(pdus.length === 1).toBe(longMessages === 'payload');
  expect(pdus[0]).toMatchObject({ sourceAddr: HER, sourceAddrTon: 1, destinationAddr: SENDER, destAddrTon: 1 });
  const header = pdus[0] && (pdus[0].esmClass & 0x40) !== 0 ? parseUdh(pdus[0].shortMessage)?.elements[0]?.id : undefined;
  expect(header).toBe({ udh8: 0x00, udh16: 0x08, sar: undefined, payload: undefined }[longMessages]);
}); // biome-ignore format: one glance

test('an answer to a conversation goes into the chat, and only what no conversation claims goes to the ESME', async () => {
  await open();
  const told = taking(await rig.bind());
  const he = await rig.sms.person('+999571111111');
  const she = await rig.sms.person(`+${HER}`);
  const { id } = await rig.sms.fallback(he, she, 'Dinner?');
  rig.sms.fire();
  await rig.sms.within(async () => (await rig.sms.get(id)).state === 'delivered');
  await mo('Gern!');
  await rig.sms.until(async () => (await rig.sms.replies(he)).length === 1);
  await mo('Wer ist da?', '+999571239999');
  await rig.sms.within(() => told.length === 1);
  expect(told).toEqual(['Wer ist da?']);
  expect((await rig.sms.replies(he)).map(({ text }) => text)).toEqual(['Gern!']);
  // The partner's log says to whom it went; the ESME may have it before that is written.
  const toEsme = async () => (await rig.sms.events()).filter(({ facts = [] }) => facts.some(({ name, value }) => name === 'account' && value === 'eplus-app'));
  await rig.sms.until(async () => (await toEsme()).length === 1);
  expect((await toEsme()).map(({ type }) => type)).toEqual(['sms-reply.received']);
}); // biome-ignore format: one story

test('of two accounts the one that lists the number gets its messages, before one that may use all', async () => {
  await open({}, { systemId: 'support', senders: [`+${SENDER}`] });
  const all = taking(await rig.bind());
  const support = taking(await rig.bind('receiver', { systemId: 'support' }));
  await mo('Hilfe bitte');
  await rig.sms.within(() => support.length === 1);
  expect([support, all]).toEqual([['Hilfe bitte'], []]);
});
