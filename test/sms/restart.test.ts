import { afterEach, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.js';
import { openSmsRig, type Person, type SmsRig } from './rig.js';

let rig: SmsRig;
let he: Person;
afterEach(() => rig.close());

async function open(more: Parameters<typeof openSmsRig>[0] = {}) {
  rig = await openSmsRig(more);
  await rig.bound();
  he = await rig.person('+999571111111');
}

const smsState = async (fallbackId: string) =>
  (await rig.store.messages.read<{ state: string }>('SELECT state FROM sms_message WHERE fallback_id = $1', [fallbackId]))[0]?.state;
const stateOf = async (id: string) => (await rig.get(id)).state;
const sent = () => rig.smsc.submitted({ limit: 100 }).length;

test('a claim without an SMS is picked up with the id that it was given', async () => {
  await open();
  const { id } = await rig.fallback(he, await rig.person('+999571234567'), 'x');
  await rig.stopSms();
  rig.domain.aheadMs += 300_000;
  const smsId = newId('sms', rig.clock.now());
  await rig.engine.fallbacks.claimDue({ partnerId: 'e-plus', now: rig.clock.now() + rig.domain.aheadMs, limit: 1, smsIdFor: () => smsId });
  await rig.restart();
  await rig.within(async () => (await stateOf(id)) === 'delivered');
  expect((await rig.get(id)).smsId).toBe(smsId);
  expect(sent()).toBe(1);
});

test('what is queued while no bind is up says why it waits, and goes out once there is one, also after a restart', async () => {
  let port: number | undefined;
  await open({ port: () => port });
  const { id } = await rig.fallback(he, await rig.person('+999571234567'), 'x');
  port = 9;
  rig.smsc.dropLinks();
  await rig.until(async () => (await rig.sms.links('e-plus'))[0]?.binds.every((bind) => bind.state === 'down') ?? false);
  rig.fire();
  await rig.until(async () => (await smsState(id)) === 'queued');
  await rig.until(async () => (await rig.sms.links('e-plus'))[0]?.queue.reason === 'No bind of the link is up.');
  expect((await rig.sms.links('e-plus'))[0]?.queue.waiting).toBe(1);
  await rig.restart();
  expect(await smsState(id)).toBe('queued');
  port = undefined;
  await rig.within(async () => (await stateOf(id)) === 'delivered');
  expect(sent()).toBe(1);
});

test('a row that was being submitted has an unknown outcome: it is not sent again, and the receipt that comes resolves it', async () => {
  await open();
  const { id } = await rig.fallback(he, await rig.person('+999571234567'), 'x');
  rig.fire();
  await rig.until(async () => (await stateOf(id)) === 'submitted');
  await rig.stopSms();
  // As a crash right after the octets left would have it: the mark is there and no answer is recorded.
  await forge(
    `UPDATE sms_message SET state = 'submitting', untold = 0, version = version + 1`,
    `DELETE FROM sms_part`,
    `DELETE FROM sms_receipt`,
  );
  await rig.restart();
  await rig.until(async () => (await smsState(id)) === 'unknown');
  await rig.within(async () => (await smsState(id)) === 'delivered');
  expect(sent()).toBe(1);
});

test.each(['submitted', 'delivered', 'undelivered', 'expired', 'rejected', 'unknown'])(
  'a row that is %s is never sent again',
  async (state) => {
    await open();
    const { id } = await rig.fallback(he, await rig.person('+9995790000107'), 'x');
    rig.fire();
    await rig.until(async () => (await stateOf(id)) === 'submitted');
    await rig.stopSms();
    await forge(`UPDATE sms_message SET state = '${state}', version = version + 1`);
    await rig.restart();
    await rig.bound();
    await rig.clock.advance(3_000);
    await rig.sms.idle();
    expect(await smsState(id)).toBe(state);
    expect(sent()).toBe(1);
  },
);

test('the engine is told of a state that the bridge came to right before a crash', async () => {
  await open();
  const { id } = await rig.fallback(he, await rig.person('+9995790000107'), 'x');
  rig.fire();
  await rig.until(async () => (await stateOf(id)) === 'submitted');
  await rig.stopSms();
  await forge(`UPDATE sms_message SET state = 'delivered', untold = 1, version = version + 1`);
  await rig.restart();
  await rig.until(async () => (await stateOf(id)) === 'delivered');
});

/** Writes what a crash would have left, through the one writer. */
async function forge(...statements: string[]): Promise<void> {
  await rig.store.messages.run({ name: 'test.forge', statements, settle: (items) => items.map(() => undefined) }, {});
}
