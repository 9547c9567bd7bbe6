import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openRig, type Person, type Rig } from './rig.js';

let rig: Rig;
let owner: Person;
let other: Person;
beforeEach(async () => {
  rig = await openRig();
  owner = await rig.person('+999100001');
  other = await rig.person('+999100002');
});
afterEach(() => rig.close());

const oneTimeKeys = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: `otk-${from + i}`, body: `key ${from + i}` }));
const claim = async () => {
  const { accountId, deviceId } = owner;
  return (await rig.engine.calls.claimKeys(other, { devices: [{ accountId, deviceId }] })).keys;
};

describe('one-time keys', () => {
  test('one-time keys are handed out once under 200 concurrent claims, then the fallback key', async () => {
    await rig.engine.calls.uploadKeys(owner, { oneTimeKeys: oneTimeKeys(0, 100), fallbackKeys: [{ id: 'fb-1', body: 'fallback key' }] });
    const claimed = (await Promise.all(Array.from({ length: 200 }, claim))).flat();
    const once = claimed.filter((key) => !key.fallback);
    expect(new Set(once.map((key) => key.id)).size).toBe(100);
    expect(once).toHaveLength(100);
    expect(claimed.filter((key) => key.fallback)).toEqual(
      Array.from({ length: 100 }, () => ({
        accountId: owner.accountId,
        deviceId: owner.deviceId,
        id: 'fb-1',
        body: 'fallback key',
        fallback: true,
      })),
    );
    expect(await rig.engine.calls.countKeys(owner)).toEqual({ oneTimeKeyCount: 0 });
  });

  test('they are handed out in the order in which they came, over several uploads', async () => {
    await rig.engine.calls.uploadKeys(owner, { oneTimeKeys: oneTimeKeys(0, 3) });
    await rig.engine.calls.uploadKeys(owner, { oneTimeKeys: oneTimeKeys(3, 3) });
    const ids: (string | undefined)[] = [];
    for (let i = 0; i < 6; i++) ids.push((await claim())[0]?.id);
    expect(ids).toEqual(['otk-0', 'otk-1', 'otk-2', 'otk-3', 'otk-4', 'otk-5']);
    expect(await claim()).toEqual([]);
  });

  test('an upload that is repeated after a claim does not bring the claimed key back', async () => {
    const upload = { oneTimeKeys: oneTimeKeys(0, 2) };
    expect(await rig.engine.calls.uploadKeys(owner, upload)).toEqual({ oneTimeKeyCount: 2 });
    expect((await claim())[0]?.id).toBe('otk-0');
    expect(await rig.engine.calls.uploadKeys(owner, upload)).toEqual({ oneTimeKeyCount: 1 });
    expect((await claim())[0]?.id).toBe('otk-1');
    expect(await claim()).toEqual([]);
  });

  test('a device can have only so many waiting', async () => {
    for (let i = 0; i < 6; i++) await rig.engine.calls.uploadKeys(owner, { oneTimeKeys: oneTimeKeys(i * 100, 100) });
    expect(await rig.engine.calls.countKeys(owner)).toEqual({ oneTimeKeyCount: 500 });
  });

  test('the keys of a replaced device are not handed out', async () => {
    await rig.engine.calls.uploadKeys(owner, { oneTimeKeys: oneTimeKeys(0, 2), fallbackKeys: [{ id: 'fb-1', body: 'x' }] });
    await rig.register(owner.msisdn);
    expect(await claim()).toEqual([]);
  });

  test("a device under another's account gives nothing", async () => {
    await rig.engine.calls.uploadKeys(owner, { oneTimeKeys: oneTimeKeys(0, 1) });
    const devices = [{ accountId: other.accountId, deviceId: owner.deviceId }];
    expect(await rig.engine.calls.claimKeys(other, { devices })).toEqual({ keys: [] });
    expect(await rig.engine.calls.countKeys(owner)).toEqual({ oneTimeKeyCount: 1 });
  });
});

describe('identities', () => {
  test('a query lists the devices that have published one, and skips accounts that do not exist', async () => {
    const identity = { suite: 'olm-1', body: 'identity' };
    await rig.engine.calls.uploadKeys(owner, { identity });
    await rig.engine.calls.uploadKeys(owner, { oneTimeKeys: [] });
    const accountIds = [owner.accountId, other.accountId, 'acc_00000000000000000000000000'];
    const { accounts } = await rig.engine.calls.queryKeys(other, { accountIds });
    expect(accounts).toHaveLength(2);
    expect(accounts).toContainEqual({ accountId: other.accountId, devices: [] });
    const { accountId, deviceId, registrationId } = owner;
    expect(accounts).toContainEqual({ accountId, devices: [{ deviceId, registrationId, identity }] });
  });

  test('a reply key is kept for whoever seals replies, until the device goes', async () => {
    const replyKey = { suite: 'hpke-1', publicKey: 'R'.repeat(43) };
    expect(await rig.engine.devices.replyKey(owner.deviceId)).toBeUndefined();
    await rig.engine.calls.uploadKeys(owner, { replyKey });
    expect(await rig.engine.devices.replyKey(owner.deviceId)).toEqual(replyKey);
    await rig.register(owner.msisdn);
    expect(await rig.engine.devices.replyKey(owner.deviceId)).toBeUndefined();
  });
});
