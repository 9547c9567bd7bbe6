import type { Instant } from '../../kernel/clock.js';

/** `YYMMDDhhmmss`, tenths, quarter hours from UTC, and `+`, `-` or `R` (SMPP 3.4 §7.1.1). */
const FORM = /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d)(\d{2})([+\-R])$/;
const QUARTER_MS = 900_000;
/** Hours of the farthest zone from UTC, in quarters (§7.1.1.1). */
const QUARTERS_MAX = 48;

/**
 * The instant that a schedule_delivery_time or validity_period names: absolute (§7.1.1.1), or relative to `now`
 * (§7.1.1.2). Years and months of a relative time are the calendar's, in UTC.
 *
 * @returns undefined for a text that is no time: another length, a 13th month, a 31st of April.
 */
export function readSmppTime(text: string, now: Instant): Instant | undefined {
  const [, ...found] = FORM.exec(text) ?? [];
  const sign = found.pop();
  if (sign === undefined) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, tenth = 0, quarters = 0] = found.map(Number);
  if (sign === 'R') {
    // Tenths and quarters are 0 in a relative time.
    if (tenth !== 0 || quarters !== 0) return undefined;
    const at = new Date(now);
    at.setUTCFullYear(at.getUTCFullYear() + year, at.getUTCMonth() + month, at.getUTCDate() + day);
    return at.getTime() + ((hour * 60 + minute) * 60 + second) * 1_000;
  }
  if (hour > 23 || minute > 59 || second > 59 || quarters > QUARTERS_MAX) return undefined;
  const local = new Date(Date.UTC(2000 + year, month - 1, day, hour, minute, second, tenth * 100));
  if (local.getUTCMonth() !== month - 1 || local.getUTCDate() !== day) return undefined;
  return local.getTime() + (sign === '+' ? -1 : 1) * quarters * QUARTER_MS;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** `YYMMDDhhmm` in UTC, as Appendix B writes the dates of a receipt. */
export function receiptDate(at: Instant): string {
  const date = new Date(at);
  return (
    two(date.getUTCFullYear() % 100) +
    two(date.getUTCMonth() + 1) +
    two(date.getUTCDate()) +
    two(date.getUTCHours()) +
    two(date.getUTCMinutes())
  );
}

/** An absolute time in UTC, as query_sm_resp writes final_date (§4.8.2). */
export const absoluteTime = (at: Instant): string => `${receiptDate(at)}${two(new Date(at).getUTCSeconds())}000+`;
