import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createQuietUntil } from '../../../src/sms/guards/quiet-hours.js';
import type { QuietHours } from '../../../src/sms/policy/policy.js';

const NIGHT: QuietHours = { from: '22:00', to: '07:00', classes: ['notice'] };
const at = (text: string) => Date.parse(text);

test.each([
  ['before they begin', '2026-11-20T20:59:59Z', 'Europe/Berlin', undefined],
  ['when they begin', '2026-11-20T21:00:00Z', 'Europe/Berlin', '2026-11-21T06:00:00Z'],
  ['after midnight', '2026-11-21T03:00:00Z', 'Europe/Berlin', '2026-11-21T06:00:00Z'],
  ['when they end', '2026-11-21T06:00:00Z', 'Europe/Berlin', undefined],
  ['in another zone at the same instant', '2026-11-21T03:30:00Z', 'America/Jamaica', '2026-11-21T12:00:00Z'],
  ['over the night in which clocks go forward', '2026-03-28T22:00:00Z', 'Europe/Berlin', '2026-03-29T05:00:00Z'],
  ['over the night in which clocks go back', '2026-10-24T21:00:00Z', 'Europe/Berlin', '2026-10-25T06:00:00Z'],
  ['in a zone off by a quarter of an hour', '2026-11-20T17:00:00Z', 'Asia/Kathmandu', '2026-11-21T01:15:00Z'],
])('%s', (_what, now, zone, until) => {
  expect(createQuietUntil()(NIGHT, 'notice', zone, at(now))).toBe(until && at(until));
});

test('classes that they do not name never wait, and null means never', () => {
  const quietUntil = createQuietUntil();
  const night = at('2026-11-21T03:00:00Z');
  expect(quietUntil(NIGHT, 'otp', 'Europe/Berlin', night)).toBeUndefined();
  expect(quietUntil(null, 'notice', 'Europe/Berlin', night)).toBeUndefined();
});

test('what is remembered never changes the answer, wherever the clock jumps', () => {
  const quietUntil = createQuietUntil();
  const minute = fc.integer({ min: 0, max: 60 * 24 * 400 }).map((minutes) => at('2026-01-01T00:00:00Z') + minutes * 60_000);
  fc.assert(
    fc.property(minute, fc.constantFrom('Europe/Berlin', 'America/New_York', 'Asia/Kathmandu'), (now, zone) => {
      const until = quietUntil(NIGHT, 'notice', zone, now);
      expect(until).toBe(createQuietUntil()(NIGHT, 'notice', zone, now));
      if (until !== undefined) expect(createQuietUntil()(NIGHT, 'notice', zone, until)).toBeUndefined();
    }),
    { numRuns: 60 },
  );
});
