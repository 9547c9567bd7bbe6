import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { fromBase64Url, toBase64Url } from '../../../sdks/messaging/base64url.js';
import type { FallbackBinding, ReplyBinding, Sealed } from '../../../sdks/messaging/hpke.js';
import {
  createHpkeSuite,
  fallbackAad,
  fallbackInfo,
  generateReplyKeyPair,
  openReply,
  replyAad,
  replyInfo,
  sealFallback,
} from '../../../sdks/messaging/hpke.js';

interface Vector<B> extends Sealed {
  name: string;
  publicKey: string;
  privateKey: string;
  info: string;
  aad: string;
  binding: B;
  plaintext: string;
}

const file = new URL('hpke-vectors.json', import.meta.url);
const vectors = JSON.parse(await readFile(file, 'utf8')) as { fallback: Vector<FallbackBinding>[]; reply: Vector<ReplyBinding>[] };

const text = (bytes: Uint8Array | ArrayBuffer) => new TextDecoder().decode(bytes);
const binding: FallbackBinding = {
  clientMsgId: 'm1',
  senderDeviceId: 'dev_a',
  recipientMsisdn: '+17215550101',
  expiresAt: '2026-11-22T11:00:00.000Z',
};

/** What the bridge does with a sealed text: the associated data is built from what it knows itself. */
async function openAsBridge(privateKey: string, sealed: Sealed, known: FallbackBinding): Promise<string> {
  const suite = createHpkeSuite();
  const recipientKey = await suite.kem.deserializePrivateKey(fromBase64Url(privateKey).buffer);
  const plain = await suite.open(
    { recipientKey, enc: fromBase64Url(sealed.enc), info: fallbackInfo() },
    fromBase64Url(sealed.ciphertext),
    fallbackAad(known),
  );
  return text(plain);
}

async function sealAsBridge(publicKey: string, plaintext: string, known: ReplyBinding): Promise<Sealed> {
  const suite = createHpkeSuite();
  const recipientPublicKey = await suite.kem.deserializePublicKey(fromBase64Url(publicKey).buffer);
  const { enc, ct } = await suite.seal({ recipientPublicKey, info: replyInfo() }, new TextEncoder().encode(plaintext), replyAad(known));
  return { enc: toBase64Url(new Uint8Array(enc)), ciphertext: toBase64Url(new Uint8Array(ct)) };
}

describe('the shared vectors', () => {
  test('the committed file is what the generator prints', async () => {
    const generator = new URL('make-hpke-vectors.mjs', import.meta.url);
    const { stdout } = await promisify(execFile)(process.execPath, [generator.pathname]);
    expect(stdout).toBe(await readFile(file, 'utf8'));
  });

  test.each(vectors.fallback)('fallback "$name": info, associated data and ciphertext agree', async (vector) => {
    expect(text(fallbackInfo())).toBe(vector.info);
    expect(text(fallbackAad(vector.binding))).toBe(vector.aad);
    expect(await openAsBridge(vector.privateKey, vector, vector.binding)).toBe(vector.plaintext);
  });

  test.each(vectors.reply)('reply "$name": info, associated data and ciphertext agree', async (vector) => {
    expect(text(replyInfo())).toBe(vector.info);
    expect(text(replyAad(vector.binding))).toBe(vector.aad);
    const opened = await openReply({ privateKey: vector.privateKey, enc: vector.enc, ciphertext: vector.ciphertext, ...vector.binding });
    expect(opened).toEqual(JSON.parse(vector.plaintext));
  });
});

describe('a fallback text', () => {
  test('opens at the bridge for exactly the message it was sealed for', async () => {
    const { publicKey, privateKey } = await generateReplyKeyPair();
    const sealed = await sealFallback({ publicKey, text: 'Ferry at 6 ⛴', ...binding });
    expect(await openAsBridge(privateKey, sealed, binding)).toBe('Ferry at 6 ⛴');
    expect(JSON.stringify(sealed)).not.toContain('Ferry');
  });

  test.each([
    ['another number', { recipientMsisdn: '+17215550102' }],
    ['a later expiry', { expiresAt: '2026-11-23T11:00:00.000Z' }],
    ['another message', { clientMsgId: 'm2' }],
    ['another sender', { senderDeviceId: 'dev_b' }],
  ])('does not open for %s', async (_what, changed) => {
    const { publicKey, privateKey } = await generateReplyKeyPair();
    const sealed = await sealFallback({ publicKey, text: 'secret', ...binding });
    await expect(openAsBridge(privateKey, sealed, { ...binding, ...changed })).rejects.toThrow();
  });

  test('is sealed anew each time, so that equal texts look different', async () => {
    const { publicKey } = await generateReplyKeyPair();
    const [one, two] = await Promise.all([
      sealFallback({ publicKey, text: 'x', ...binding }),
      sealFallback({ publicKey, text: 'x', ...binding }),
    ]);
    expect(one.enc).not.toBe(two.enc);
    expect(one.ciphertext).not.toBe(two.ciphertext);
  });

  test.each(['2026-11-22T11:00:00Z', '2026-11-22T12:00:00.000+01:00', 'tomorrow'])(
    'refuses the expiry %s, which the bridge would write differently',
    async (expiresAt) => {
      const { publicKey } = await generateReplyKeyPair();
      await expect(sealFallback({ publicKey, text: 'x', ...binding, expiresAt })).rejects.toThrow(RangeError);
    },
  );
});

describe('a reply by SMS', () => {
  const known: ReplyBinding = { deviceId: 'dev_a', inReplyTo: 'm1', receivedAt: '2026-11-22T10:00:00.000Z' };

  test('opens on the device it is for', async () => {
    const { publicKey, privateKey } = await generateReplyKeyPair();
    const sealed = await sealAsBridge(publicKey, JSON.stringify({ text: 'ok', from: '+17215550101' }), known);
    expect(await openReply({ privateKey, ...sealed, ...known })).toEqual({ text: 'ok', from: '+17215550101' });
  });

  test.each([
    ['another device', { deviceId: 'dev_b' }],
    ['another message', { inReplyTo: 'm2' }],
    ['another time', { receivedAt: '2026-11-22T10:00:00.001Z' }],
  ])('does not open for %s', async (_what, changed) => {
    const { publicKey, privateKey } = await generateReplyKeyPair();
    const sealed = await sealAsBridge(publicKey, JSON.stringify({ text: 'ok', from: '+17215550101' }), known);
    await expect(openReply({ privateKey, ...sealed, ...known, ...changed })).rejects.toThrow();
  });

  test.each(['null', '{"text":1,"from":"+1"}', '{"text":"x"}', 'not json'])('whose content is %s is refused', async (plaintext) => {
    const { publicKey, privateKey } = await generateReplyKeyPair();
    const sealed = await sealAsBridge(publicKey, plaintext, known);
    await expect(openReply({ privateKey, ...sealed, ...known })).rejects.toThrow();
  });
});
