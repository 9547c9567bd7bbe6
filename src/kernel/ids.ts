import { randomBytes } from 'node:crypto';
import type { Instant } from './clock.js';

/** One prefix per kind of resource, so that a wrong id in a log line or a request is seen at a glance. */
export const ID_PREFIXES = [
  'pln', 'sim', 'sbt', 'esp', 'ord', 'tsk', 'sub', 'chg', 'top', 'job', 'op', 'tl', 'tlv', 'ent', 'vr', 'ub', 'rec', 'st',
  'dsp', 'evt', 'whe', 'whd', 'sms', 'seg', 'fb', 'lev', 'aud', 'acc', 'dev', 'msg', 'ver', 'req', 'mo', 'tok', 'usr', 'opt',
] as const; // biome-ignore format: one glance, one list

export type IdPrefix = (typeof ID_PREFIXES)[number];
export type Id<P extends IdPrefix = IdPrefix> = `${P}_${string}`;

const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz';

/**
 * A new id: prefix, then 26 characters of Crockford base 32 (48 bits of milliseconds, 80 random bits), lower case.
 * Ids of one kind sort by creation time to the millisecond; within one millisecond they have no order.
 */
export function newId<P extends IdPrefix>(prefix: P, now: Instant): Id<P> {
  let time = '';
  for (let rest = now, i = 0; i < 10; i++) {
    time = CROCKFORD[rest % 32] + time;
    rest = Math.floor(rest / 32);
  }
  let random = '';
  for (const byte of randomBytes(16)) random += CROCKFORD[byte & 31];
  return `${prefix}_${time}${random}`;
}

/** The same check as the contract's `^<prefix>_[0-9a-hjkmnp-tv-z]{26}$`. */
export function isId<P extends IdPrefix>(prefix: P, text: string): text is Id<P> {
  return text.startsWith(`${prefix}_`) && /^[0-9a-hjkmnp-tv-z]{26}$/.test(text.slice(prefix.length + 1));
}
