import { invalidField } from './errors.js';

/** A SIM's serial (ITU-T E.118): 18 to 20 digits as given, `89` first, the last one a Luhn digit when there are 19 or 20. */
export type Iccid = string & { readonly __iccid: true };

/** The digit that makes `digits` pass the Luhn check when appended (ISO/IEC 7812-1 annex B). */
export function luhnDigit(digits: string): string {
  let sum = 0;
  for (let i = digits.length - 1, double = true; i >= 0; i--, double = !double) {
    const value = Number(digits[i]) * (double ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return String((10 - (sum % 10)) % 10);
}

/**
 * Takes a trailing pad nibble `F` off, then checks length, the `89` of telecom cards and, from 19 digits on, Luhn.
 *
 * @throws GatewayError `INVALID_ARGUMENT` naming `pointer`; the message never repeats the number.
 */
export function parseIccid(text: string, pointer: string): Iccid {
  const digits = text.replace(/[Ff]$/, '');
  if (!/^89[0-9]{16,18}$/.test(digits)) throw invalidField(pointer, 'must be 18 to 20 digits that begin with 89 (ITU-T E.118)');
  if (digits.length > 18 && luhnDigit(digits.slice(0, -1)) !== digits.at(-1)) {
    throw invalidField(pointer, 'the last digit is not the Luhn digit of the others');
  }
  return digits as Iccid;
}
