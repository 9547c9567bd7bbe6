import type { Sender, SmppLink } from '../partners/index.js';

/** An address as SMPP carries it (SMPP 3.4 §5.2.5 to §5.2.9). */
export interface WireAddress {
  ton: number;
  npi: number;
  address: string;
}

/** Country codes of two digits (ITU-T E.164 list of assigned codes); 1 and 7 have one digit, all others three. */
const TWO_DIGIT_CODES = /^(2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])/;

/** The number within its country, with the trunk prefix 0 where the country's plan has one. North America and others have none. */
function nationalForm(digits: string): string {
  if (/^[17]/.test(digits)) return digits.slice(1);
  return `0${digits.slice(TWO_DIGIT_CODES.test(digits) ? 2 : 3)}`;
}

/** @param msisdn E.164 with `+`. */
export function wireDestination(msisdn: string, { ton, npi, format }: SmppLink['destination']): WireAddress {
  const digits = msisdn.slice(1);
  const address = { international: digits, plus: msisdn, national: nationalForm(digits) }[format];
  return { ton, npi, address };
}

/** Type of number 3 is "network specific", which is what short codes are (§5.2.5). */
export function wireSource(
  { address, type }: Pick<Sender, 'address' | 'type'>,
  link: Pick<SmppLink, 'source' | 'destination'>,
): WireAddress {
  if (type === 'alphanumeric') return { ...link.source, address };
  if (type === 'shortcode') return { ton: 3, npi: 0, address };
  const { ton, npi, format } = link.destination;
  return { ton, npi, address: format === 'plus' ? address : address.slice(1) };
}

/** One form for an address whichever way an SMSC writes it: digits alone, or letters in lower case. */
export function comparable(address: string): string {
  const plain = address.trim().toLowerCase();
  return /^\+?[0-9]+$/.test(plain) ? plain.replace(/^\+?(?:00)?/, '') : plain;
}

/** `+` and digits for an international number; undefined for what cannot be one. */
export function msisdnFromWire(address: string): string | undefined {
  const digits = comparable(address);
  return /^[1-9][0-9]{4,14}$/.test(digits) ? `+${digits}` : undefined;
}
