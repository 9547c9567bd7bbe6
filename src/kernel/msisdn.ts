import { invalidField } from './errors.js';

/** A subscriber's number: E.164 with `+`, 5 to 15 digits. Only `parseMsisdn` makes one. */
export type Msisdn = string & { readonly __msisdn: true };

/** CAMARA PhoneNumber. */
const E164 = /^\+[1-9][0-9]{4,14}$/;

/**
 * E.164 syntax only. Whether a number exists is the operator's to say: test ranges such as +999 are valid here, which
 * numbering-plan libraries deny (traps.md).
 *
 * @throws GatewayError `INVALID_ARGUMENT` naming `pointer`; the message never repeats the number.
 */
export function parseMsisdn(text: string, pointer: string): Msisdn {
  if (!E164.test(text)) throw invalidField(pointer, 'must be E.164: "+", then 5 to 15 digits that do not begin with 0');
  return text as Msisdn;
}

/** `+999•••••4567` becomes what a person may see: the first three digits, then dots, then the last two. */
export function maskMsisdn(msisdn: string): string {
  const digits = msisdn.replace(/^\+/, '');
  return digits.length < 7 ? '•'.repeat(digits.length) : `+${digits.slice(0, 3)}${'•'.repeat(digits.length - 5)}${digits.slice(-2)}`;
}
