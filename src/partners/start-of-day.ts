import type { Instant } from '../kernel/clock.js';

const HOUR_MS = 3_600_000;

/**
 * When a calendar day begins in a time zone; where midnight is skipped by a change of clocks, the first instant after it.
 *
 * @param day `YYYY-MM-DD`. @param timeZone IANA name.
 */
export function startOfDay(day: string, timeZone: string): Instant {
  const format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
  // No zone is further from UTC than 14 hours, and offsets are whole quarters of an hour; the local day only grows.
  const utcMidnight = Date.parse(`${day}T00:00:00.000Z`);
  let quarter = (utcMidnight - 14 * HOUR_MS) / (HOUR_MS / 4);
  while (format.format((quarter * HOUR_MS) / 4) < day) quarter += 1;
  return (quarter * HOUR_MS) / 4;
}
