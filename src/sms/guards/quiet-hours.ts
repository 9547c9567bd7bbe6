import type { Instant } from '../../kernel/clock.js';
import type { SmsClass } from '../message.js';
import type { QuietHours } from '../policy/policy.js';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
/** Zones and hours that are remembered; more is a mistake of somebody's. */
const REMEMBERED_MAX = 1_000;

/**
 * When a message of a class may go, by the quiet hours of its recipient's zone: undefined for now.
 *
 * @param now domain time of the partner. @param timeZone IANA name, of the recipient's market.
 */
export type QuietUntil = (quiet: QuietHours | null, kind: SmsClass, timeZone: string, now: Instant) => Instant | undefined;

interface Stretch {
  from: Instant;
  /** When quiet begins or ends; the first instant that is not of it. */
  until: Instant;
  isQuiet: boolean;
}

/** Remembers until when it is quiet or not in each zone, so that most messages cost a comparison. */
export function createQuietUntil(): QuietUntil {
  const stretches = new Map<string, Stretch>();
  const formats = new Map<string, Intl.DateTimeFormat>();

  function localTime(at: Instant, timeZone: string): string {
    let format = formats.get(timeZone);
    if (!format) {
      format = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
      formats.set(timeZone, format);
    }
    return format.format(at);
  }

  function stretchAt(now: Instant, { from, to }: QuietHours, timeZone: string): Stretch {
    const isQuietAt = (at: Instant) => {
      const local = localTime(at, timeZone);
      return from < to ? local >= from && local < to : local >= from || local < to;
    };
    const isQuiet = isQuietAt(now);
    // Minute by minute, since a change of clocks may lie in between; no zone is off by parts of a minute.
    let until = Math.floor(now / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
    for (let minutes = 0; minutes < 2 * DAY_MINUTES && isQuietAt(until) === isQuiet; minutes++) until += MINUTE_MS;
    return { from: now, until, isQuiet };
  }

  return (quiet, kind, timeZone, now) => {
    if (!quiet?.classes.includes(kind)) return undefined;
    const key = `${timeZone} ${quiet.from} ${quiet.to}`;
    let stretch = stretches.get(key);
    if (!stretch || now < stretch.from || now >= stretch.until) {
      stretch = stretchAt(now, quiet, timeZone);
      if (stretches.size >= REMEMBERED_MAX) stretches.clear();
      stretches.set(key, stretch);
    }
    return stretch.isQuiet ? stretch.until : undefined;
  };
}
