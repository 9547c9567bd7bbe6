import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createHpkeSuite, fallbackAad, fallbackInfo, replyAad, replyInfo } from '../../../sdks/messaging/hpke.js';
import { fromBase64Url, generateReplyKeyPair, type SendRequest, toBase64Url } from '../../../sdks/messaging/index.js';
import { createWorld, type Peer, type World } from './peers.js';

const ANNA = '+17215550101';
const BEN = '+17215550102';
const CLEO = '+17215550103';

let world: World;
let anna: Peer;
let ben: Peer;

beforeEach(async () => {
  world = createWorld();
  anna = await world.join(ANNA);
  ben = await world.join(BEN);
});
afterEach(() => world.close());

const lastSend = (): SendRequest => {
  const last = world.server.sends.at(-1);
  if (!last) throw new Error('nothing was sent');
  return last.request;
};

describe('keys', () => {
  test('a new device publishes an identity, one-time keys, a fallback key and a reply key', () => {
    const row = anna.row();
    expect(row.identity?.suite).toBe('olm-1');
    expect(row.oneTimeKeys).toHaveLength(50);
    expect(row.fallbackKeys).toHaveLength(1);
    expect(row.replyKey).toEqual({ suite: 'hpke-1', publicKey: anna.credentials.replyKey.publicKey });
    expect(JSON.stringify(world.server.calls)).not.toContain(anna.credentials.replyKey.privateKey);
  });

  test('receiving messages makes no new keys while the server has enough', async () => {
    for (let i = 0; i < 3; i++) await anna.client.send({ to: BEN, text: `m${i}` });
    await ben.client.drainQueue();
    // Sending carries whatever the library wants carried, so surplus keys would be uploaded here.
    await ben.client.send({ to: ANNA, text: 'back' });
    expect(ben.row().oneTimeKeys).toHaveLength(49);
  });

  test('keys that were handed out are replaced after a while', async () => {
    ben.row().oneTimeKeys.splice(0, 30);
    for (let i = 0; i < 12; i++) await anna.client.send({ to: BEN, text: `m${i}` });
    await ben.client.drainQueue();
    await ben.client.send({ to: ANNA, text: 'waits its turn behind the upload' });
    expect(ben.row().oneTimeKeys.length).toBeGreaterThanOrEqual(50);
    expect(new Set(ben.row().oneTimeKeys.map((key) => key.id)).size).toBe(ben.row().oneTimeKeys.length);
  });

  test('a message gets through on the fallback key when no one-time key is left', async () => {
    ben.row().oneTimeKeys = [];
    await anna.client.send({ to: BEN, text: 'still here' });
    await ben.client.drainQueue();
    expect(ben.texts()).toEqual(['still here']);
  });
});

describe('sending and receiving', () => {
  test('three people write to each other and nobody in between can read it', async () => {
    const cleo = await world.join(CLEO);
    await anna.client.send({ to: BEN, text: 'marker-one for Ben' });
    await anna.client.send({ to: cleo.credentials.accountId, text: 'marker-two for Cleo' });
    await ben.client.drainQueue();
    await ben.client.send({ to: ANNA, text: 'marker-three back' });
    await cleo.client.drainQueue();
    await anna.client.drainQueue();
    expect([ben.texts(), cleo.texts(), anna.texts()]).toEqual([['marker-one for Ben'], ['marker-two for Cleo'], ['marker-three back']]);
    expect(ben.messages[0]?.from).toEqual({ accountId: anna.credentials.accountId, deviceId: anna.credentials.deviceId });
    expect(JSON.stringify(world.server.calls)).not.toMatch(/marker-/);
  });

  test('what send returns is what the recipient sees', async () => {
    const sent = await anna.client.send({ to: BEN, text: 'hi' });
    await ben.client.drainQueue();
    expect(sent.ref).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}$/);
    expect(ben.messages).toMatchObject([
      { clientMsgId: sent.clientMsgId, ref: sent.ref, sentAt: '2026-11-22T10:00:00.000Z', alsoSentBySms: false },
    ]);
    expect(lastSend()).toMatchObject({ clientMsgId: sent.clientMsgId, ref: sent.ref });
  });

  test('sends at the same time arrive in the order they were asked for', async () => {
    const texts = Array.from({ length: 8 }, (_, i) => `m${i}`);
    await Promise.all(texts.map((text) => anna.client.send({ to: BEN, text })));
    await ben.client.drainQueue();
    expect(ben.texts()).toEqual(texts);
  });

  test('messages that arrive out of order are all read', async () => {
    for (let i = 0; i < 6; i++) await anna.client.send({ to: BEN, text: `m${i}` });
    ben.row().queue.reverse();
    await ben.client.drainQueue();
    expect(ben.texts()).toEqual(['m5', 'm4', 'm3', 'm2', 'm1', 'm0']);
    expect(ben.others.undecryptable).toEqual([]);
  });

  test('an unknown number is refused before anything is encrypted', async () => {
    await expect(anna.client.send({ to: '+17215559999', text: 'x' })).rejects.toMatchObject({ code: 'CLIENT.UNKNOWN_RECIPIENT' });
    expect(world.server.sends).toEqual([]);
  });

  test('a refused send leaves the next one working', async () => {
    world.server.refuseNext(429, 'RATE_LIMITED');
    await expect(anna.client.send({ to: BEN, text: 'x' })).rejects.toMatchObject({ code: 'RATE_LIMITED', status: 429 });
    await anna.client.send({ to: BEN, text: 'y' });
    await ben.client.drainQueue();
    expect(ben.texts()).toEqual(['y']);
  });
});

