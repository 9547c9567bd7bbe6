import type { Partner } from '../../partners/index.js';
import { answeredIds, type ReceiptId } from '../../smpp/index.js';
import type { SmsContext } from '../context.js';
import { linkKey, type OperatorLink } from '../links/open-links.js';
import { FINAL_STATES, type SmsState } from '../message.js';
import { type CandidatePart, type ChosenPart, choosePart } from './choose-part.js';
import type { IdForms } from './id-forms.js';
import { openMessagesTo } from './open-messages.js';
import { isSameNumber } from './same-number.js';
import type { StoredReceipt } from './stored-receipt.js';

/** What a receipt can be found by, in every form. */
export const receiptKeys = (messageIds: readonly ReceiptId[]): string[] => [
  ...new Set(messageIds.flatMap(({ id }) => answeredIds(id).map(({ key }) => key))),
];

/** A part that has one of these receipts has ended; any other may still get its own. */
const ENDS = ['delivered', 'undeliverable', 'deleted', 'skipped', 'rejected', 'expired'].map((state) => `'${state}'`).join(', ');
/** Enough for every time that an SMSC gave an id again. */
const CANDIDATES_MAX = 100;

/** What it takes of a link to match its receipts; its binds do not matter. */
export type ReceiptLink = Pick<OperatorLink, 'key' | 'config' | 'partner'>;

export type FindPart = (link: ReceiptLink, receipt: StoredReceipt) => Promise<ChosenPart | 'ambiguous' | undefined>;

export const linksOf = (partner: Partner): ReceiptLink[] =>
  partner.smpp.links.map((config) => ({ key: linkKey(partner.id, config.id), config, partner }));

/** Finds the part that a receipt is of. */
export function createPartFinder({ store }: Pick<SmsContext, 'store'>, forms: IdForms): FindPart {
  async function candidates(key: string, receipt: StoredReceipt): Promise<CandidatePart[]> {
    const keys = receiptKeys(receipt.messageIds);
    if (keys.length === 0) return [];
    const places = keys.map((_, index) => `$${index + 2}`).join(', ');
    const rows = await store.read<{
      sms_id: string;
      number: number;
      smsc_message_id: string;
      at: number;
      recipient: string;
      state: string;
      ended: number;
    }>(
      `SELECT p.sms_id, p.number, p.smsc_message_id, p.at, m.recipient, m.state,
         CASE WHEN EXISTS (SELECT 1 FROM sms_receipt r WHERE r.sms_id = p.sms_id AND r.number = p.number AND r.state IN (${ENDS}))
           THEN 1 ELSE 0 END AS ended
       FROM sms_part p JOIN sms_message m ON m.id = p.sms_id
       WHERE p.link_id = $1 AND p.smsc_key IN (${places}) ORDER BY p.at DESC LIMIT ${CANDIDATES_MAX}`,
      [key, ...keys],
    );
    return rows
      .filter((row) => isOf(row, receipt))
      .map((row) => ({
        smsId: row.sms_id,
        number: Number(row.number),
        smscMessageId: row.smsc_message_id,
        isOpen: Number(row.ended) === 0 && !FINAL_STATES.includes(row.state as SmsState),
        at: Number(row.at),
      }));
  }

  /** Links of one partner mostly lead to one SMSC, which may send a receipt over any of them. */
  const siblings = ({ key, partner }: ReceiptLink): ReceiptLink[] => linksOf(partner).filter((link) => link.key !== key);

  /** Whether the answer that would name the receipt's part may still come. */
  async function isUnderWay(link: ReceiptLink, receipt: StoredReceipt): Promise<boolean> {
    const open = await Promise.all([receipt.recipient, receipt.sender].map((address) => openMessagesTo(store, link, address)));
    return open.flat().length > 0;
  }

  const choose: FindPart = async (link, receipt) => {
    const parts = await candidates(link.key, receipt);
    return parts.length === 0 ? undefined : choosePart(receipt.messageIds, parts, await forms.of(link));
  };

  return async function find(link, receipt) {
    const own = await choose(link, receipt);
    const others = own === undefined ? siblings(link) : [];
    if (others.length === 0 || (await isUnderWay(link, receipt))) return own;
    const found = (await Promise.all(others.map((other) => choose(other, receipt)))).filter((each) => each !== undefined);
    if (found.length > 1) return 'ambiguous';
    const [only] = found;
    // Two SMSCs may give the same id: one that was answered already is not what this one is of.
    return only === 'ambiguous' || only?.part.isOpen ? only && withoutEvidence(only) : undefined;
  };
}

/** What a sibling's receipts say of the form is not certain. */
const withoutEvidence = (found: ChosenPart | 'ambiguous'): ChosenPart | 'ambiguous' =>
  found === 'ambiguous' ? found : { part: found.part, evidence: undefined };

/** Whether the receipt is to this part's recipient. An SMSC that names nobody is believed on the very same id only. */
function isOf(part: { recipient: string; smsc_message_id: string }, { recipient, sender, messageIds }: StoredReceipt): boolean {
  if (recipient.trim() === '') return messageIds.some(({ id }) => id === part.smsc_message_id.trim());
  return isSameNumber(part.recipient, recipient) || isSameNumber(part.recipient, sender);
}
