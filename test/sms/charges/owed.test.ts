import fc from 'fast-check';
import { expect, test } from 'vitest';
import { owedFor } from '../../../src/sms/charges/owed.js';
import { provenanceOf } from '../../../src/sms/charges/provenance.js';
import type { SmsMessage, SmsPart, SmsReceipt, SmsState } from '../../../src/sms/message.js';

const sms = (state: SmsState, accepted: number, receipts: [number, string][] = [], more: Partial<SmsMessage> = {}) => ({
  message: { state, pduCount: 2, segmentCount: 2, reason: undefined, ...more } as SmsMessage,
  parts: Array.from({ length: accepted }, (_, i) => ({ number: i + 1, outcome: 'accepted' }) as SmsPart),
  receipts: receipts.map(([number, receipt]) => ({ number, state: receipt }) as SmsReceipt),
});
const both = (state: string): [number, string][] => [
  [1, state],
  [2, state],
];
const segment = (chargeable: 'accepted' | 'delivered') => ({ unit: 'segment' as const, chargeable });

test.each([
  ['accepted: once the SMSC has it', 'accepted', sms('submitted', 2), 2, 'accepted'],
  ['accepted: also when it is not delivered', 'accepted', sms('undelivered', 2, both('undeliverable')), 2, 'accepted'],
  ['accepted: only the parts that it took', 'accepted', sms('rejected', 1), 1, 'accepted'],
  ['delivered: what is on its way is owed for now', 'delivered', sms('submitted', 2), 2, 'accepted'],
  ['delivered: once it is', 'delivered', sms('delivered', 2, both('delivered')), 2, 'delivered'],
  ['delivered: nothing of what is not', 'delivered', sms('undelivered', 2, both('undeliverable')), 0, 'undelivered'],
  [
    'delivered: the part that was',
    'delivered',
    sms('undelivered', 2, [
      [1, 'delivered'],
      [2, 'undeliverable'],
    ]),
    1,
    'undelivered',
  ],
  ['delivered: nothing when it expired', 'delivered', sms('expired', 2, both('expired')), 0, 'expired'],
  ['delivered: nothing when nobody said so in time', 'delivered', sms('unknown', 2, [], { reason: 'no-receipt' }), 0, 'no-receipt'],
] as const)('%s', (_what, chargeable, given, units, reason) => {
  expect(owedFor(given, segment(chargeable), false)).toEqual({ units, reason });
});

test('a pair that raced is owed nothing, and a price by message is one unit', () => {
  expect(owedFor(sms('delivered', 2, both('delivered')), segment('accepted'), true)).toEqual({ units: 0, reason: 'raced-pair' });
  expect(owedFor(sms('submitted', 2), { unit: 'message', chargeable: 'accepted' }, false).units).toBe(1);
});

test('nothing is owed for more than was accepted, and never less than nothing', () => {
  const states = fc.constantFrom<SmsState>('submitted', 'delivered', 'undelivered', 'expired', 'rejected', 'unknown');
  const receipt = fc.constantFrom('delivered', 'undeliverable', 'expired', 'enroute');
  fc.assert(
    fc.property(
      states,
      receipt,
      receipt,
      fc.constantFrom<'accepted' | 'delivered'>('accepted', 'delivered'),
      (state, one, two, chargeable) => {
        const { units } = owedFor(
          sms(state, 2, [
            [1, one],
            [2, two],
          ]),
          segment(chargeable),
          false,
        );
        expect(units).toBeGreaterThanOrEqual(0);
        expect(units).toBeLessThanOrEqual(2);
      },
    ),
  );
});

test('who says how it ended is kept', () => {
  expect(provenanceOf(sms('delivered', 2, both('delivered')), 'operator')).toBe('handset');
  expect(provenanceOf(sms('delivered', 2, both('delivered')), 'hub')).toBe('hub-claimed');
  expect(provenanceOf(sms('expired', 2, both('expired')), 'operator')).toBe('expired-by-validity');
  expect(provenanceOf(sms('unknown', 2, [], { reason: 'no-receipt' }), 'hub')).toBe('expired-by-validity');
  expect(provenanceOf(sms('submitted', 2), 'operator')).toBe('none');
});
