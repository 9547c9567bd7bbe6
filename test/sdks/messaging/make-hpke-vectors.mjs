// Prints hpke-vectors.json: `node test/sdks/messaging/make-hpke-vectors.mjs > test/sdks/messaging/hpke-vectors.json`.
// It uses @hpke/core alone, with fixed key material, so that client and bridge are both held against something neither wrote.
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';

const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
const utf8 = (text) => new TextEncoder().encode(text);
const b64 = (bytes) => Buffer.from(bytes).toString('base64url');

async function vector({ name, info, aad, plaintext, seed, binding }) {
  const recipient = await suite.kem.deriveKeyPair(new Uint8Array(32).fill(seed));
  const ekm = await suite.kem.deriveKeyPair(new Uint8Array(32).fill(seed + 1));
  const sender = await suite.createSenderContext({ recipientPublicKey: recipient.publicKey, info: utf8(info), ekm });
  const ciphertext = await sender.seal(utf8(plaintext), utf8(aad));
  return {
    name,
    publicKey: b64(await suite.kem.serializePublicKey(recipient.publicKey)),
    privateKey: b64(await suite.kem.serializePrivateKey(recipient.privateKey)),
    info,
    aad,
    binding,
    plaintext,
    enc: b64(sender.enc),
    ciphertext: b64(ciphertext),
  };
}

const fallback = {
  clientMsgId: 'cmsg-0001_A',
  senderDeviceId: 'dev_01kbp0aaaaaaaaaaaaaaaaaaaa',
  recipientMsisdn: '+17215550101',
  expiresAt: '2026-11-22T12:05:00.000Z',
};
const reply = { deviceId: 'dev_01kbp0aaaaaaaaaaaaaaaaaaaa', inReplyTo: 'cmsg-0001_A', receivedAt: '2026-11-22T10:09:08.007Z' };
const fallbackAad = (f) => JSON.stringify(['causeway.sms-fallback.v1', f.clientMsgId, f.senderDeviceId, f.recipientMsisdn, f.expiresAt]);
const replyAad = (r) => JSON.stringify(['causeway.sms-reply.v1', r.deviceId, r.inReplyTo, r.receivedAt]);

const vectors = {
  suite: 'hpke-1',
  fallback: [
    await vector({
      name: 'GSM text',
      info: 'causeway/sms-fallback/v1',
      aad: fallbackAad(fallback),
      plaintext: 'Ferry leaves at 6 instead of 7.',
      seed: 1,
      binding: fallback,
    }),
    await vector({
      name: 'text beyond GSM',
      info: 'causeway/sms-fallback/v1',
      aad: fallbackAad({ ...fallback, clientMsgId: 'A-_z9' }),
      plaintext: 'Fähre um 6 ⛴️',
      seed: 3,
      binding: { ...fallback, clientMsgId: 'A-_z9' },
    }),
  ],
  reply: [
    await vector({
      name: 'reply',
      info: 'causeway/sms-reply/v1',
      aad: replyAad(reply),
      plaintext: JSON.stringify({ text: 'Danke, bis gleich 👋', from: '+17215550101' }),
      seed: 5,
      binding: reply,
    }),
  ],
};
process.stdout.write(`${JSON.stringify(vectors, null, 2)}\n`);
