import type { Instant } from '../../kernel/clock.js';
import { startOfDay } from '../../partners/index.js';
import type { ZeroRatedPartner } from '../ports.js';

const DAY_MS = 86_400_000;

/**
 * From when a partner should use a list that is published now: after its lead time, and not on a day on which it changes
 * nothing, in any of its markets' time zones.
 */
export function effectiveAt({ markets, zeroRating: { delivery } }: ZeroRatedPartner, publishedAt: Instant): Instant {
  const frozen = delivery.freeze
    .flatMap(({ from, to }) =>
      markets.map(({ timeZone }) => ({ from: startOfDay(from, timeZone), until: startOfDay(dayAfter(to), timeZone) })),
    )
    .sort((a, b) => a.from - b.from);
  let at = publishedAt + delivery.leadTimeDays * DAY_MS;
  // In order of their beginning: a later freeze may begin where an earlier one ends.
  for (const { from, until } of frozen) if (from <= at && at < until) at = until;
  return at;
}

const dayAfter = (day: string): string => new Date(Date.parse(`${day}T00:00:00Z`) + DAY_MS).toISOString().slice(0, 10);
