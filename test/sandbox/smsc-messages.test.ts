import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createHandset } from '../../src/sandbox/handset.js';
import { bindEsme, closeAfterEach, SENDER, startSmsc, textOf } from './esme.js';

closeAfterEach();

const HER = '+999571234567';
const folder = mkdtempSync(join(tmpdir(), 'causeway-smsc-'));
afterAll(() => rmSync(folder, { recursive: true }));

const UDH8 = (seq: number) => ({ short_message: { udh: Buffer.from([5, 0, 3, 200, 3, seq]), message: `p${seq}` } });
const UDH16 = (seq: number) => ({ short_message: { udh: Buffer.from([6, 8, 4, 200, 1, 3, seq]), message: `p${seq}` } });
const UDH_WITH_PORTS = (seq: number) => ({
  short_message: { udh: Buffer.from([11, 5, 4, 11, 132, 35, 240, 0, 3, 200, 3, seq]), message: `p${seq}` },
});
const SAR = (seq: number) => ({ short_message: `p${seq}`, sar_msg_ref_num: 200, sar_total_segments: 3, sar_segment_seqnum: seq });

test.each([
  ['8-bit UDH', UDH8],
  ['16-bit UDH', UDH16],
  ['UDH with other elements', UDH_WITH_PORTS],
  ['SAR TLVs', SAR],
])('parts joined by %s reach the handset as one message, in any order and once', async (_method, part) => {
  const { smsc } = await startSmsc();
  const esme = await bindEsme(smsc.port);
  const ids: string[] = [];
  for (const seq of [3, 1, 3]) ids.push(String((await esme.submit(HER, part(seq))).message_id));
  expect(smsc.received({ limit: 10 })).toEqual([]);
  ids.push(String((await esme.submit(HER, part(2))).message_id));
  expect(smsc.received({ limit: 10 })).toMatchObject([
    { text: 'p1p2p3', parts: 3, partIds: [ids[1], ids[3], ids[2]], ref: expect.any(Number) },
  ]);
  expect(smsc.owed()).toBe(4);
});

test('parts of another sender or an old message never join', async () => {
  const { smsc, clock } = await startSmsc();
  const esme = await bindEsme(smsc.port);
  await esme.submit(HER, UDH8(1));
  await esme.submit(HER, { ...UDH8(2), source_addr: '9995790000002' });
  await clock.advance(1_000);
  await esme.submit(HER, UDH8(2));
  await clock.advance(55_000);
  for (let minute = 0; minute < 5; minute++) {
    await esme.request('enquire_link');
    await clock.advance(55_000);
  }
  await esme.submit(HER, UDH8(3));
  expect(smsc.received({ limit: 10 })).toEqual([]);
});

test.each([
  ['message_payload', { short_message: '', message_payload: { message: 'x'.repeat(500) } }, 'x'.repeat(500)],
  ['the GSM alphabet', { data_coding: 0, short_message: '@ £ {€} ~ Ñ ü' }, '@ £ {€} ~ Ñ ü'],
  ['Latin-1', { data_coding: 3, short_message: 'çãõ ÿ' }, 'çãõ ÿ'],
  ['UCS-2', { data_coding: 8, short_message: 'Привет 👋' }, 'Привет 👋'],
  ['8-bit data', { data_coding: 4, short_message: Buffer.from('cafe', 'hex') }, 'cafe'],
])('%s is read as it was meant', async (_form, fields, text) => {
  const { smsc } = await startSmsc();
  const esme = await bindEsme(smsc.port);
  await esme.submit(HER, fields);
  expect(smsc.received({ limit: 10 })[0]?.text).toBe(text);
});

