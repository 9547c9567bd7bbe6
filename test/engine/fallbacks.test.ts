import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ClaimDue, Fallback } from '../../src/engine/index.js';
import { toRfc3339 } from '../../src/kernel/clock.js';
import { newId } from '../../src/kernel/ids.js';
import { aMessage, aSealedText, MARKET, openRig, PARTNER, type Person, type Rig, seeded } from './rig.js';

let rig: Rig;
let sender: Person;
let recipient: Person;
beforeEach(async () => {
  rig = await openRig();
  sender = await rig.person('+999100001');
  recipient = await rig.person('+999100002');
});
afterEach(() => rig.close());

const send = (clientMsgId: string, fallback?: unknown, more = {}) =>
  rig.engine.calls.sendMessage(
    sender,
    recipient.accountId,
    aMessage(recipient, clientMsgId, { ...(fallback ? { fallback } : {}), ...more }),
  );
const sealed = (inMs = 3_600_000) => ({ mode: 'sealed', class: 'otp', sealed: aSealedText(toRfc3339(rig.clock.now() + inMs)) });
const claim = (more: Partial<ClaimDue> = {}) =>
  rig.engine.fallbacks.claimDue({ partnerId: PARTNER, now: rig.clock.now(), limit: 100, smsIdFor: () => newId('sms', 0), ...more });
const get = async (id: string): Promise<Fallback> => {
  const fallback = await rig.engine.fallbacks.get(id, PARTNER);
  if (!fallback) throw new Error('the fallback is there');
  return fallback;
};
const ack = (messageId: string) => rig.engine.calls.ackQueue(recipient, { envelopeIds: [messageId] });
const statuses = async () =>
  (await rig.engine.calls.readQueue(sender, 100)).items.map((envelope) => (JSON.parse(envelope.body) as { status: string }).status);
const kinds = async () => (await rig.facts()).map((fact) => fact['kind']).filter((kind) => String(kind).startsWith('fallback.'));
const idOf = (sent: { fallback?: { id: string } }): string => sent.fallback?.id ?? 'none';

