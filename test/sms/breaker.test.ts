import { afterEach, expect, test } from 'vitest';
import { createBreaker, type DeliveryHealth } from '../../src/sms/fallbacks/breaker.js';
import { createFakeClock } from '../fakes/clock.js';
import { openSmsRig, type Person, type SmsRig } from './rig.js';

let rig: SmsRig | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

test('claims of a partner are capped by the minute and by the hour, each partner alone, and the reason names the cap', async () => {
  const clock = createFakeClock();
  const breaker = createBreaker({ clock, perMinute: 10, perHour: 25 });
  breaker.claimed('a', 10);
  expect([breaker.allowance('a'), breaker.allowance('b')]).toEqual([0, 10]);
  expect(breaker.reason('a')).toBe('Fallbacks are held: the cap of 10 a minute is reached.');
  await clock.advance(60_000);
  expect([breaker.allowance('a'), breaker.reason('a')]).toEqual([10, undefined]);
  breaker.claimed('a', 10);
  await clock.advance(60_000);
  expect(breaker.allowance('a')).toBe(5);
  breaker.claimed('a', 5);
  await clock.advance(60_000);
  expect([breaker.allowance('a'), breaker.reason('a')]).toEqual([0, 'Fallbacks are held: the cap of 25 an hour is reached.']);
  await clock.advance(3_600_000);
  expect(breaker.allowance('a')).toBe(10);
});

test('while our own delivery is sick nothing is claimed, nor in the half minute in which its acks come in', async () => {
  const clock = createFakeClock();
  let health: DeliveryHealth = { isSick: true, reason: 'acks are slow.' };
  const breaker = createBreaker({ clock, perMinute: 10, perHour: 10, health: () => health });
  expect([breaker.allowance('a'), breaker.reason('a')]).toEqual([0, 'Fallbacks are held: acks are slow.']);
  health = { isSick: false };
  await clock.advance(29_000);
  expect(breaker.allowance('a')).toBe(0);
  await clock.advance(1_000);
  expect(breaker.allowance('a')).toBe(10);
});

test('a storm is held at the cap with a reason, and afterwards only what is still unread goes out', async () => {
  const open = await openSmsRig({ sms: { caps: { perMinute: 3, perHour: 100 } } });
  rig = open;
  const { sms, smsc, engine, clock } = open;
  await open.bound();
  const he = await open.person('+999571111111');
  const armed: { she: Person; id: string }[] = [];
  for (let i = 0; i < 8; i++) {
    const she = await open.person(`+99957123450${i}`);
    armed.push({ she, id: (await open.fallback(he, she, 'storm')).id });
  }
  const inState = async (state: string) => {
    const states = await Promise.all(armed.map(async ({ id }) => (await open.get(id)).state));
    return armed.filter((_, i) => states[i] === state);
  };
  open.fire();
  await open.within(() => smsc.received({ limit: 20 }).length === 3);
  await sms.idle();
  const held = await inState('armed');
  expect(held).toHaveLength(5);
  const reason = 'Fallbacks are held: the cap of 3 a minute is reached.';
  expect(sms.holdReason(await open.get(held[0]?.id ?? ''))).toBe(reason);
  expect((await sms.links('e-plus'))[0]?.queue.reason).toBe(reason);
  for (const { she } of held.slice(0, 4)) {
    const { items } = await engine.calls.readQueue(she, 10);
    await engine.calls.ackQueue(she, { envelopeIds: items.map((item) => item.envelopeId) });
  }
  for (let passed = 0; passed < 61_000; passed += 5_000) {
    await clock.advance(5_000);
    await sms.idle();
  }
  await open.within(() => smsc.received({ limit: 20 }).length === 4);
  await sms.idle();
  expect(await inState('cancelled')).toHaveLength(4);
  expect(smsc.submitted({ limit: 20 })).toHaveLength(4);
});

// The claim and the ack update one row on a condition: whoever is first, the other finds nothing to do.
test('of an acknowledgement and a claim in the same moment exactly one wins, and only a claim sends', async () => {
  const open = await openSmsRig();
  rig = open;
  await open.bound();
  const he = await open.person('+999571111111');
  const armed: { she: Person; id: string; envelopeIds: string[] }[] = [];
  for (let i = 0; i < 30; i++) {
    const she = await open.person(`+9995712346${String(i).padStart(2, '0')}`);
    const { id } = await open.fallback(he, she, 'race');
    const { items } = await open.engine.calls.readQueue(she, 10);
    armed.push({ she, id, envelopeIds: items.map((item) => item.envelopeId) });
  }
  const acks = armed.slice(0, 10).map(({ she, envelopeIds }) => open.engine.calls.ackQueue(she, { envelopeIds }));
  open.fire();
  acks.push(...armed.slice(10).map(({ she, envelopeIds }) => open.engine.calls.ackQueue(she, { envelopeIds })));
  await Promise.all(acks);
  const states = () => Promise.all(armed.map(async ({ id }) => (await open.get(id)).state));
  await open.within(async () => (await states()).every((state) => state === 'cancelled' || state === 'delivered'));
  const delivered = (await states()).filter((state) => state === 'delivered').length;
  expect(open.smsc.submitted({ limit: 100 })).toHaveLength(delivered);
});
