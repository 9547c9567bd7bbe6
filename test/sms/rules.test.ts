import { describe, expect, test } from 'vitest';
import { comparable, msisdnFromWire, wireDestination, wireSource } from '../../src/sms/addresses.js';
import { createTokenBucket } from '../../src/sms/links/token-bucket.js';
import type { SmsMessage, SmsPart, SmsReceipt } from '../../src/sms/message.js';
import { retryDelayMs } from '../../src/sms/outbound/retry-policy.js';
import { truthOf } from '../../src/sms/outbound/truth.js';
import { createFakeClock } from '../fakes/clock.js';

const aMessage = (more: Partial<SmsMessage> = {}) =>
  ({ state: 'submitting', reason: undefined, class: 'chat', pduCount: 2, attempts: 1, resends: 0, ...more }) as SmsMessage;
const aPart = (number: number, outcome: SmsPart['outcome'], commandStatus?: string, attempt = 1) =>
  ({ number, outcome, commandStatus, attempt }) as SmsPart;
const aReceipt = (number: number, state: string) => ({ id: `${number}${state}`, number, state, errorCode: undefined }) as SmsReceipt;
const accepted = [aPart(1, 'accepted'), aPart(2, 'accepted')];
const submitted = aMessage({ state: 'submitted' });

describe('one truthful state from all parts', () => {
  test.each([
    ['every part accepted', accepted, {}, 'submitted'],
    ['a part without an answer', [aPart(1, 'accepted')], {}, 'unknown'],
    [
      'a part whose answer is of an earlier attempt',
      [aPart(1, 'accepted'), aPart(2, 'refused', 'ESME_RTHROTTLED')],
      { attempts: 2 },
      'unknown',
    ],
    ['a part that was throttled', [aPart(1, 'accepted'), aPart(2, 'refused', 'ESME_RTHROTTLED')], {}, 'queued'],
    ['a part that never left', [aPart(1, 'accepted'), aPart(2, 'never-sent')], {}, 'queued'],
    ['a part refused for good', [aPart(1, 'accepted'), aPart(2, 'refused', 'ESME_RINVDSTADR')], {}, 'rejected'],
    ['a part of unknown outcome beside a throttled one', [aPart(1, 'unknown'), aPart(2, 'refused', 'ESME_RTHROTTLED')], {}, 'unknown'],
    ['an otp of unknown outcome', [aPart(1, 'unknown'), aPart(2, 'accepted')], { class: 'otp' as const }, 'queued'],
    [
      'an otp of unknown outcome for the second time',
      [aPart(1, 'unknown'), aPart(2, 'accepted')],
      { class: 'otp' as const, resends: 1 },
      'unknown',
    ],
  ])('%s', (_what, parts, more, state) => {
    expect(truthOf(aMessage(more), parts, [], true).state).toBe(state);
  });

  test('while the attempt runs nothing is decided', () => {
    expect(truthOf(aMessage(), [], [], false).state).toBe('submitting');
  });

  test.each([
    ['one part delivered', [aReceipt(1, 'delivered')], 'submitted'],
    ['all parts delivered', [aReceipt(2, 'delivered'), aReceipt(1, 'delivered')], 'delivered'],
    ['one part delivered twice', [aReceipt(1, 'delivered'), aReceipt(1, 'delivered')], 'submitted'],
    ['one part not', [aReceipt(1, 'delivered'), aReceipt(2, 'undeliverable')], 'undelivered'],
    ['one part expired, the other open', [aReceipt(2, 'expired')], 'expired'],
    ['only on their way', [aReceipt(1, 'enroute'), aReceipt(2, 'accepted')], 'submitted'],
    ['one the SMSC knows nothing of', [aReceipt(1, 'unknown'), aReceipt(2, 'delivered')], 'unknown'],
    ['not known at first, delivered then', [aReceipt(1, 'unknown'), aReceipt(2, 'delivered'), aReceipt(1, 'delivered')], 'delivered'],
    [
      'delivered, and a late repeat that says otherwise',
      [aReceipt(1, 'delivered'), aReceipt(2, 'delivered'), aReceipt(1, 'expired')],
      'delivered',
    ],
  ])('receipts: %s', (_what, receipts, state) => {
    expect(truthOf(submitted, accepted, receipts, false).state).toBe(state);
  });

  test.each(['delivered', 'undelivered', 'expired', 'rejected'] as const)('%s stays, whatever comes later', (state) => {
    expect(truthOf(aMessage({ state }), accepted, [aReceipt(1, 'undeliverable'), aReceipt(2, 'delivered')], true).state).toBe(state);
  });
});

test('busy is tried as long as the message lives, passing faults five times, and what is ours or final never again', () => {
  expect(retryDelayMs({ outcome: 'refused', commandStatus: 'ESME_RTHROTTLED' }, 50)).toBeGreaterThan(0);
  expect(retryDelayMs({ outcome: 'refused', commandStatus: 'ESME_RSYSERR' }, 4)).toBeGreaterThan(0);
  expect(retryDelayMs({ outcome: 'refused', commandStatus: 'ESME_RSYSERR' }, 5)).toBeUndefined();
  expect(retryDelayMs({ outcome: 'refused', commandStatus: 'ESME_RINVSRCADR' }, 1)).toBeUndefined();
  expect(retryDelayMs({ outcome: 'never-sent', commandStatus: undefined }, 50)).toBe(0);
  expect(retryDelayMs({ outcome: 'never-sent', commandStatus: 'SMPP.BAD_PDU' }, 1)).toBeUndefined();
});

test('numbers are written as the link wants them, and read back whichever way they come', () => {
  const destination = (format: 'international' | 'national' | 'plus') => ({ ton: 1, npi: 1 as const, format });
  expect(wireDestination('+491701234567', destination('international')).address).toBe('491701234567');
  expect(wireDestination('+491701234567', destination('plus')).address).toBe('+491701234567');
  expect(wireDestination('+491701234567', destination('national')).address).toBe('01701234567');
  expect(wireDestination('+18765550123', destination('national')).address).toBe('8765550123');
  const link = { source: { ton: 5, npi: 0 as const }, destination: destination('international') };
  expect(wireSource({ address: 'CAUSEWAY', type: 'alphanumeric' }, link)).toEqual({ ton: 5, npi: 0, address: 'CAUSEWAY' });
  expect(wireSource({ address: '+9995790000001', type: 'number' }, link)).toEqual({ ton: 1, npi: 1, address: '9995790000001' });
  expect([comparable('+491701'), comparable('00491701'), comparable('Causeway ')]).toEqual(['491701', '491701', 'causeway']);
  expect([msisdnFromWire('491701234567'), msisdnFromWire('CAUSEWAY'), msisdnFromWire('017012')]).toEqual([
    '+491701234567',
    undefined,
    undefined,
  ]);
});

test('a link never exceeds its rate over a second, counted in segments', async () => {
  const clock = createFakeClock();
  const bucket = createTokenBucket(clock, () => 50);
  let segments = 0;
  for (let ms = 0; ms < 10_000; ms++) {
    while (bucket.waitMs() === 0) {
      bucket.take(3);
      segments += 3;
    }
    await clock.advance(1);
  }
  expect(segments).toBeGreaterThan(495);
  expect(segments).toBeLessThanOrEqual(510);
});
