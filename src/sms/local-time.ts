import type { Instant } from '../kernel/clock.js';
import { startOfDay } from '../partners/index.js';

const DAY_MS = 86_400_000;

/** A calendar day in a time zone. */
export interface LocalDay {
  /** `YYYY-MM-DD`. */
  day: string;
  from: Instant;
  /** When the next one begins. */
  until: Instant;
}

/** The calendar day of an instant in a time zone (IANA name). */
export type LocalDayOf = (at: Instant, timeZone: string) => LocalDay;

/** Remembers the last day of each zone: days are asked for far more often than they end. */
export function createLocalDays(): LocalDayOf {
  const days = new Map<string, LocalDay>();
  const formats = new Map<string, Intl.DateTimeFormat>();

  return (at, timeZone) => {
    const known = days.get(timeZone);
    if (known && at >= known.from && at < known.until) return known;
    let format = formats.get(timeZone);
    if (!format) {
      format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
      formats.set(timeZone, format);
    }
    const day = format.format(at);
    const found = { day, from: startOfDay(day, timeZone), until: startOfDay(nextDay(day), timeZone) };
    days.set(timeZone, found);
    return found;
  };
}

/** @param day `YYYY-MM-DD`. */
export const nextDay = (day: string): string => new Date(Date.parse(day) + DAY_MS).toISOString().slice(0, 10);
