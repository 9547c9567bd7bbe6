import { expect, test } from 'vitest';
import { loadPartners, startOfDay } from '../../src/partners/index.js';
import { acme, aFolder, PARTNER } from './folder.js';

const at = (text: string) => Date.parse(text);

test('a policy begins at midnight in its market, not in UTC', async () => {
  const { policies } = await loadPartners(aFolder(acme(PARTNER)), {});
  expect(policies.at('DE', at('2021-09-01T21:59:59.999Z')).policy).toBe('allowed');
  expect(policies.at('DE', at('2021-09-01T22:00:00.000Z'))).toEqual({
    policy: 'application-agnostic-only',
    since: '2021-09-02',
    legalReference: 'CJEU C-854/19',
  });
});

test('a market without a policy, or a time before the first one, is not covered', async () => {
  const { policies } = await loadPartners(aFolder(acme(PARTNER)), {});
  expect(policies.codes()).toEqual(['XS', 'DE']);
  for (const [market, time] of [
    ['JM', '2026-01-01T00:00:00Z'],
    ['DE', '1999-01-01T00:00:00Z'],
    ['__proto__', '2026-01-01T00:00:00Z'],
  ] as const) {
    expect(() => policies.at(market, at(time))).toThrow(expect.objectContaining({ code: 'MARKET.NOT_COVERED' }));
  }
});

test.each([
  ['2026-01-31', 'Europe/Berlin', '2026-01-30T23:00:00.000Z'],
  ['2026-07-01', 'America/Jamaica', '2026-07-01T05:00:00.000Z'],
  ['2026-07-01', 'Pacific/Kiritimati', '2026-06-30T10:00:00.000Z'],
  ['2026-07-01', 'Pacific/Pago_Pago', '2026-07-01T11:00:00.000Z'],
  ['2026-07-01', 'Asia/Kathmandu', '2026-06-30T18:15:00.000Z'],
  // Midnight does not exist there on the day that summer time begins.
  ['2026-04-24', 'Africa/Cairo', '2026-04-23T22:00:00.000Z'],
])('%s begins in %s at %s', (day, zone, instant) => {
  expect(new Date(startOfDay(day, zone)).toISOString()).toBe(instant);
});
