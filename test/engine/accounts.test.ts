import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aMessage, MARKET, openRig, PARTNER, type Rig } from './rig.js';

let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
});
afterEach(() => rig.close());

const raise = (msisdn: string, id: string) =>
  rig.engine.lines.raise({ id, msisdn, partnerId: PARTNER, market: MARKET, cause: 'sim-swapped' });

describe('registration', () => {
  test('a number that the operator does not vouch for is refused and leaves nothing', async () => {
    const asked = {
      msisdn: '+999100001',
      verification: { method: 'number-verification', token: 'guessed' },
      device: { name: 'phone', registrationId: 1, platform: 'ios' },
      language: 'de',
    };
    await expect(rig.engine.calls.registerAccount('203.0.113.1', asked)).rejects.toMatchObject({ code: 'MESSAGING.VERIFICATION_FAILED' });
    expect(await rig.engine.accounts.byMsisdn('+999100001')).toBeUndefined();
  });

  test('registering a number again keeps the account, replaces the device, and what waited for it goes', async () => {
    const [before, sender] = [await rig.person('+999100001'), await rig.person('+999100002')];
    await rig.engine.calls.sendMessage(sender, before.accountId, aMessage(before, 'c1'));
    const after = await rig.register('+999100001');
    expect(after.accountId).toBe(before.accountId);
    expect(after.deviceId).not.toBe(before.deviceId);
    await expect(rig.engine.calls.readQueue(before, 10)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect((await rig.engine.calls.readQueue(after, 10)).items).toEqual([]);
    expect(await rig.store.messages.read('SELECT id FROM engine_envelope')).toEqual([]);
  });

  test('of registrations of one number at the same instant exactly one device is left', async () => {
    await rig.person('+999100001');
    const all = await Promise.all(Array.from({ length: 20 }, () => rig.register('+999100001')));
    expect(new Set(all.map((one) => one.accountId)).size).toBe(1);
    const current = await rig.engine.devices.ofAccount(all[0]?.accountId ?? '');
    expect(current).toHaveLength(1);
    expect(all.map((one) => one.deviceId)).toContain(current[0]?.deviceId);
  });

  test('a device token is given for the right secret only, and the secret itself is nowhere', async () => {
    const person = await rig.person('+999100001');
    const { deviceId, deviceSecret } = person;
    expect(await rig.engine.accounts.token({ deviceId, deviceSecret })).toMatchObject({ expiresInSeconds: 900 });
    for (const credential of [
      { deviceId, deviceSecret: `${deviceSecret}x` },
      { deviceId: 'dev_00000000000000000000000000', deviceSecret },
    ]) {
      await expect(rig.engine.accounts.token(credential)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    }
    const rows = await rig.store.messages.read('SELECT * FROM engine_device');
    expect(JSON.stringify(rows)).not.toContain(deviceSecret.slice(5));
  });

  test('registrations from one address are limited', async () => {
    const body = {
      msisdn: '+999100001',
      verification: { method: 'number-verification', token: 'guessed' },
      device: { name: 'phone', registrationId: 1, platform: 'ios' },
      language: 'de',
    };
    const answers = await Promise.allSettled(Array.from({ length: 61 }, () => rig.engine.calls.registerAccount('2001:db8::1', body)));
    const last = answers.at(-1);
    expect(last?.status === 'rejected' && last.reason).toMatchObject({ code: 'TOO_MANY_REQUESTS', headers: { 'Retry-After': '60' } });
    // The same home, another of its addresses.
    await expect(rig.engine.calls.registerAccount('2001:db8::2', body)).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    await expect(rig.engine.calls.registerAccount('2001:db8:0:1::2', body)).rejects.toMatchObject({
      code: 'MESSAGING.VERIFICATION_FAILED',
    });
  });

  test('it is reported, with the line it is about, and says whether the account is new', async () => {
    await rig.person('+999100001');
    await rig.register('+999100001');
    expect(await rig.facts()).toMatchObject([
      { kind: 'account.registered', partnerId: PARTNER, market: MARKET, msisdn: '+999100001', isNewAccount: true },
      { kind: 'account.registered', isNewAccount: false },
    ]);
  });
});

describe('a line', () => {
  test('rises once per cause, however often and at whatever instant it is told', async () => {
    await Promise.all(Array.from({ length: 5 }, () => raise('+999100001', 'cause-1')));
    await raise('+999100001', 'cause-1');
    expect(await rig.engine.lines.get('+999100001')).toEqual({ msisdn: '+999100001', epoch: 1, partnerId: PARTNER, market: MARKET });
    await Promise.all([raise('+999100001', 'cause-2'), raise('+999100001', 'cause-3'), raise('+999100002', 'cause-4')]);
    expect(await rig.engine.lines.get('+999100001')).toMatchObject({ epoch: 3 });
    expect(await rig.engine.lines.get('+999100002')).toMatchObject({ epoch: 1 });
  });

  test('that has another holder ends the account, and the number registers as a new one', async () => {
    const before = await rig.person('+999100001');
    const sender = await rig.person('+999100002');
    await raise('+999100001', 'swap');
    await raise('+999100001', 'swap');
    expect(await rig.engine.accounts.byMsisdn('+999100001')).toBeUndefined();
    await expect(rig.engine.calls.countKeys(before)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(rig.engine.calls.sendMessage(sender, before.accountId, aMessage(before, 'c1'))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    const after = await rig.register('+999100001');
    expect(after.accountId).not.toBe(before.accountId);
    const ended = (await rig.facts()).filter((fact) => fact['kind'] === 'account.ended');
    expect(ended).toMatchObject([{ accountId: before.accountId, cause: 'sim-swapped', partnerId: PARTNER }]);
  });
});

describe('contacts', () => {
  test('a search names only the numbers that have an account', async () => {
    const [one, two] = [await rig.person('+999100001'), await rig.person('+999100002')];
    const found = await rig.engine.calls.searchContacts(one, { msisdns: ['+999100002', '+999100003'] });
    expect(found.items).toEqual([{ msisdn: '+999100002', accountId: two.accountId }]);
  });

  test('a device can look up only so many numbers an hour', async () => {
    const one = await rig.person('+999100001');
    const msisdns = Array.from({ length: 20 }, (_, i) => `+9991000${10 + i}`);
    for (let i = 0; i < 25; i++) await rig.engine.calls.searchContacts(one, { msisdns });
    await expect(rig.engine.calls.searchContacts(one, { msisdns })).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
  });
});
