import { afterEach, beforeEach, expect, test } from 'vitest';
import { createInProcessBus } from '../../src/bus/index.js';
import { NOTICE_DELIVERED } from '../../src/engine/index.js';
import { openRig, type Person, type Rig, seeded } from './rig.js';

let rig: Rig;
let she: Person;
let delivered: string[];

beforeEach(async () => {
  delivered = [];
  const bus = createInProcessBus(() => undefined);
  bus.subscribe(NOTICE_DELIVERED, (id) => void delivered.push(id));
  rig = await openRig({ options: { bus } });
  she = await rig.person('+999571234567');
});
afterEach(() => rig.close());

const aNotice = (id = 'sms_1', to = she) => ({
  id,
  kind: 'partner-notice' as const,
  suite: 'hpke-1',
  devices: [{ deviceId: to.deviceId, body: `sealed ${id}` }],
});
/** The bus tells in the next turn. */
const told = () => new Promise<void>((resolve) => setImmediate(resolve));
const queue = async (person = she) => (await rig.engine.calls.readQueue(person, 100)).items;
const ack = async (person = she) =>
  rig.engine.calls.ackQueue(person, { envelopeIds: (await queue(person)).map(({ envelopeId }) => envelopeId) });

test('a notice arrives once for its id, and its ack is told once', async () => {
  expect(await Promise.all([rig.engine.notices.send(aNotice()), rig.engine.notices.send(aNotice())])).toEqual([true, true]);
  expect(await queue()).toMatchObject([{ kind: 'partner-notice', suite: 'hpke-1', body: 'sealed sms_1' }]);
  await ack();
  await told();
  expect(delivered).toEqual(['sms_1']);
  expect(await rig.engine.notices.withdraw('sms_1', she.msisdn)).toBe('delivered');
  expect(await rig.engine.notices.send(aNotice())).toBe(true);
  expect(await queue()).toEqual([]);
  expect(await rig.engine.notices.raced(0, 10_000)).toEqual([]);
  const now = rig.clock.now();
  expect(await rig.engine.notices.story('sms_1')).toEqual({ sentAt: now, withdrawnAt: undefined, deliveredAt: now });
  expect(await rig.engine.notices.story('sms_2')).toBeUndefined();
});

test('one that was taken back is not shown any more, and a late ack changes nothing but is known', async () => {
  await rig.engine.notices.send(aNotice());
  const [fetched] = await queue();
  expect(await rig.engine.notices.withdraw('sms_1', she.msisdn)).toBe('withdrawn');
  expect(await queue()).toEqual([]);
  await rig.clock.advance(1_000);
  await rig.engine.calls.ackQueue(she, { envelopeIds: [fetched?.envelopeId] });
  expect(delivered).toEqual([]);
  expect(await rig.engine.notices.withdraw('sms_1', she.msisdn)).toBe('withdrawn');
  expect(await rig.engine.notices.raced(rig.clock.now() - 2_000, 10_000)).toEqual(['sms_1']);
  expect(await rig.engine.notices.raced(rig.clock.now() - 2_000, 1_000)).toEqual([]);
  expect(await rig.engine.notices.raced(rig.clock.now(), 10_000)).toEqual([]);
});

test('one that was never sent can be taken back, and is not sent then', async () => {
  expect(await rig.engine.notices.withdraw('sms_1', she.msisdn)).toBe('withdrawn');
  expect(await rig.engine.notices.send(aNotice())).toBe(true);
  expect(await queue()).toEqual([]);
});

test('nothing is stored for a device that is gone', async () => {
  await rig.register(she.msisdn);
  expect(await rig.engine.notices.send(aNotice())).toBe(false);
});

test('accounts and lines of many numbers are found at once', async () => {
  const others = await Promise.all(['+999570000001', '+999570000002'].map((msisdn) => rig.person(msisdn)));
  const asked = [she.msisdn, ...others.map(({ msisdn }) => msisdn), '+999570000009'];
  expect(await rig.engine.accounts.among(asked)).toEqual(new Map([she, ...others].map(({ msisdn, accountId }) => [msisdn, accountId])));
  expect([...(await rig.engine.lines.among(asked)).values()].map(({ epoch }) => epoch)).toEqual([1, 1, 1]);
  expect(await rig.engine.lines.among([])).toEqual(new Map());
});

test('of an ack and a withdrawal at the same moment exactly one wins, over many rounds', async () => {
  const random = seeded(20261123);
  for (let round = 0; round < 200; round++) {
    const id = `sms_${round}`;
    await rig.engine.notices.send(aNotice(id));
    const [envelope] = await queue();
    const before = delivered.length;
    const acking = rig.engine.calls.ackQueue(she, { envelopeIds: [envelope?.envelopeId] });
    // Together, a few turns apart, or well after: the database decides how soon it is too late.
    const apart = Math.floor(random() * 8);
    if (apart === 7) await acking;
    for (let turns = apart; turns > 0; turns--) await (turns % 2 === 0 ? undefined : told());
    const [outcome] = await Promise.all([rig.engine.notices.withdraw(id, she.msisdn), acking]);
    await told();
    expect(delivered.length - before).toBe(outcome === 'delivered' ? 1 : 0);
  }
  expect(delivered.length).toBeGreaterThan(5);
  expect(delivered.length).toBeLessThan(200);
});
