import type { Sender } from '../../partners/index.js';
import { msisdnFromWire } from '../addresses.js';
import { type EsmeAccount, senderOf } from './account.js';
import { refuse } from './read-wish.js';
import type { Address } from './receipt.js';

/** Type of number and numbering plan have these many values that mean something (SMPP 3.4 §5.2.5, §5.2.6). */
const TON_MAX = 6;
const PLANS: ReadonlySet<number> = new Set([0, 1, 3, 4, 6, 8, 9, 10, 14, 18]);

/**
 * The sender that a source address names.
 *
 * @throws RefusedWith `ESME_RINVSRCADR` for one that is not in the inventory or that the account may not use; an account
 *   that leaves it out must have exactly one.
 */
export function readSource(account: EsmeAccount, { ton, npi, address }: Address): Sender {
  if (ton > TON_MAX) throw refuse('ESME_RINVSRCTON');
  if (!PLANS.has(npi)) throw refuse('ESME_RINVSRCNPI');
  const [only, ...others] = account.config.senders;
  const isOnly = only !== undefined && only !== '*' && others.length === 0;
  const sender = address === '' ? isOnly && senderOf(account, only) : senderOf(account, address);
  if (!sender) throw refuse('ESME_RINVSRCADR');
  return sender;
}

/** What a subscriber's number may be declared as; Kannel and others say "national" of an international number. */
const DESTINATION_TYPES: ReadonlySet<number> = new Set([0, 1, 2]);
const DESTINATION_PLANS: ReadonlySet<number> = new Set([0, 1]);

/**
 * The number that a destination address names: E.164 with or without `+` or `00`.
 *
 * @returns E.164 with `+`.
 * @throws RefusedWith `ESME_RINVDSTADR`, `ESME_RINVDSTTON` or `ESME_RINVDSTNPI`.
 */
export function readDestination({ ton, npi, address }: Address): string {
  if (!DESTINATION_TYPES.has(ton)) throw refuse('ESME_RINVDSTTON');
  if (!DESTINATION_PLANS.has(npi)) throw refuse('ESME_RINVDSTNPI');
  const msisdn = /^\+?[0-9]+$/.test(address) ? msisdnFromWire(address) : undefined;
  if (msisdn === undefined) throw refuse('ESME_RINVDSTADR');
  return msisdn;
}
