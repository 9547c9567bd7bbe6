import type { Instant } from '../../kernel/clock.js';
import { assert } from '../../kernel/errors.js';

const DURATION = /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/;

/**
 * The instant one ISO 8601 duration later, in UTC. A month later than 31 January is the last day of February.
 *
 * @param duration as the contract bounds it: whole numbers, at least one.
 */
export function addDuration(instant: Instant, duration: string): Instant {
  const parts = DURATION.exec(duration);
  assert(parts, 'a duration of a plan is ISO 8601');
  const [years = 0, months = 0, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = parts.slice(1).map((part) => Number(part ?? 0));
  const date = new Date(instant);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + years * 12 + months);
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, lastDay));
  return date.getTime() + (((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60_000 + seconds * 1_000;
}
