import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { generateReplyKeyPair, openReply, sealFallback } from '../../../sdks/messaging/hpke.js';
import { createKeyWrap } from '../../../src/identity/master-key.js';
import { toRfc3339 } from '../../../src/kernel/clock.js';
import { createLog } from '../../../src/kernel/log.js';
import { bridgeKeysOf, type Opener, openOpener } from '../../../src/sms/opener/index.js';
import { createFakeClock, type FakeClock } from '../../fakes/clock.js';
import vectors from '../../sdks/messaging/hpke-vectors.json' with { type: 'json' };

const HOUR_MS = 3_600_000;
const masterKey = createKeyWrap(Buffer.alloc(32, 1));
const log = createLog('silent');
let keysFolder: string;
let clock: FakeClock;
const opened: Opener[] = [];

beforeEach(() => {
  keysFolder = mkdtempSync(join(tmpdir(), 'causeway-opener-'));
  clock = createFakeClock();
});
afterEach(() => {
  for (const opener of opened.splice(0)) opener.close();
  rmSync(keysFolder, { recursive: true });
});

async function open(more: { textLivesMaxMs?: number } = {}): Promise<Opener> {
  const opener = await openOpener({ keysFolder, masterKey, clock, log, ...more });
  opened.push(opener);
  return opener;
}

const ringFile = () => join(keysFolder, 'opener-ring.json');
const binding = () => ({
  clientMsgId: 'c1',
  senderDeviceId: 'dev_1',
  recipientMsisdn: '+999571234567',
  expiresAt: toRfc3339(clock.now() + 12 * HOUR_MS),
});

async function seal(opener: Opener, text: string) {
  const [key] = opener.currentKeys();
  if (!key) throw new Error('there is a key');
  const { recipientMsisdn: msisdn, ...bound } = binding();
  const sealed = await sealFallback({ publicKey: key.publicKey, text, ...binding() });
  return { sealed: { keyId: key.keyId, ...sealed }, bound: { ...bound, msisdn } };
}

test.each(vectors.fallback)(
  'the shared vector "$name" opens',
  async ({ publicKey, privateKey, binding: bound, enc, ciphertext, plaintext }) => {
    const wrappedPrivateKey = masterKey.wrap(Buffer.from(privateKey, 'base64url'), 'sms-opener-ring:vector');
    clock = createFakeClock(Date.parse(bound.expiresAt) - HOUR_MS);
    const key = { keyId: 'vector', publicKey, wrappedPrivateKey, notBefore: clock.now(), notAfter: clock.now() + HOUR_MS };
    writeFileSync(ringFile(), JSON.stringify({ version: 1, keys: [key] }));
    const { recipientMsisdn: msisdn, ...rest } = bound;
    expect(await (await open()).open({ keyId: 'vector', enc, ciphertext }, { ...rest, msisdn })).toBe(plaintext);
  },
);