describe('the recipient changed devices', () => {
  test('a mismatch is repaired: keys are asked for again and the message is sent to the new device under the same id', async () => {
    await anna.client.send({ to: BEN, text: 'to the old one' });
    const again = await world.join(BEN);
    const sent = await anna.client.send({ to: BEN, text: 'to the new one' });
    await again.client.drainQueue();
    expect(again.texts()).toEqual(['to the new one']);
    expect(again.messages[0]?.clientMsgId).toBe(sent.clientMsgId);
  });

  test('a stale registration is asked for again', async () => {
    await anna.client.send({ to: BEN, text: 'one' });
    ben.row().registrationId = (ben.row().registrationId % 16_383) + 1;
    await anna.client.send({ to: BEN, text: 'two' });
    await ben.client.drainQueue();
    expect(ben.texts()).toEqual(['one', 'two']);
  });

  test('a server that names a mismatch for ever is given up on', async () => {
    await anna.client.send({ to: BEN, text: 'warm' });
    const before = world.server.calls.length;
    world.server.refuseEvery('PUT /messages/', 409, 'MESSAGING.DEVICES_MISMATCH');
    await expect(anna.client.send({ to: ben.credentials.accountId, text: 'x' })).rejects.toMatchObject({ status: 409 });
    expect(world.server.calls.length - before).toBeLessThan(12);
  });

  test('an account whose devices publish no keys is refused and not waited for', async () => {
    const row = ben.row();
    delete row.identity;
    await expect(anna.client.send({ to: BEN, text: 'x' })).rejects.toMatchObject({ code: 'CLIENT.NO_DEVICES' });
  });
});

describe('repeats', () => {
  test('the same envelope twice is shown once, and both are acknowledged', async () => {
    await anna.client.send({ to: BEN, text: 'once' });
    const [envelope] = ben.row().queue;
    if (envelope) ben.row().queue.push(envelope);
    await ben.client.drainQueue();
    expect(ben.texts()).toEqual(['once']);
    expect(ben.row().queue).toEqual([]);
  });

  test('a ciphertext replayed under another envelope id is dropped, and is not told as a loss', async () => {
    await anna.client.send({ to: BEN, text: 'once' });
    const [envelope] = ben.row().queue;
    await ben.client.drainQueue();
    if (envelope?.from) world.server.deliver(ben.credentials.deviceId, { ...envelope, clientMsgId: 'another' });
    await ben.client.drainQueue();
    expect(ben.texts()).toEqual(['once']);
    expect(ben.others.undecryptable).toEqual([]);
    expect(ben.row().queue).toEqual([]);
  });

  test('a message encrypted anew under the same id is shown once', async () => {
    const { clientMsgId } = await anna.client.send({ to: BEN, text: 'once' });
    anna.row().sent.clear();
    await anna.client.send({ to: BEN, text: 'once', clientMsgId });
    const bodies = ben.row().queue.map((envelope) => envelope.body);
    expect(new Set(bodies).size).toBe(2);
    await ben.client.drainQueue();
    expect(ben.texts()).toEqual(['once']);
  });

  test('the id inside the encryption counts, whatever the server writes outside', async () => {
    const { clientMsgId } = await anna.client.send({ to: BEN, text: 'hi' });
    for (const envelope of ben.row().queue) Object.assign(envelope, { clientMsgId: 'forged', ref: 'ZZZZ' });
    await ben.client.drainQueue();
    expect(ben.messages[0]).toMatchObject({ clientMsgId });
    expect(ben.messages[0]?.ref).not.toBe('ZZZZ');
  });
});

