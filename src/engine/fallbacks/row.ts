import type { Row } from '../../store/index.js';
import type { ClaimedFallback, Fallback, SealedText } from './types.js';

export type { Fallback } from './types.js';

const text = (row: Row, column: string): string => String(row[column]);
const optionalText = (row: Row, column: string): string | undefined => (row[column] === null ? undefined : String(row[column]));
const integer = (row: Row, column: string): number => Number(row[column]);
const optionalInteger = (row: Row, column: string): number | undefined => (row[column] === null ? undefined : Number(row[column]));

/** A whole row of `engine_sms_fallback`. */
export function fallbackOf(row: Row): Fallback {
  const sealed = optionalText(row, 'sealed');
  const amountMinor = optionalInteger(row, 'price_minor');
  return {
    id: text(row, 'id'),
    state: text(row, 'state') as Fallback['state'],
    reason: optionalText(row, 'reason'),
    messageId: text(row, 'message_id'),
    clientMsgId: text(row, 'client_msg_id'),
    mode: text(row, 'mode') as Fallback['mode'],
    class: text(row, 'class') as Fallback['class'],
    ref: text(row, 'ref'),
    partnerId: text(row, 'partner_id'),
    market: text(row, 'market'),
    subscriptionId: optionalText(row, 'subscription_id'),
    msisdn: text(row, 'msisdn'),
    lineEpoch: integer(row, 'line_epoch'),
    correlator: optionalText(row, 'correlator'),
    senderAccountId: text(row, 'sender_account_id'),
    senderDeviceId: text(row, 'sender_device_id'),
    senderName: optionalText(row, 'sender_name'),
    language: optionalText(row, 'language'),
    sealed: sealed === undefined ? undefined : (JSON.parse(sealed) as SealedText),
    smsId: optionalText(row, 'sms_id'),
    segments: optionalInteger(row, 'segments'),
    price: amountMinor === undefined ? undefined : { amountMinor, currency: text(row, 'price_currency') },
    armedAt: integer(row, 'armed_at'),
    dueAt: integer(row, 'due_at'),
    expiresAt: integer(row, 'expires_at'),
    claimedAt: optionalInteger(row, 'claimed_at'),
    submittedAt: optionalInteger(row, 'submitted_at'),
    settledAt: optionalInteger(row, 'settled_at'),
    updatedAt: integer(row, 'updated_at'),
  };
}

export function isClaimed(fallback: Fallback): fallback is ClaimedFallback {
  return fallback.state === 'claimed' && fallback.smsId !== undefined && fallback.claimedAt !== undefined;
}
