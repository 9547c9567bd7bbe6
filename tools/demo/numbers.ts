import { randomInt } from 'node:crypto';

/** `count` random digits. */
const digits = (count: number): string => Array.from({ length: count }, () => randomInt(10)).join('');

/** A number of E-Plus's sandbox range that nobody has: the digit after the prefix is not 9, where the magic numbers are. */
export const freshMsisdn = (): string => `+99957${randomInt(9)}${digits(7)}`;

/** A card of E-Plus's sandbox range, with its Luhn digit (ISO/IEC 7812-1 annex B). */
export function freshIccid(): string {
  const body = `8999957${randomInt(9)}${digits(10)}`;
  let sum = 0;
  for (let i = body.length - 1, double = true; i >= 0; i--, double = !double) {
    const value = Number(body[i]) * (double ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return `${body}${(10 - (sum % 10)) % 10}`;
}

/** The IMSI of a test line of network 001-01. */
export const freshImsi = (): string => `00101${digits(10)}`;
