import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList, isIPv6 } from 'node:net';
import type { BindPdu } from './pdu.js';
import type { BindType } from './session-options.js';
import { STATUS } from './statuses.js';

/** Who may bind, from where and how often. */
export interface BindRights {
  /** At most 15 and 8 characters (SMPP 3.4 §4.1.1). */
  readonly systemId: string;
  readonly password: string;
  readonly bindTypes: readonly BindType[];
  /** Binds at the same time. */
  readonly bindsMax: number;
  /** Addresses (`192.0.2.7`) and networks (`192.0.2.0/24`, IPv6 too). Empty: none may. */
  readonly allowedAddresses: readonly string[];
}

/**
 * Why a bind is refused, or undefined. An unknown system_id, a wrong password and a foreign address answer alike and in
 * the same time, so that nobody learns which accounts exist. `held` counts the account's binds.
 */
export function bindRefusal(pdu: BindPdu, rights: BindRights | undefined, remoteAddress: string, held: number): number | undefined {
  const isPasswordRight = isSame(pdu.password, rights?.password ?? '');
  if (!rights || rights.password === '' || !isPasswordRight || !isAllowed(rights.allowedAddresses, remoteAddress)) {
    return STATUS.ESME_RINVPASWD;
  }
  if (!rights.bindTypes.includes(pdu.command.slice('bind_'.length) as BindType)) return STATUS.ESME_RBINDFAIL;
  return held >= rights.bindsMax ? STATUS.ESME_RALYBND : undefined;
}

/** `::ffff:192.0.2.7`, as a dual-stack socket reports an IPv4 peer, is 192.0.2.7. */
export const plainAddress = (address: string): string => (address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address);

/** Compares digests, so that neither the length nor the first wrong character shows in the time. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text, 'latin1').digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function isAllowed(allowed: readonly string[], remoteAddress: string): boolean {
  const list = new BlockList();
  for (const entry of allowed) {
    const [network = '', prefix] = entry.split('/');
    const family = isIPv6(network) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(network, family);
    else list.addSubnet(network, Number(prefix), family);
  }
  return list.check(remoteAddress, isIPv6(remoteAddress) ? 'ipv6' : 'ipv4');
}