describe('arming', () => {
  test('a message that asks for no fallback arms none', async () => {
    expect((await send('c1')).fallback).toBeUndefined();
    expect(await rig.store.messages.read('SELECT id FROM engine_sms_fallback')).toEqual([]);
    expect(rig.policy.asked).toEqual([]);
  });

  test('the timer is the class’s unless the sender says, in the time of the recipient’s partner', async () => {
    rig.domain.aheadMs = 7 * 3_600_000;
    const due = async (fallback: Record<string, unknown>) =>
      Date.parse((await send(newId('msg', 0), { mode: 'notice', ...fallback })).fallback?.dueAt ?? '') -
      rig.clock.now() -
      rig.domain.aheadMs;
    expect(await due({ class: 'otp' })).toBe(30_000);
    expect(await due({ class: 'urgent' })).toBe(60_000);
    expect(await due({ class: 'chat' })).toBe(300_000);
    expect(await due({ class: 'chat', afterSeconds: 10 })).toBe(10_000);
    await expect(due({ class: 'chat', afterSeconds: 9 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('the policy is asked, and its refusal stores nothing', async () => {
    rig.policy.answer = { admitted: false, reason: 'The market does not allow it.' };
    await expect(send('c1', { mode: 'notice', class: 'chat' })).rejects.toMatchObject({
      code: 'MESSAGING.FALLBACK_NOT_ALLOWED',
      detail: 'The market does not allow it.',
    });
    expect(rig.policy.asked).toEqual([
      {
        partnerId: PARTNER,
        market: MARKET,
        mode: 'notice',
        class: 'chat',
        senderAccountId: sender.accountId,
        recipientMsisdn: recipient.msisdn,
      },
    ]);
    expect((await rig.engine.calls.readQueue(recipient, 10)).items).toEqual([]);
  });

  test('a repeat answers the armed fallback, whatever the policy says by then', async () => {
    const first = await send('c1', sealed());
    rig.policy.answer = { admitted: false, reason: 'no' };
    expect(await send('c1', sealed())).toEqual({ ...first, replayed: true });
    expect(await kinds()).toEqual(['fallback.armed']);
  });

  test('a text sealed to an unknown key, expired, or missing is refused', async () => {
    const wish = sealed();
    await expect(send('c1', { ...wish, sealed: { ...wish.sealed, keyId: 'old' } })).rejects.toMatchObject({
      code: 'MESSAGING.BRIDGE_KEY_UNKNOWN',
      status: 422,
    });
    await expect(send('c1', sealed(0))).rejects.toMatchObject({ code: 'MESSAGING.FALLBACK_NOT_ALLOWED', status: 422 });
    await expect(send('c1', { mode: 'sealed', class: 'otp' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('a recipient on no partner’s line has no fallback', async () => {
    recipient = await rig.register('+888100009');
    await expect(send('c1', sealed())).rejects.toMatchObject({ code: 'MESSAGING.FALLBACK_NOT_ALLOWED' });
  });

  test('it keeps what the bridge needs, with a ref that the app copy has too', async () => {
    rig.policy.answer = { admitted: true, subscriptionId: 'sub_1' };
    const wish = sealed();
    const sent = await send('c1', { ...wish, senderName: 'Ada "A" Šmíd' });
    const fallback = await get(idOf(sent));
    expect(fallback).toMatchObject({
      state: 'armed',
      mode: 'sealed',
      class: 'otp',
      messageId: sent.messageId,
      clientMsgId: 'c1',
      partnerId: PARTNER,
      market: MARKET,
      msisdn: recipient.msisdn,
      lineEpoch: 1,
      subscriptionId: 'sub_1',
      senderAccountId: sender.accountId,
      senderDeviceId: sender.deviceId,
      senderName: 'Ada "A" Šmíd',
      language: 'de',
      sealed: wish.sealed,
    });
    expect(fallback.ref).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}$/);
    const [envelope] = (await rig.engine.calls.readQueue(recipient, 1)).items;
    expect(envelope?.ref).toBe(fallback.ref);
    expect(JSON.stringify(await rig.facts())).not.toMatch(/Ada|c2VhbGVk/);
  });
});

describe('claiming', () => {
  test('what is due is claimed once, with the id chosen for its SMS; what is not due is left', async () => {
    const sent = await send('c1', sealed());
    expect(await claim()).toEqual([]);
    await rig.clock.advance(30_000);
    const claims = (await Promise.all([claim(), claim(), claim()])).flat();
    expect(claims).toHaveLength(1);
    const [claimed] = claims;
    expect(claimed).toMatchObject({ id: idOf(sent), state: 'claimed', claimedAt: rig.clock.now(), sealed: { keyId: 'bridge-1' } });
    expect(await rig.engine.fallbacks.pendingClaims()).toEqual([claimed]);
    expect(await statuses()).toEqual(['fallback-claimed']);
    expect(await kinds()).toEqual(['fallback.armed', 'fallback.claimed']);
  });

  test("another partner's fallbacks are neither claimed nor seen", async () => {
    const sent = await send('c1', sealed());
    await rig.clock.advance(30_000);
    expect(await claim({ partnerId: 'cable-and-wireless' })).toEqual([]);
    expect(await rig.engine.fallbacks.get(idOf(sent), 'cable-and-wireless')).toBeUndefined();
  });

  test('an ack before the timer cancels, deletes the sealed text, and tells sender and log', async () => {
    const sent = await send('c1', sealed());
    rig.domain.aheadMs = 5_000;
    await ack(sent.messageId);
    const fallback = await get(idOf(sent));
    expect(fallback).toMatchObject({ state: 'cancelled', reason: 'acked', sealed: undefined, settledAt: rig.clock.now() + 5_000 });
    await rig.clock.advance(30_000);
    expect(await claim()).toEqual([]);
    const [status] = (await rig.engine.calls.readQueue(sender, 10)).items;
    expect(JSON.parse(status?.body ?? '')).toMatchObject({ status: 'delivered', fallbackId: fallback.id });
    expect((await rig.facts()).at(-1)).toMatchObject({
      kind: 'fallback.cancelled',
      at: rig.clock.now() - 30_000 + 5_000,
      partnerId: PARTNER,
      fallback: { id: fallback.id, state: 'cancelled', reason: 'acked', smsId: null, price: null },
    });
  });

  test('an ack after the claim still delivers, and the claim stands', async () => {
    const sent = await send('c1', sealed());
    await rig.clock.advance(30_000);
    await claim();
    await ack(sent.messageId);
    expect(await get(idOf(sent))).toMatchObject({ state: 'claimed' });
    expect(await statuses()).toEqual(['fallback-claimed', 'delivered']);
  });

  // 1,000 races over seeds: which of the two is handed in first, and how far apart, differs each time.
  test('claim and ack race: exactly one wins', async () => {
    const random = seeded(20_261_122);
    const tally = { claimed: 0, cancelled: 0 };
    for (let round = 0; round < 20; round++) {
      const sent = await Promise.all(Array.from({ length: 50 }, (_, i) => send(`r${round}-${i}`, sealed())));
      await rig.clock.advance(30_000);
      const pause = async () => {
        for (let turns = Math.floor(random() * 4); turns > 0; turns--) await new Promise<void>((resolve) => setImmediate(resolve));
      };
      const acks = sent.map(async ({ messageId }) => {
        await pause();
        return ack(messageId);
      });
      const claiming = Array.from({ length: 4 }, async () => {
        await pause();
        return claim({ limit: 20 });
      });
      const won = new Map((await Promise.all(claiming)).flat().map((claimed) => [claimed.id, claimed.smsId]));
      await Promise.all(acks);
      for (const one of sent) {
        const fallback = await get(idOf(one));
        if (won.has(fallback.id)) {
          tally.claimed++;
          expect(fallback).toMatchObject({ state: 'claimed', smsId: won.get(fallback.id) });
        } else {
          tally.cancelled++;
          expect(fallback).toMatchObject({ state: 'cancelled', reason: 'acked', smsId: undefined, sealed: undefined });
        }
      }
    }
    const facts = await kinds();
    expect(facts.filter((kind) => kind === 'fallback.claimed')).toHaveLength(tally.claimed);
    expect(facts.filter((kind) => kind === 'fallback.cancelled')).toHaveLength(tally.cancelled);
    expect(tally.claimed + tally.cancelled).toBe(1_000);
    // Both outcomes must have happened, or there was no race.
    expect(Math.min(tally.claimed, tally.cancelled)).toBeGreaterThan(20);
  });

  test('a number with another holder gets nothing: cancelled when the line rises, and at the claim', async () => {
    const early = await send('c1', sealed());
    const late = await send('c2', sealed());
    await rig.engine.lines.raise({ id: 'swap', msisdn: recipient.msisdn, partnerId: PARTNER, market: MARKET, cause: 'sim-swapped' });
    expect(await get(idOf(early))).toMatchObject({ state: 'cancelled', reason: 'line-changed', sealed: undefined });
    // As if the process had died between the raise and the cancelling.
    await rig.store.messages.run(
      {
        name: 'test.rearm',
        statements: [
          `UPDATE engine_sms_fallback SET state = 'armed', reason = NULL, sealed = '{}' WHERE id IN (SELECT b.value ->> 'id' FROM :batch)`,
        ],
        settle: (items) => items.map(() => undefined),
      },
      { id: idOf(late) },
    );
    await rig.clock.advance(30_000);
    expect(await claim()).toEqual([]);
    expect(await get(idOf(late))).toMatchObject({ state: 'cancelled', reason: 'line-changed', sealed: undefined });
    expect(await statuses()).toContain('fallback-cancelled');
  });

  test('a text that expired before the timer is cancelled, not claimed, and deleted', async () => {
    const sent = await send('c1', sealed(20_000));
    await rig.clock.advance(30_000);
    expect(await claim()).toEqual([]);
    expect(await get(idOf(sent))).toMatchObject({ state: 'cancelled', reason: 'expired', sealed: undefined });
  });

  test('a sweep deletes every expired text, of a claimed fallback too', async () => {
    const [one, two] = [await send('c1', sealed(40_000)), await send('c2', { ...sealed(40_000), class: 'chat' })];
    await rig.clock.advance(30_000);
    expect(await claim()).toHaveLength(1);
    await rig.clock.advance(90_000);
    const texts = () => rig.store.messages.read('SELECT id FROM engine_sms_fallback WHERE sealed IS NOT NULL');
    while ((await texts()).length > 0) await new Promise<void>((resolve) => setImmediate(resolve));
    expect(await get(idOf(one))).toMatchObject({ state: 'claimed', sealed: undefined });
    expect(await get(idOf(two))).toMatchObject({ state: 'cancelled', reason: 'expired' });
  });
});

describe('advancing', () => {
  const claimOne = async () => {
    const sent = await send('c1', sealed());
    await rig.clock.advance(30_000);
    const [claimed] = await claim();
    if (!claimed) throw new Error('it is claimed');
    return { ...claimed, messageId: sent.messageId };
  };

  test('each step is made once, told to the sender, and reported with the price of the SMS', async () => {
    const { id, smsId } = await claimOne();
    const step = {
      id,
      from: ['claimed'] as const,
      to: 'submitted' as const,
      at: 1_000,
      segments: 2,
      price: { amountMinor: 14, currency: 'EUR' },
    };
    expect((await Promise.all([1, 2, 3].map(() => rig.engine.fallbacks.advance(step)))).filter(Boolean)).toHaveLength(1);
    expect(await rig.engine.fallbacks.advance({ id, from: ['submitted', 'unknown'], to: 'delivered', at: 2_000 })).toBe(true);
    expect(await rig.engine.fallbacks.advance({ id, from: ['submitted'], to: 'failed', reason: 'EXPIRED', at: 3_000 })).toBe(false);
    expect(await get(id)).toMatchObject({
      state: 'delivered',
      smsId,
      segments: 2,
      submittedAt: 1_000,
      settledAt: 2_000,
      updatedAt: 2_000,
      reason: undefined,
    });
    expect(await statuses()).toEqual(['fallback-claimed', 'sent-by-sms', 'delivered-by-sms']);
    expect((await rig.facts()).at(-1)).toMatchObject({
      kind: 'fallback.delivered',
      at: 2_000,
      fallback: { state: 'delivered', smsId, segments: 2, price: { amountMinor: 14, currency: 'EUR' }, reason: null },
    });
    expect(await rig.engine.fallbacks.pendingClaims()).toEqual([]);
  });

  test('what may have arrived can still turn out delivered', async () => {
    const { id } = await claimOne();
    expect(await rig.engine.fallbacks.advance({ id, from: ['claimed'], to: 'unknown', reason: 'SMPP.LINK_LOST', at: 1 })).toBe(true);
    expect(await rig.engine.fallbacks.advance({ id, from: ['unknown'], to: 'delivered', at: 2 })).toBe(true);
    expect((await get(id)).reason, 'nothing is wrong with what arrived').toBeUndefined();
    expect(await statuses()).toEqual(['fallback-claimed', 'may-have-arrived', 'delivered-by-sms']);
  });

  test('the sealed text goes with the first step after the claim, or when the bridge says so', async () => {
    const { id } = await claimOne();
    expect((await get(id)).sealed).toBeDefined();
    await rig.engine.fallbacks.dropSealed(id);
    expect(await get(id)).toMatchObject({ state: 'claimed', sealed: undefined });
    const another = await send('c2', sealed());
    await rig.clock.advance(30_000);
    await claim();
    await rig.engine.fallbacks.advance({ id: idOf(another), from: ['claimed'], to: 'failed', reason: 'SMS.NO_ROUTE', at: 1 });
    expect(await get(idOf(another))).toMatchObject({ state: 'failed', reason: 'SMS.NO_ROUTE', sealed: undefined });
  });

  test('a reason that is a sentence is a fault of the caller', async () => {
    const { id } = await claimOne();
    await expect(rig.engine.fallbacks.advance({ id, from: ['claimed'], to: 'failed', reason: 'it said "no"', at: 1 })).rejects.toThrow(
      /codes/,
    );
    expect(await get(id)).toMatchObject({ state: 'claimed' });
  });
});

describe('what is due is looked at before it is claimed', () => {
  test('what is put off stays armed until its new time, says why, and is still cancelled by an ack', async () => {
    const ids = [idOf(await send('c1', { mode: 'notice', class: 'chat' })), idOf(await send('c2', { mode: 'notice', class: 'chat' }))];
    const until = rig.clock.now() + 3_600_000;
    await rig.clock.advance(300_000);
    const screen = async (due: readonly { id: string }[]) => {
      for (const { id } of due) await rig.engine.fallbacks.defer({ id, until, reason: 'quiet-hours', at: rig.clock.now() });
      return [];
    };
    expect(await claim({ screen })).toEqual([]);
    expect(await claim()).toEqual([]);
    for (const id of ids) expect(await get(id)).toMatchObject({ state: 'armed', reason: 'quiet-hours', dueAt: until });
    const [envelope] = (await rig.engine.calls.readQueue(recipient, 10)).items;
    await rig.engine.calls.ackQueue(recipient, { envelopeIds: [envelope?.envelopeId] });
    await rig.clock.advance(3_600_000);
    expect(await claim()).toMatchObject([{ id: ids[1], reason: undefined }]);
    expect(await get(ids[0] ?? '')).toMatchObject({ state: 'cancelled', reason: 'acked' });
  });

  test('only what the screen lets through is claimed; the rest is due again', async () => {
    const ids = [idOf(await send('c1', { mode: 'notice', class: 'chat' })), idOf(await send('c2', { mode: 'notice', class: 'chat' }))];
    await rig.clock.advance(300_000);
    const claimed = await claim({ screen: async (due) => due.filter(({ id }) => id === ids[1]) });
    expect(claimed.map(({ id }) => id)).toEqual([ids[1]]);
    expect((await claim()).map(({ id }) => id)).toEqual([ids[0]]);
  });
});

describe('listing', () => {
  test('by state, in pages', async () => {
    for (let i = 0; i < 4; i++) await send(`c${i}`, { mode: 'notice', class: 'chat' });
    const [envelope] = (await rig.engine.calls.readQueue(recipient, 10)).items;
    await rig.engine.calls.ackQueue(recipient, { envelopeIds: [envelope?.envelopeId] });
    expect(await rig.engine.fallbacks.list({ partnerId: PARTNER, state: 'cancelled', limit: 3 })).toMatchObject([{ reason: 'acked' }]);
    const armed = await rig.engine.fallbacks.list({ partnerId: PARTNER, state: 'armed', limit: 2 });
    const rest = await rig.engine.fallbacks.list({ partnerId: PARTNER, state: 'armed', after: armed.at(-1)?.id, limit: 2 });
    expect([...armed, ...rest].map(({ state }) => state)).toEqual(['armed', 'armed', 'armed']);
  });

  test('a history counts by day and mode what was armed, what went out, and what caps would have let through', async () => {
    for (let i = 0; i < 5; i++) await send(`c${i}`, { mode: 'notice', class: 'chat' });
    await rig.clock.advance(300_000);
    for (const { id } of await claim({ limit: 3 })) {
      await rig.engine.fallbacks.advance({ id, from: ['claimed'], to: 'submitted', at: rig.clock.now(), segments: 1 });
    }
    const asked = { partnerId: PARTNER, market: MARKET, since: 0, until: rig.clock.now(), utcOffsetMs: 3_600_000 };
    const caps = { perRecipientPerDay: 10, perPairPerDay: 10 };
    const day = Math.floor((rig.clock.now() + 3_600_000) / 86_400_000);
    const counted = { day, mode: 'notice', armed: 5, claimed: 3, segments: 3, measured: 3 };
    expect(await rig.engine.fallbacks.history({ ...asked, ...caps })).toEqual([{ ...counted, withinCaps: 3 }]);
    expect(await rig.engine.fallbacks.history({ ...asked, ...caps, perPairPerDay: 2 })).toEqual([{ ...counted, withinCaps: 2 }]);
    expect(await rig.engine.fallbacks.history({ ...asked, ...caps, perRecipientPerDay: 1 })).toEqual([{ ...counted, withinCaps: 1 }]);
    expect(await rig.engine.fallbacks.history({ ...asked, ...caps, market: 'DE' })).toEqual([]);
    expect(await rig.engine.fallbacks.history({ ...asked, ...caps, until: 1 })).toEqual([]);
    const since = { partnerId: PARTNER, since: rig.clock.now() };
    expect(await rig.engine.fallbacks.claimedByPair({ ...since, msisdns: [recipient.msisdn, '+1'] })).toEqual([
      { msisdn: recipient.msisdn, senderAccountId: sender.accountId, n: 3 },
    ]);
    expect(await rig.engine.fallbacks.countClaimedSince({ ...since, market: MARKET, mode: 'notice' })).toBe(3);
    expect(await rig.engine.fallbacks.countClaimedSince({ ...since, market: MARKET, mode: 'sealed' })).toBe(0);
  });

  test('which messages a device acknowledged, and when, is known also after the claim', async () => {
    const id = idOf(await send('c1', { mode: 'notice', class: 'chat' }));
    await rig.clock.advance(300_000);
    await claim();
    expect(await rig.engine.fallbacks.acknowledgedAt([id])).toEqual(new Map());
    const [envelope] = (await rig.engine.calls.readQueue(recipient, 10)).items;
    await rig.engine.calls.ackQueue(recipient, { envelopeIds: [envelope?.envelopeId] });
    expect(await rig.engine.fallbacks.acknowledgedAt([id, 'fb_none'])).toEqual(new Map([[id, rig.clock.now()]]));
  });

  test('newest first, in pages, and only of the markets asked for', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      ids.unshift(idOf(await send(`c${i}`, { mode: 'notice', class: 'chat' })));
      await rig.clock.advance(1);
    }
    const first = await rig.engine.fallbacks.list({ partnerId: PARTNER, limit: 3 });
    const rest = await rig.engine.fallbacks.list({ partnerId: PARTNER, markets: [MARKET, 'DE'], after: first.at(-1)?.id, limit: 3 });
    expect([...first, ...rest].map((fallback) => fallback.id)).toEqual(ids);
    for (const markets of [['DE'], []]) expect(await rig.engine.fallbacks.list({ partnerId: PARTNER, markets, limit: 3 })).toEqual([]);
    const since = rig.clock.now() - 2;
    expect(await rig.engine.fallbacks.countArmedSince({ partnerId: PARTNER, market: MARKET, since })).toBe(2);
  });
});
