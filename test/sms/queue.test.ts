import { afterEach, describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.js';
import type { NewTextSms } from '../../src/sms/index.js';
import { defineOperation, settleNothing } from '../../src/store/index.js';
import { openSmsRig, type SmsRig } from './rig.js';

let rig: SmsRig;
afterEach(() => rig.close());

const SCOPE = { partnerId: 'e-plus', markets: undefined };
let asked = 0;

const aText = (more: Partial<NewTextSms> = {}): NewTextSms => ({
  id: newId('sms', rig.clock.now()),
  partnerId: 'e-plus',
  market: 'XS',
  linkId: 'e-plus-main',
  clientId: 'e-plus-backoffice',
  class: 'notice',
  recipient: `+99957${1_000_000 + ++asked}`,
  sender: 'CAUSEWAY',
  takesReply: false,
  text: 'Ihr Guthaben ist fast aufgebraucht',
  correlator: 'req-1',
  validForMs: 3_600_000,
  ...more,
});
const once = (key: string, fingerprint = 'f1', answer = '{"n":1}') => ({
  partnerId: 'e-plus',
  scope: 'createSmsMessage',
  key,
  fingerprint,
  answer,
});
const stateOf = async (id: string) => (await rig.sms.getMessage(SCOPE, id)).state;
const rows = <R extends Record<string, string | number | null>>(sql: string) => rig.store.messages.read<R>(sql);
const texts = () =>
  rig.smsc
    .received({ limit: 100 })
    .map(({ text }) => text)
    .sort();

async function open(given: Parameters<typeof openSmsRig>[0] = {}) {
  rig = await openSmsRig(given);
  await rig.bound();
}

describe('the queue of partners’ own SMS', () => {
  test('what was queued goes out, and its text is at rest only wrapped and only until the SMSC has it', async () => {
    await open();
    await rig.sms.pauseLink('e-plus', 'e-plus-main');
    const message = aText();
    expect(await rig.sms.queue([message])).toEqual({ outcome: 'queued' });
    const [waiting] = await rows<{ wrapped: string }>('SELECT wrapped FROM sms_message');
    expect(waiting?.wrapped).toMatch(/^w2\./);
    await rig.sms.resumeLink('e-plus', 'e-plus-main');
    await rig.within(async () => (await stateOf(message.id)) === 'delivered');
    expect(texts()).toEqual([message.text]);
    expect(await rows('SELECT wrapped FROM sms_message')).toEqual([{ wrapped: null }]);
    expect((await rig.events()).map(({ type }) => type)).toEqual(['sms.submitted', 'sms.delivered']);
  });

  test('a key acts once: its repeat gets the first answer, and another body under it is refused, also in one commit', async () => {
    await open();
    const calls = [once('k'), once('k', 'f1', '{"n":2}'), once('k', 'f2', '{"n":3}'), once('other', 'f2', '{"n":4}')];
    expect(await Promise.all(calls.map((key) => rig.sms.queue([aText()], key)))).toEqual([
      { outcome: 'queued' },
      { outcome: 'repeated', answer: '{"n":1}' },
      { outcome: 'key-reused' },
      { outcome: 'queued' },
    ]);
    expect(await rig.sms.queue([aText()], once('k'))).toEqual({ outcome: 'repeated', answer: '{"n":1}' });
    expect(await rows('SELECT count(*) AS n FROM sms_message')).toEqual([{ n: 2 }]);
  });

  test('a key is free again after 72 hours, and not before', async () => {
    await open();
    await rig.sms.pauseLink('e-plus', 'e-plus-main');
    await rig.sms.queue([aText()], once('k'));
    await rig.stopSms();
    await rig.clock.advance(72 * 3_600_000 - 1_000);
    await rig.restart();
    expect(await rig.sms.queue([aText()], once('k'))).toMatchObject({ outcome: 'repeated' });
    await rig.stopSms();
    await rig.clock.advance(1_000);
    await rig.restart();
    expect(await rig.sms.queue([aText()], once('k', 'f9'))).toEqual({ outcome: 'queued' });
  });

  test('a batch is stored whole with its key', async () => {
    await open();
    const messages = Array.from({ length: 40 }, (_, index) => aText({ text: `Nr. ${String(index).padStart(2, '0')}` }));
    const [first, ...others] = messages;
    if (!first) throw new Error('there is a first one');
    expect(await rig.sms.queue([first, ...others], once('batch'))).toEqual({ outcome: 'queued' });
    expect(await rig.sms.queue([aText(), aText()], once('batch'))).toMatchObject({ outcome: 'repeated' });
    await rig.within(() => texts().length === 40);
    expect(texts()).toEqual(messages.map(({ text }) => text));
  });

  test('one that has not gone out can be cancelled, once; one that has cannot', async () => {
    await open();
    const sent = aText();
    await rig.sms.queue([sent]);
    await rig.within(async () => (await stateOf(sent.id)) === 'delivered');
    expect((await rig.sms.cancel(SCOPE, sent.id)).outcome).toBe('too-late');
    await rig.sms.pauseLink('e-plus', 'e-plus-main');
    const waiting = aText();
    await rig.sms.queue([waiting]);
    expect((await rig.sms.cancel(SCOPE, waiting.id)).sms.state).toBe('cancelled');
    expect((await rig.sms.cancel(SCOPE, waiting.id)).outcome).toBe('cancelled');
    await expect(rig.sms.cancel({ ...SCOPE, partnerId: 'cable-wireless' }, waiting.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await rig.sms.resumeLink('e-plus', 'e-plus-main');
    await rig.sms.idle();
    expect(texts()).toEqual([sent.text]);
    expect(await rows('SELECT count(*) AS n FROM sms_message WHERE wrapped IS NOT NULL')).toEqual([{ n: 0 }]);
  });

  test('one whose row was changed while it waited goes out as the row says', async () => {
    await open();
    await rig.sms.pauseLink('e-plus', 'e-plus-main');
    const message = aText();
    await rig.sms.queue([message]);
    await rig.sms.idle();
    const touch = defineOperation<{ id: string }, undefined>({
      name: 'test.touch',
      statements: ["UPDATE sms_message AS m SET version = m.version + 1 FROM :batch WHERE m.id = b.value ->> 'id'"],
      settle: settleNothing,
    });
    await rig.store.messages.run(touch, { id: message.id });
    await rig.sms.resumeLink('e-plus', 'e-plus-main');
    await rig.within(() => texts().length === 1);
  });

  test('a pause outlives a restart, and says since when and why', async () => {
    await open();
    await rig.sms.pauseLink('e-plus', 'e-plus-main', 'maintenance of the SMSC');
    await rig.sms.queue([aText()]);
    await rig.restart();
    await rig.bound();
    expect(rig.sms.pauseOf('e-plus', 'e-plus-main')).toMatchObject({ reason: 'maintenance of the SMSC' });
    await rig.sms.idle();
    expect((await rig.sms.links('e-plus'))[0]?.queue).toEqual({ waiting: 1, reason: 'The link is paused.' });
    await rig.sms.resumeLink('e-plus', 'e-plus-main');
    await rig.within(() => texts().length === 1);
    await expect(rig.sms.pauseLink('e-plus', 'nowhere')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('what must wait for an hour of the day waits until then', async () => {
    await open();
    const message = aText({ hold: { until: rig.clock.now() + 2_000, waitsFor: 'quiet-hours' } });
    await rig.sms.queue([message]);
    await rig.sms.idle();
    expect(texts()).toEqual([]);
    await rig.within(() => texts().length === 1);
  });
});
