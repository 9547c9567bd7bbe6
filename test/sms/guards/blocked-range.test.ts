import { expect, test } from 'vitest';
import { blockedRange } from '../../../src/sms/guards/blocked-range.js';

test.each([
  ['premium rate in Germany', '+499001234567', 'premium-range'],
  ['premium rate in Britain', '+449098790123', 'premium-range'],
  ['premium rate in North America', '+19005551234', 'premium-range'],
  ['Inmarsat', '+870776123456', 'premium-range'],
  ['a satellite network', '+881612345678', 'premium-range'],
  ['international networks', '+882161234567', 'premium-range'],
  ['international premium rate', '+979123456789', 'premium-range'],
  ['a mobile number', '+4915712345678', undefined],
  ['a landline', '+493012345678', undefined],
  ['a number of the sandbox, which no numbering plan knows', '+999571234567', undefined],
])('%s', (_what, msisdn, rule) => {
  expect(blockedRange(msisdn, [], false)).toBe(rule);
});

test('ranges that the partner names are blocked, its own subscribers among them', () => {
  expect(blockedRange('+999571234567', ['+9995712'], true)).toBe('blocked-range');
  expect(blockedRange('+999571234567', ['+9995713'], true)).toBeUndefined();
});