describe('what cannot be trusted', () => {
  test.each([
    ['another account', { accountId: 'acc_00000000000000000000000zzz', deviceId: 'keep' }],
    ['another device', { accountId: 'keep', deviceId: 'dev_00000000000000000000000zzz' }],
  ])('a message that the server attributes to %s is not shown', async (_who, forged) => {
    await anna.client.send({ to: BEN, text: 'from Anna' });
    for (const envelope of ben.row().queue) {
      const real = anna.credentials;
      envelope.from = {
        accountId: forged.accountId === 'keep' ? real.accountId : forged.accountId,
        deviceId: forged.deviceId === 'keep' ? real.deviceId : forged.deviceId,
      };
    }
    await ben.client.drainQueue();
    expect(ben.texts()).toEqual([]);
    expect(ben.others.undecryptable).toHaveLength(1);
  });

  test.each([
    ['text', 'olm-1', 'not json'],
    ['an empty object', 'olm-1', '{}'],
    ['a plain event', 'olm-1', '{"type":"causeway.message","content":{"id":"x","text":"forged"}}'],
    ['another suite', 'rot13', '{}'],
  ])('a body that is %s is told, acknowledged, and stops nothing behind it', async (_what, suite, body) => {
    const from = { accountId: anna.credentials.accountId, deviceId: anna.credentials.deviceId };
    world.server.deliver(ben.credentials.deviceId, { kind: 'message', from, suite, body });
    await anna.client.send({ to: BEN, text: 'behind it' });
    await ben.client.drainQueue();
    expect(ben.others.undecryptable).toHaveLength(1);
    expect(ben.texts()).toEqual(['behind it']);
    expect(ben.row().queue).toEqual([]);
  });
});

// Olm opens a ciphertext once: a handler that fails must not cost the message.
test('a message whose handler failed stays queued and is shown when the handler works again', async () => {
  let broken = true;
  ben.client.on('message', () => {
    if (broken) throw new Error('disk full');
  });
  await anna.client.send({ to: BEN, text: 'one' });
  await anna.client.send({ to: BEN, text: 'two' });
  await expect(ben.client.drainQueue()).rejects.toThrow('disk full');
  expect(ben.row().queue).toHaveLength(2);
  broken = false;
  await ben.client.drainQueue();
  expect(ben.texts()).toEqual(['one', 'one', 'two']);
  expect(ben.row().queue).toEqual([]);
});

