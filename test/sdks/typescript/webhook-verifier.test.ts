import { generateKeyPairSync, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import { verifyWebhook, WebhookVerificationError } from '../../../sdks/typescript/index.js';

// The vector of the Standard Webhooks specification (telecom.md section 8).
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const body = '{"test": 2432232314}';
const now = 1_614_265_330_000;
const headers = {
  'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  'webhook-timestamp': '1614265330',
  'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};

test("the specification's vector verifies, also beside other signatures and while secrets rotate", () => {
  expect(verifyWebhook(secret, headers, body, now)).toEqual({ test: 2_432_232_314 });
  const several = { ...headers, 'webhook-signature': `v1,AAAA v9,zzz ${headers['webhook-signature']}` };
  expect(verifyWebhook(['whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', secret], several, Buffer.from(body), now)).toBeTruthy();
});

test.each([
  ['a changed body', { ...headers }, '{"test": 2432232315}', now],
  ['a changed id', { ...headers, 'webhook-id': 'msg_other' }, body, now],
  ['a replay after five minutes', headers, body, now + 301_000],
  ['a timestamp from the future', headers, body, now - 301_000],
  ['a missing header', { ...headers, 'webhook-signature': undefined }, body, now],
  ['a timestamp that is no number', { ...headers, 'webhook-timestamp': '1614265330x' }, body, now],
])('%s is refused', (_, changed, text, at) => {
  expect(() => verifyWebhook(secret, changed, text, at)).toThrow(WebhookVerificationError);
});

test('scheme v1a verifies with the public key alone', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const signature = sign(null, Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`), privateKey);
  const signed = { ...headers, 'webhook-signature': `v1a,${signature.toString('base64')}` };
  expect(verifyWebhook(`whpk_${raw.toString('base64')}`, signed, body, now)).toBeTruthy();
  expect(() => verifyWebhook(secret, signed, body, now)).toThrow(WebhookVerificationError);
});
