import { afterEach, beforeEach, expect, test } from 'vitest';
import { newId } from '../../../src/kernel/ids.js';
import { type MessageFields, tlv } from '../../../src/smpp/index.js';
import type { NewTextSms } from '../../../src/sms/index.js';
import { openScriptedSmsc, type ScriptedSmsc } from '../../fakes/scripted-smsc.js';
import { openSmsRig, type SmsRig } from '../rig.js';

let rig: SmsRig;
let smsc: ScriptedSmsc;
/** What the SMSC answers to the messages to come, in this order. */
let ids: string[];

beforeEach(async () => {
  let port = 9;
  ids = [];
  rig = await openSmsRig({ port: () => port });
  smsc = await openScriptedSmsc({ clock: rig.clock, systemIds: ['causeway'], onSubmit: async () => ids.shift() ?? '' });
  port = smsc.port;
  await rig.within(() => smsc.bindsOf('causeway') === 2);
});
afterEach(async () => {
  await rig.close();
  await smsc.close();
}, 60_000);

const TO = '999571000001';

async function submitted(answered: string): Promise<string> {
  const id = newId('sms', rig.clock.now());
  ids.push(answered);
  const sms: NewTextSms = {
    ...{ id, partnerId: 'e-plus', market: 'XS', linkId: 'e-plus-main', clientId: 'e-plus-backoffice', class: 'notice' },
    ...{ recipient: `+${TO}`, sender: 'CAUSEWAY', takesReply: false, text: 'Hallo', correlator: 'r', validForMs: 3_600_000 },
  };
  await rig.sms.queue([sms]);
  await rig.within(async () => (await stateOf(id)) === 'submitted');
  return id;
}

const stateOf = async (id: string) => (await rig.sms.getMessage({ partnerId: 'e-plus', markets: undefined }, id)).state;
const receipt = (id: string, state = 'DELIVRD'): MessageFields => ({
  sourceAddr: TO,
  destinationAddr: 'CAUSEWAY',
  esmClass: 4,
  shortMessage: Buffer.from(`id:${id} sub:001 dlvrd:001 submit date:2611221000 done date:2611221001 stat:${state} err:000 text:`),
});
const deliver = (fields: MessageFields) => smsc.deliver('causeway', fields);
const held = async (): Promise<number> => {
  const [row] = await rig.store.messages.read<{ n: number }>('SELECT COUNT(*) AS n FROM sms_receipt WHERE sms_id IS NULL');
  return Number(row?.n);
};

test('a receipt that could be of two messages waits, and finds its own as soon as one of them has ended', async () => {
  const [first, second] = [await submitted('0100'), await submitted('100')];
  await deliver(receipt('00100'));
  await rig.sms.idle();
  expect([await stateOf(first), await stateOf(second), await held()]).toEqual(['submitted', 'submitted', 1]);
  await deliver(receipt('100', 'UNDELIV'));
  await rig.until(async () => (await held()) === 0);
  await rig.sms.idle();
  expect([await stateOf(first), await stateOf(second)]).toEqual(['delivered', 'undelivered']);
});

test('what a link was seen to do decides between two messages to one handset, also after a restart', async () => {
  for (const number of [0x1a01, 0x1a02, 0x1a03]) {
    const id = await submitted(number.toString(16));
    await deliver(receipt(String(number)));
    await rig.until(async () => (await stateOf(id)) === 'delivered');
  }
  await rig.sms.idle();
  await rig.restart();
  await rig.within(() => smsc.bindsOf('causeway') === 2);
  // Of 100 and 64 the receipt's 100 is the second one's, in decimal.
  const [first, second] = [await submitted('100'), await submitted('64')];
  await deliver(receipt('100'));
  await rig.until(async () => (await stateOf(second)) === 'delivered');
  expect(await stateOf(first)).toBe('submitted');
});

test('a receipt of another handset is of nobody, and harms nobody', async () => {
  const id = await submitted('77');
  await deliver({ ...receipt('77'), sourceAddr: '999571000002' });
  await rig.sms.idle();
  expect([await stateOf(id), await held()]).toEqual(['submitted', 1]);
});

test('status 0 is answered only once what came is in the store, and a store that fails is answered with a temporary error', async () => {
  const { messages } = rig.store;
  const run = messages.run.bind(messages);
  const mo: MessageFields = { sourceAddr: TO, destinationAddr: '9995790000001', shortMessage: Buffer.from('hi') };
  const part = { ...mo, esmClass: 0x40, shortMessage: Buffer.from([5, 0, 3, 1, 2, 1, 0x61]) };
  const rows = async () => {
    const counts = await Promise.all(
      ['sms_inbound', 'sms_inbound_part', 'sms_receipt'].map((table) => messages.read<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`)),
    );
    return counts.map(([row]) => Number(row?.n));
  };
  for (const [fields, stored] of [
    [mo, [1, 0, 0]],
    [part, [1, 1, 0]],
    [receipt('1'), [1, 1, 1]],
    [{ sourceAddr: TO, destinationAddr: 'CAUSEWAY', esmClass: 4, tlvs: [tlv('receipted_message_id', '2')] }, [1, 1, 2]],
  ] as const) {
    messages.run = () => Promise.reject(new Error('the disk is full'));
    await expect(deliver(fields)).rejects.toMatchObject({ outcome: 'refused', statusName: 'ESME_RX_T_APPN' });
    let letGo: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    messages.run = async (operation, item) => {
      await gate;
      return run(operation, item);
    };
    let isAnswered = false;
    const answered = deliver(fields).then(() => {
      isAnswered = true;
    });
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(isAnswered).toBe(false);
    letGo();
    await answered;
    messages.run = run;
    expect(await rows()).toEqual(stored);
    await rig.sms.idle();
  }
});
