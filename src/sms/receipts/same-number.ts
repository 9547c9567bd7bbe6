import { comparable } from '../addresses.js';

/** National digits from which a number is told from another of its market well enough, beside an id. */
const NATIONAL_DIGITS = 8;

/** Whether two ways to write a number are of one: an SMSC may leave the country out, and write a trunk prefix or not. */
export function isSameNumber(one: string, other: string): boolean {
  const [a, b] = [comparable(one), comparable(other)];
  return a === b || isNationalOf(a, b) || isNationalOf(b, a);
}

function isNationalOf(whole: string, national: string): boolean {
  const digits = national.replace(/^0/, '');
  return digits.length >= NATIONAL_DIGITS && /^[0-9]+$/.test(digits) && whole.endsWith(digits);
}
