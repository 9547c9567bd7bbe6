import type { MessageStore } from '../../store/index.js';
import { comparable } from '../addresses.js';
import type { ReceiptLink } from './find-part.js';
import { isSameNumber } from './same-number.js';

/** A type, not an interface, so that it is a row of the store. */
export type OpenMessage = {
  id: string;
  state: string;
  recipient: string;
  sender: string;
  pdu_count: number | null;
  queued_at: number;
  resends: number;
};

/** Digits of a national number that are looked up; the rest of it is compared. */
const SUFFIX_DIGITS = 8;

/**
 * Messages of the link to this number that are being submitted, or whose outcome is unknown.
 *
 * @param address as the SMSC writes it. Only a national form is looked up without an index, on links that write numbers so.
 */
export async function openMessagesTo(store: MessageStore, { config, partner }: ReceiptLink, address: string): Promise<OpenMessage[]> {
  const digits = comparable(address);
  if (!/^[0-9]+$/.test(digits)) return [];
  const isNational = config.destination.format === 'national' || digits.startsWith('0');
  const rows = await store.read<OpenMessage>(
    `SELECT id, state, recipient, sender, pdu_count, queued_at, resends FROM sms_message
     WHERE link_id = $1 AND partner_id = $2 AND state IN ('submitting', 'unknown') AND recipient ${isNational ? 'LIKE' : '='} $3`,
    [config.id, partner.id, isNational ? `%${digits.slice(-SUFFIX_DIGITS)}` : `+${digits}`],
  );
  return rows.filter(({ recipient }) => isSameNumber(recipient, digits));
}
