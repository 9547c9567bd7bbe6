import fc from 'fast-check';
import { expect, test } from 'vitest';
import { absoluteTime, readSmppTime, receiptDate } from '../../../src/sms/esme/smpp-time.js';

const NOW = Date.UTC(2026, 10, 22, 10);

// The two examples of SMPP 3.4 §7.1.1 and each sign.
test.each([
  ['020610233429000R', '2029-06-02T09:34:29.000Z'],
  ['000000001500000R', '2026-11-22T10:15:00.000Z'],
  ['000001000000000R', '2026-11-23T10:00:00.000Z'],
  ['261122120000004+', '2026-11-22T11:00:00.000Z'],
  ['261122120000004-', '2026-11-22T13:00:00.000Z'],
  ['261122120000500+', '2026-11-22T12:00:00.500Z'],
  ['240229000000000+', '2024-02-29T00:00:00.000Z'],
])('%s is %s', (text, expected) => {
  const at = readSmppTime(text, NOW);
  expect(at === undefined ? undefined : new Date(at).toISOString()).toBe(expected);
});

test.each([
  '',
  'x',
  '261122120000000',
  '2611221200000000+',
  '261322120000000+',
  '260431120000000+',
  '250229000000000+',
  '261122240000000+',
  '261122126000000+',
  '261122120060000+',
  '261122120000049+',
  '261122120000000Z',
  '000000001500100R',
  '000000001500004R',
])('%j is no time', (text) => {
  expect(readSmppTime(text, NOW)).toBeUndefined();
});

test('what is written as an absolute time is read as the same second', () => {
  fc.assert(
    fc.property(fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2099, 11, 31) }), (at) => {
      expect(readSmppTime(absoluteTime(at), NOW)).toBe(at - (at % 1_000));
      expect(absoluteTime(at).startsWith(receiptDate(at))).toBe(true);
    }),
  );
});

test('no text makes the reader throw', () => {
  fc.assert(fc.property(fc.string(), (text) => void readSmppTime(text, NOW)));
});
