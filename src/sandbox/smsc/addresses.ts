/** SMPP 3.4 §5.2.5 and §5.2.6. */
const TON = { international: 1, alphanumeric: 5 } as const;
const NPI = { unknown: 0, isdn: 1 } as const;

export interface WireAddress {
  ton: number;
  npi: number;
  address: string;
}

/**
 * An address as people write it: `+` and digits for a number, anything else as it came (an alphanumeric sender, a short code).
 * Undefined for what is not 1 to 20 printable characters.
 */
export function readAddress(ton: unknown, address: unknown): string | undefined {
  if (typeof address !== 'string' || !/^[\x20-\x7E]{1,20}$/.test(address)) return undefined;
  if (ton === TON.alphanumeric) return address;
  const digits = address.replace(/^\+/, '');
  return /^[0-9]{7,15}$/.test(digits) ? `+${digits}` : address;
}

export function writeAddress(address: string): WireAddress {
  if (/^\+[0-9]+$/.test(address)) return { ton: TON.international, npi: NPI.isdn, address: address.slice(1) };
  if (/^[0-9]+$/.test(address)) return { ton: 0, npi: NPI.unknown, address };
  return { ton: TON.alphanumeric, npi: NPI.unknown, address };
}