describe('SMS fallback', () => {
  const bridgeKey = async () => {
    const pair = await generateReplyKeyPair();
    const validity = { notBefore: '2026-11-22T10:00:00.000Z', notAfter: '2026-11-22T11:00:00.000Z' };
    world.server.bridgeKeys.push({ keyId: 'bk1', suite: 'hpke-1', publicKey: pair.publicKey, ...validity });
    return pair.privateKey;
  };

  test('a sealed text opens at the bridge, bound to message, sender, number and expiry', async () => {
    const privateKey = await bridgeKey();
    const fallback = { mode: 'sealed', class: 'chat', afterSeconds: 10, text: 'marker-sms' } as const;
    const { clientMsgId, fallback: armed } = await anna.client.send({ to: BEN, text: 'marker-app', fallback });
    expect(armed?.state).toBe('armed');
    const { sealed } = lastSend().fallback ?? {};
    if (!sealed) throw new Error('nothing was sealed');
    expect(sealed).toMatchObject({ keyId: 'bk1', expiresAt: '2026-11-22T11:00:10.000Z' });
    const suite = createHpkeSuite();
    const recipientKey = await suite.kem.deserializePrivateKey(fromBase64Url(privateKey).buffer);
    const known = { clientMsgId, senderDeviceId: anna.credentials.deviceId, recipientMsisdn: BEN, expiresAt: sealed.expiresAt };
    const enc = fromBase64Url(sealed.enc);
    const plain = await suite.open({ recipientKey, enc, info: fallbackInfo() }, fromBase64Url(sealed.ciphertext), fallbackAad(known));
    expect(new TextDecoder().decode(plain)).toBe('marker-sms');
    expect(JSON.stringify(world.server.calls)).not.toMatch(/marker-/);
  });

  test('a notice carries no text', async () => {
    await anna.client.send({ to: BEN, text: 'x', fallback: { mode: 'notice', class: 'urgent', senderName: 'Anna', text: 'ignored' } });
    expect(lastSend().fallback).toEqual({ mode: 'notice', class: 'urgent', senderName: 'Anna' });
  });

  test.each([
    ['no bridge key', BEN, 'x', 'CLIENT.NO_BRIDGE_KEY'],
    ['no text', BEN, '', 'CLIENT.FALLBACK_TEXT'],
    ['a text past three segments', BEN, 'x'.repeat(454), 'CLIENT.FALLBACK_TEXT'],
    ['an account id without its number', 'ben', 'x', 'CLIENT.FALLBACK_NUMBER'],
  ])('%s refuses the whole send, so that nobody believes in a fallback that is not there', async (_what, to, text, code) => {
    const recipient = to === 'ben' ? ben.credentials.accountId : to;
    const sending = anna.client.send({ to: recipient, text: 'app', fallback: { mode: 'sealed', class: 'chat', text } });
    await expect(sending).rejects.toMatchObject({ code });
    expect(world.server.sends).toEqual([]);
  });

  test('a status names the message and its reference, and says when the text went out by SMS', async () => {
    const sent = await anna.client.send({ to: BEN, text: 'x' });
    for (const status of ['fallback-claimed', 'delivered-by-sms', 'delivered-by-sms']) {
      const body = JSON.stringify({
        clientMsgId: sent.clientMsgId,
        messageId: sent.messageId,
        status,
        fallbackId: 'fb_1',
        at: '2026-11-22T10:05:00.000Z',
      });
      world.server.deliver(anna.credentials.deviceId, { kind: 'status', suite: 'json-1', body });
    }
    const [, , last] = anna.row().queue;
    if (last) anna.row().queue.push(last);
    await anna.client.drainQueue();
    expect(anna.others.status.map(({ status, ref, alsoSentBySms }) => [status, ref, alsoSentBySms])).toEqual([
      ['fallback-claimed', sent.ref, false],
      ['delivered-by-sms', sent.ref, true],
      ['delivered-by-sms', sent.ref, true],
    ]);
  });

  test('a reply by SMS reaches the app opened, once', async () => {
    const { clientMsgId } = await anna.client.send({ to: BEN, text: 'x' });
    const receivedAt = '2026-11-22T10:06:00.000Z';
    const suite = createHpkeSuite();
    const recipientPublicKey = await suite.kem.deserializePublicKey(fromBase64Url(anna.row().replyKey?.publicKey ?? '').buffer);
    const known = { deviceId: anna.credentials.deviceId, inReplyTo: clientMsgId, receivedAt };
    const plain = new TextEncoder().encode(JSON.stringify({ text: 'on my way', from: BEN }));
    const { enc, ct } = await suite.seal({ recipientPublicKey, info: replyInfo() }, plain, replyAad(known));
    const sealed = { enc: toBase64Url(new Uint8Array(enc)), ciphertext: toBase64Url(new Uint8Array(ct)) };
    const reply = (changed = {}) => JSON.stringify({ ...sealed, receivedAt, inReplyTo: clientMsgId, ...changed });
    for (const body of [reply({ inReplyTo: 'another' }), reply(), reply()]) {
      world.server.deliver(anna.credentials.deviceId, { kind: 'sms-reply', suite: 'hpke-1', body });
    }
    await anna.client.drainQueue();
    expect(anna.others.smsReply).toEqual([{ text: 'on my way', from: BEN, inReplyTo: clientMsgId, receivedAt }]);
    expect(anna.others.undecryptable).toHaveLength(1);
  });
});

describe('the two copies of a message', () => {
  test('the SMS after the app copy collapses into it', async () => {
    const { ref, clientMsgId } = await anna.client.send({ to: BEN, text: 'Ferry at 6' });
    await ben.client.drainQueue();
    expect(await ben.client.noteSms(`Ferry at 6 #${ref}`)).toEqual({ text: 'Ferry at 6', ref, clientMsgId });
    expect(ben.others.collapsed).toEqual([{ ref, clientMsgId, alsoSentBySms: true }]);
  });

  test('the app copy after the SMS is marked as also sent by SMS', async () => {
    const { ref } = await anna.client.send({ to: BEN, text: 'Ferry at 6' });
    expect(await ben.client.noteSms(`Ferry at 6 #${ref}`)).toMatchObject({ clientMsgId: undefined });
    await ben.client.drainQueue();
    expect(ben.messages[0]?.alsoSentBySms).toBe(true);
  });

  test('a reference that comes back days later belongs to another message', async () => {
    const { ref } = await anna.client.send({ to: BEN, text: 'old' });
    await ben.client.drainQueue();
    await world.clock.advance(4 * 24 * 3_600_000);
    expect(await ben.client.noteSms(`new #${ref}`)).toMatchObject({ clientMsgId: undefined });
  });

  test.each(['plain', 'ends in #1', 'no #ILOU', '#12345', 'lower #abcd'])('"%s" is an SMS like any other', async (sms) => {
    expect(await ben.client.noteSms(sms)).toEqual({ text: sms, ref: undefined, clientMsgId: undefined });
  });
});
