import { invalidField } from './errors.js';

/** A subscriber identity (3GPP TS 23.003 §2.2): MCC 3, MNC 2 or 3, MSIN; 14 or 15 digits in all. */
export type Imsi = string & { readonly __imsi: true };

/** @throws GatewayError `INVALID_ARGUMENT` naming `pointer`; the message never repeats the number. */
export function parseImsi(text: string, pointer: string): Imsi {
  if (!/^[0-9]{14,15}$/.test(text)) throw invalidField(pointer, 'must be 14 or 15 digits (3GPP TS 23.003 §2.2)');
  return text as Imsi;
}
