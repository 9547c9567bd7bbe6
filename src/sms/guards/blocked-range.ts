import { parsePhoneNumberFromString } from 'libphonenumber-js/max';

/**
 * Ranges of no country, where a message costs many times what it costs anywhere else and nobody is ever seen to answer:
 * Inmarsat, universal personal numbers, satellite and international networks, international premium rate (ITU-T E.164, list
 * of assigned country codes).
 */
const NOBODYS = ['+870', '+878', '+881', '+882', '+883', '+888', '+979'];

/**
 * Why nothing is sent to a number whatever it says: `premium-range`, or `blocked-range` for those that the partner named.
 *
 * @param isOwn the number is of the partner's own ranges, whose numbers are subscribers, and which no numbering plan need know.
 */
export function blockedRange(
  msisdn: string,
  blockedPrefixes: readonly string[],
  isOwn: boolean,
): 'premium-range' | 'blocked-range' | undefined {
  if (blockedPrefixes.some((prefix) => msisdn.startsWith(prefix))) return 'blocked-range';
  if (isOwn) return undefined;
  if (NOBODYS.some((prefix) => msisdn.startsWith(prefix))) return 'premium-range';
  // The library knows no test range, and calls +999 no number: it is asked for premium rate only.
  return parsePhoneNumberFromString(msisdn)?.getType() === 'PREMIUM_RATE' ? 'premium-range' : undefined;
}