test('an emoji cut in half between two parts is whole again in the handset', async () => {
  const { smsc } = await startSmsc();
  const esme = await bindEsme(smsc.port);
  const halves = ['a\ud83d', '\udc4bb'];
  for (const [index, half] of halves.entries()) {
    const message = Buffer.from(half, 'utf16le').swap16();
    const body = Buffer.concat([Buffer.from([5, 0, 3, 9, 2, index + 1]), message]);
    await esme.submit(HER, { data_coding: 8, esm_class: 0x40, short_message: body });
  }
  expect(smsc.received({ limit: 10 })[0]?.text).toBe('a👋b');
});

test('received pages by the last id seen, and an alphanumeric sender stays as it is', async () => {
  const { smsc } = await startSmsc();
  const esme = await bindEsme(smsc.port);
  for (const text of ['one', 'two', 'three']) {
    await esme.submit(HER, { short_message: text, source_addr_ton: 5, source_addr_npi: 0, source_addr: 'CAUSEWAY' });
  }
  const [first] = smsc.received({ limit: 1 });
  expect(first).toMatchObject({ from: 'CAUSEWAY', text: 'one' });
  const rest = smsc.received({ after: first?.smscMessageId ?? '', limit: 10 });
  expect(rest.map((message) => message.text)).toEqual(['two', 'three']);
});

test('a handset sees only its own messages and its reply reaches whoever wrote last', async () => {
  const { smsc } = await startSmsc();
  const esme = await bindEsme(smsc.port);
  const handset = createHandset({ smsc, msisdn: HER });
  const heard: string[] = [];
  handset.onMessage((message) => heard.push(message.text));
  await esme.submit('+999571111111', { short_message: 'not hers' });
  await esme.submit(HER, { short_message: 'hers' });
  expect(handset.inbox().map((message) => message.text)).toEqual(['hers']);
  expect(heard).toEqual(['hers']);
  await handset.reply('Ja, bis später!');
  const mo = await esme.next('deliver_sm');
  expect([mo.esm_class, mo.source_addr, mo.destination_addr, textOf(mo)]).toEqual([0, HER.slice(1), SENDER, 'Ja, bis später!']);
});

test('a long reply goes out in parts that join to the text', async () => {
  const { smsc } = await startSmsc();
  const esme = await bindEsme(smsc.port);
  const text = `${'€'.repeat(100)}${'b'.repeat(60)}`;
  await smsc.sendMo({ from: HER, to: `+${SENDER}`, text });
  const parts = [await esme.next('deliver_sm'), await esme.next('deliver_sm')];
  expect(parts.map((pdu) => pdu.esm_class)).toEqual([0x40, 0x40]);
  expect(parts.map(textOf).join('')).toBe(text);
  expect(parts.map((pdu) => pdu.short_message)).toMatchObject([
    { udh: [Buffer.from([0, 3, 1, 2, 1])] },
    { udh: [Buffer.from([0, 3, 1, 2, 2])] },
  ]);
});

test('a reply waits for a bind, survives a link that drops before the answer, and is retried after a temporary refusal', async () => {
  const { smsc, clock } = await startSmsc();
  let isDone = false;
  const sent = smsc.sendMo({ from: HER, to: `+${SENDER}`, text: 'ja' }).then(() => (isDone = true));
  await clock.advance(1_000);
  const first = await bindEsme(smsc.port, 'receiver', 'causeway', [null]);
  await first.next('deliver_sm');
  expect(smsc.dropLinks()).toBe(1);
  await first.closed;
  const second = await bindEsme(smsc.port, 'transceiver', 'causeway', [0x64]);
  await second.next('deliver_sm');
  await second.request('enquire_link');
  expect([isDone, smsc.owed()]).toEqual([false, 1]);
  await clock.advance(5_000);
  await second.next('deliver_sm');
  await sent;
  expect(smsc.owed()).toBe(0);
});

