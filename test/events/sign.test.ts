import { generateKeyPairSync, verify } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { signV1, signV1a } from '../../src/events/sign.js';

// The vector of the reference: made by an independent implementation of Standard Webhooks 1.0.
test('v1 gives the signature of the published vector', () => {
  const parts = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1614265330, body: '{"test": 2432232314}' };
  expect(signV1('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', parts)).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

test('v1 signs the bytes of the body: umlauts and escapes as they are', () => {
  const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
  const body = '{"a":"Grüße\\/\\u00e9 🎉"}';
  const at = new Date('2026-11-22T10:00:00Z');
  const ours = signV1(secret, { id: 'evt_1', timestamp: at.getTime() / 1000, body });
  expect(ours).toBe(new Webhook(secret).sign('evt_1', at, body));
});

test('v1a verifies with the public key, and not for another id, time or body', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const signature = signV1a(privateKey.export({ format: 'der', type: 'pkcs8' }), { id: 'evt_1', timestamp: 1, body: '{}' });
  const bytes = Buffer.from(signature.slice('v1a,'.length), 'base64');
  expect(signature.startsWith('v1a,')).toBe(true);
  expect(verify(null, Buffer.from('evt_1.1.{}'), publicKey, bytes)).toBe(true);
  for (const other of ['evt_2.1.{}', 'evt_1.2.{}', 'evt_1.1.{ }']) expect(verify(null, Buffer.from(other), publicKey, bytes)).toBe(false);
});
