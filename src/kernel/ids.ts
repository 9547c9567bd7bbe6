import { randomFillSync } from 'node:crypto';
import type { Instant } from './clock.js';

/** One prefix per kind of resource, so that a wrong id in a log line or a request is seen at a glance. */
export const ID_PREFIXES = [
  'pln', 'sim', 'sbt', 'esp', 'ord', 'tsk', 'sub', 'chg', 'top', 'job', 'op', 'tl', 'tlv', 'ent', 'vr', 'ub', 'rec', 'st',
  'dsp', 'evt', 'whe', 'whd', 'sms', 'seg', 'fb', 'lev', 'aud', 'acc', 'dev', 'msg', 'ver', 'req', 'mo', 'tok', 'usr', 'opt',
] as const; // biome-ignore format: one glance, one list

export type IdPrefix = (typeof ID_PREFIXES)[number];
export type Id<P extends IdPrefix = IdPrefix> = `${P}_${string}`;

const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz';

const DIGITS = 16;
/** Drawn for many ids at a time: a draw takes longer than the rest of an id. */
const pool = Buffer.alloc(256 * DIGITS);
let drawn = pool.length;
let lastTime: Instant | undefined;
let timeText = '';
const digits = new Uint8Array(DIGITS);

function draw(): void {
  if (drawn === pool.length) {
    randomFillSync(pool);
    drawn = 0;
  }
  for (let i = 0; i < DIGITS; i++) digits[i] = (pool[drawn++] ?? 0) & 31;
}

/** The next number after the last one; a new draw past the end. */
function count(): void {
  for (let i = DIGITS - 1; i >= 0; i--) {
    digits[i] = ((digits[i] ?? 0) + 1) & 31;
    if (digits[i] !== 0) return;
  }
  draw();
}

function timeOf(now: Instant): string {
  let time = '';
  for (let rest = now, i = 0; i < 10; i++) {
    time = CROCKFORD[rest % 32] + time;
    rest = Math.floor(rest / 32);
  }
  return time;
}

/**
 * A new id: prefix, then 26 characters of Crockford base 32 (48 bits of milliseconds, 80 random bits), lower case.
 * Ids of one kind sort by creation time to the millisecond. Those that this process makes for one millisecond, one after the
 * other, sort in that order.
 */
export function newId<P extends IdPrefix>(prefix: P, now: Instant): Id<P> {
  if (now === lastTime) count();
  else {
    lastTime = now;
    timeText = timeOf(now);
    draw();
  }
  let random = '';
  for (let i = 0; i < DIGITS; i++) random += CROCKFORD[digits[i] ?? 0];
  return `${prefix}_${timeText}${random}`;
}

/** The same check as the contract's `^<prefix>_[0-9a-hjkmnp-tv-z]{26}$`. */
export function isId<P extends IdPrefix>(prefix: P, text: string): text is Id<P> {
  return text.startsWith(`${prefix}_`) && /^[0-9a-hjkmnp-tv-z]{26}$/.test(text.slice(prefix.length + 1));
}