test('a reply that is refused for good, or cannot be sent at all, fails with the reason', async () => {
  const { smsc } = await startSmsc();
  const esme = await bindEsme(smsc.port);
  esme.answerWith.push(0x65);
  await expect(smsc.sendMo({ from: HER, to: `+${SENDER}`, text: 'ja' })).rejects.toMatchObject({ code: 'SMPP.REFUSED' });
  const invalid = { code: 'INVALID_ARGUMENT' };
  await expect(smsc.sendMo({ from: '+491701234567', to: `+${SENDER}`, text: 'ja' })).rejects.toMatchObject(invalid);
  await expect(smsc.sendMo({ from: HER, to: 'CAUSEWAY', text: 'ja' })).rejects.toMatchObject(invalid);
  await expect(smsc.sendMo({ from: HER, to: `+${SENDER}`, text: '' })).rejects.toMatchObject(invalid);
  esme.close();
  await esme.closed;
  const waiting = smsc.sendMo({ from: HER, to: `+${SENDER}`, text: 'ja' });
  await Promise.all([expect(waiting).rejects.toMatchObject({ code: 'UNAVAILABLE' }), smsc.close()]);
});

test('a reply goes to the account whose handsets these are', async () => {
  const accounts = [
    { systemId: 'eplus', password: 'sandbox', msisdnPrefixes: ['+99957'] },
    { systemId: 'cw', password: 'sandbox', msisdnPrefixes: ['+99987'] },
  ];
  const { smsc } = await startSmsc({ accounts });
  const [eplus, cw] = [await bindEsme(smsc.port, 'transceiver', 'eplus'), await bindEsme(smsc.port, 'transceiver', 'cw')];
  await smsc.sendMo({ from: '+999871234567', to: '+9998790000001', text: 'to cw' });
  await smsc.sendMo({ from: HER, to: `+${SENDER}`, text: 'to eplus' });
  expect(eplus.seen.filter((pdu) => pdu.command === 'deliver_sm').map(textOf)).toEqual(['to eplus']);
  expect(cw.seen.filter((pdu) => pdu.command === 'deliver_sm').map(textOf)).toEqual(['to cw']);
});

// The crash tests kill the process that runs the SMSC: what it answered must be there after a restart.
test('with a state file, messages, unjoined parts, owed receipts and replies outlive the SMSC, and no id is given twice', async () => {
  const stateFile = join(folder, randomUUID());
  const before = await startSmsc({ stateFile });
  const esme = await bindEsme(before.smsc.port, 'transmitter');
  const id = String((await esme.submit(HER)).message_id);
  const partId = String((await esme.submit(HER, { ...UDH8(1), registered_delivery: 0 })).message_id);
  const settled = await bindEsme(before.smsc.port, 'receiver');
  await before.smsc.sendMo({ from: HER, to: `+${SENDER}`, text: 'settled' });
  settled.close();
  await settled.closed;
  before.smsc.sendMo({ from: HER, to: `+${SENDER}`, text: 'owed' }).catch(() => undefined);
  await before.smsc.close();
  appendFileSync(stateFile, '{"accepted":{"smscMessa');

  const after = await startSmsc({ stateFile });
  expect(after.smsc.received({ limit: 10 })).toMatchObject([{ smscMessageId: id, text: 'hello' }]);
  expect(after.smsc.owed()).toBe(2);
  const next = await bindEsme(after.smsc.port);
  await after.clock.advance(1_000);
  const delivered = [textOf(await next.next('deliver_sm')), textOf(await next.next('deliver_sm'))];
  expect(delivered.some((text) => text.startsWith(`id:${id} `))).toBe(true);
  expect(delivered).toContain('owed');
  const ids = [];
  for (const seq of [2, 3]) ids.push(String((await next.submit(HER, { ...UDH8(seq), registered_delivery: 0 })).message_id));
  expect(after.smsc.received({ limit: 10 }).at(-1)).toMatchObject({ text: 'p1p2p3', partIds: [partId, ...ids] });
  expect(new Set([id, partId, ...ids]).size).toBe(4);
  await after.smsc.close();

  const last = await startSmsc({ stateFile });
  expect(last.smsc.owed()).toBe(0);
  expect(last.smsc.received({ limit: 10 })).toHaveLength(2);
});