test('a text opens for the message, device, number and expiry that it was sealed for, and for nothing else', async () => {
  const opener = await open();
  const { sealed, bound } = await seal(opener, 'secret words');
  expect(await opener.open(sealed, bound)).toBe('secret words');
  for (const other of [
    { clientMsgId: 'c2' },
    { senderDeviceId: 'dev_2' },
    { msisdn: '+999571234568' },
    { expiresAt: toRfc3339(clock.now() + 13 * HOUR_MS) },
  ]) {
    const failure: unknown = await opener.open(sealed, { ...bound, ...other }).catch((reason: unknown) => reason);
    expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect((failure as Error).cause).toBeUndefined();
    expect(String(failure)).not.toContain('secret words');
  }
  const cut = { ...sealed, ciphertext: sealed.ciphertext.slice(0, -4) };
  await expect(opener.open(cut, bound)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await expect(opener.open({ ...sealed, enc: 'AA' }, bound)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await expect(opener.open({ ...sealed, keyId: 'bk_none' }, bound)).rejects.toMatchObject({ code: 'MESSAGING.BRIDGE_KEY_UNKNOWN' });
});

test('an expired text stays closed', async () => {
  const opener = await open();
  const { sealed, bound } = await seal(opener, 'late');
  await clock.advance(12 * HOUR_MS);
  await expect(opener.open(sealed, bound)).rejects.toMatchObject({ code: 'GONE' });
});

test('a new key comes every hour, the one before may still be sealed to for an hour, and opens after that', async () => {
  const opener = await open();
  const { sealed, bound } = await seal(opener, 'from the first hour');
  const [first] = opener.currentKeys();
  const rotated = () => opener.currentKeys()[0]?.keyId !== first?.keyId;
  await clock.advance(HOUR_MS);
  await expect.poll(rotated).toBe(true);
  expect(opener.currentKeys()).toHaveLength(2);
  expect(opener.currentKeys()[1]).toEqual(first);
  expect(bridgeKeysOf(opener).isCurrent(first?.keyId ?? '')).toBe(true);
  await clock.advance(HOUR_MS);
  expect(bridgeKeysOf(opener).isCurrent(first?.keyId ?? '')).toBe(false);
  expect(await opener.open(sealed, bound)).toBe('from the first hour');
});

test('a key is destroyed, in the file too, when the last text that may have been sealed to it has expired', async () => {
  const opener = await open({ textLivesMaxMs: 3 * HOUR_MS });
  const { sealed, bound } = await seal(opener, 'gone');
  expect(opener.knows(sealed.keyId)).toBe(true);
  for (let hour = 0; hour < 5; hour++) {
    await clock.advance(HOUR_MS);
    await expect.poll(() => opener.currentKeys()[0]?.notBefore).toBe(clock.now());
  }
  expect(opener.knows(sealed.keyId)).toBe(false);
  expect(readFileSync(ringFile(), 'utf8')).not.toContain(sealed.keyId);
  await expect(opener.open(sealed, bound)).rejects.toMatchObject({ code: 'MESSAGING.BRIDGE_KEY_UNKNOWN' });
});

test('the ring outlives a restart, lies with mode 0600, and holds no private key in the clear', async () => {
  const before = await open();
  const { sealed, bound } = await seal(before, 'still here');
  before.close();
  const after = await open();
  expect(after.currentKeys()).toEqual(before.currentKeys());
  expect(await after.open(sealed, bound)).toBe('still here');
  expect(statSync(ringFile()).mode & 0o777).toBe(0o600);
  const [key] = (JSON.parse(readFileSync(ringFile(), 'utf8')) as { keys: { keyId: string; wrappedPrivateKey: string }[] }).keys;
  expect(() => createKeyWrap(Buffer.alloc(32, 2)).unwrap(key?.wrappedPrivateKey ?? '', `sms-opener-ring:${key?.keyId}`)).toThrow();
});

test('a ring that cannot be read stops the start instead of being replaced', async () => {
  writeFileSync(ringFile(), '{"version":1,"keys":[{"half');
  await expect(open()).rejects.toMatchObject({ code: 'CONFIG.INVALID' });
  expect(readFileSync(ringFile(), 'utf8')).toBe('{"version":1,"keys":[{"half');
});

test('a reply is sealed to its device, message and time', async () => {
  const opener = await open();
  const pair = await generateReplyKeyPair();
  const bound = { deviceId: 'dev_1', inReplyTo: 'c1', receivedAt: toRfc3339(clock.now()) };
  const reply = { ...bound, deviceReplyKey: pair.publicKey, text: 'Gern! 👋', from: '+999571234567' };
  const sealed = await opener.sealReply(reply);
  expect(await openReply({ privateKey: pair.privateKey, ...sealed, ...bound })).toEqual({ text: 'Gern! 👋', from: '+999571234567' });
  await expect(openReply({ privateKey: pair.privateKey, ...sealed, ...bound, inReplyTo: 'c2' })).rejects.toThrow();
  await expect(opener.sealReply({ ...reply, deviceReplyKey: 'AA' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});

test('nodes that share the folder have one ring: each opens and knows what was sealed to a key of the other', async () => {
  const [one, other] = await Promise.all([open(), open()]);
  expect(other.currentKeys()).toEqual(one.currentKeys());
  for (let hour = 0; hour < 3; hour++) {
    await clock.advance(HOUR_MS);
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      const { sealed, bound } = await seal(from, 'across');
      expect(to.isCurrent(sealed.keyId)).toBe(true);
      expect(await to.open(sealed, bound)).toBe('across');
    }
    const { keys } = JSON.parse(readFileSync(ringFile(), 'utf8')) as { keys: unknown[] };
    expect(keys.length, 'one key an hour').toBe(hour + 2);
  }
});
