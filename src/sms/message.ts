import type { Instant } from '../kernel/clock.js';
import type { Money } from '../kernel/money.js';
import type { Row } from '../store/index.js';

/**
 * Where an SMS stands. `unknown`: it may have arrived, and it is not sent again. `deliveredInApp`: a device of the app took
 * it first, and no SMS was sent.
 */
export type SmsState =
  | 'queued'
  | 'submitting'
  | 'submitted'
  | 'delivered'
  | 'undelivered'
  | 'expired'
  | 'rejected'
  | 'cancelled'
  | 'deliveredInApp'
  | 'unknown';

export const FINAL_STATES: readonly SmsState[] = ['delivered', 'undelivered', 'expired', 'rejected', 'cancelled', 'deliveredInApp'];

/** A fallback that is a notice goes last, whatever the class of its message. */
export type SmsClass = 'otp' | 'urgent' | 'chat' | 'notice';

/** A code that somebody waits for goes first, and a notice last. */
export const PRIORITIES: Readonly<Record<SmsClass, number>> = { otp: 0, urgent: 1, chat: 2, notice: 3 };

/**
 * Why a message may not go before an instant. What waits for the app or the end of quiet hours is let go by a sweep, when it
 * is so in the partner's domain time; the instant is then the end of its life.
 */
export type WaitsFor = 'in-app' | 'quiet-hours' | 'budget' | 'next-try';

/** One SMS to a handset, as it lies in messages.db; the migration says which instants are domain time. */
export interface SmsMessage {
  id: string;
  partnerId: string;
  market: string;
  linkId: string;
  fallbackId: string | undefined;
  /** Of its fallback; `text`: a partner's own. */
  mode: 'notice' | 'sealed' | 'text';
  class: SmsClass;
  priority: number;
  /** The API client that asked for it, and the partner's own name for it. */
  clientId: string | undefined;
  externalId: string | undefined;
  subscriptionId: string | undefined;
  recipient: string;
  sender: string;
  /** Whether an answer to it comes back into the chat. */
  takesReply: boolean;
  correlator: string;
  /** A partner's text, wrapped, until the SMSC has it. */
  wrapped: string | undefined;
  state: SmsState;
  reason: string | undefined;
  encoding: string | undefined;
  /** As the operator charges them. */
  segmentCount: number | undefined;
  /** The parts that are submitted one by one; fewer than segments where one PDU carries the whole text. */
  pduCount: number | undefined;
  /** Of the concatenation; 16 bits. */
  reference: number;
  attempts: number;
  /** The node whose attempt was the last to begin; undefined where there is only one. */
  submittingBy: string | undefined;
  /** How often it was sent again after an unknown outcome. */
  resends: number;
  price: Money | undefined;
  createdAt: Instant;
  submittedAt: Instant | undefined;
  finalAt: Instant | undefined;
  updatedAt: Instant;
  queuedAt: Instant;
  expiresAt: Instant;
  notBefore: Instant;
  /** Why `notBefore` lies ahead. */
  waitsFor: WaitsFor | undefined;
  /** The recipient's network, MCC and MNC together, as far as it was known. */
  mccMnc: string | undefined;
  /** Of the recipient's line when it was taken; undefined for a fallback, which has its own. */
  lineEpoch: number | undefined;
  receiptDueAt: Instant | undefined;
  isUntold: boolean;
  version: number;
}

/** What the SMSC answered to one part, in the attempt it was written in. */
export interface SmsPart {
  number: number;
  attempt: number;
  /** `never-sent`: no octet of it left us. */
  outcome: 'accepted' | 'refused' | 'never-sent' | 'unknown';
  bindId: string;
  smscMessageId: string | undefined;
  /** By name, such as `ESME_ROK`. */
  commandStatus: string | undefined;
  at: Instant;
}

export interface SmsReceipt {
  id: string;
  number: number;
  /** message_state in our words. */
  state: string;
  errorCode: string | undefined;
  receivedAt: Instant;
}

const text = (value: Row[string] | undefined): string | undefined => (value === null || value === undefined ? undefined : String(value));
const number = (value: Row[string] | undefined): number | undefined => (value === null || value === undefined ? undefined : Number(value));

export function messageOf(row: Row): SmsMessage {
  const priceMinor = number(row['price_minor']);
  return {
    id: String(row['id']),
    partnerId: String(row['partner_id']),
    market: String(row['market']),
    linkId: String(row['link_id']),
    fallbackId: text(row['fallback_id']),
    mode: String(row['mode']) as SmsMessage['mode'],
    class: String(row['class']) as SmsClass,
    priority: Number(row['priority']),
    clientId: text(row['client_id']),
    externalId: text(row['external_id']),
    subscriptionId: text(row['subscription_id']),
    recipient: String(row['recipient']),
    sender: String(row['sender']),
    takesReply: Number(row['takes_reply']) === 1,
    correlator: String(row['correlator']),
    wrapped: text(row['wrapped']),
    state: String(row['state']) as SmsState,
    reason: text(row['reason']),
    encoding: text(row['encoding']),
    segmentCount: number(row['segment_count']),
    pduCount: number(row['pdu_count']),
    reference: Number(row['reference']),
    attempts: Number(row['attempts']),
    submittingBy: text(row['submitting_by']),
    resends: Number(row['resends']),
    price: priceMinor === undefined ? undefined : { amountMinor: priceMinor, currency: String(row['price_currency']) },
    createdAt: Number(row['created_at']),
    submittedAt: number(row['submitted_at']),
    finalAt: number(row['final_at']),
    updatedAt: Number(row['updated_at']),
    queuedAt: Number(row['queued_at']),
    expiresAt: Number(row['expires_at']),
    notBefore: Number(row['not_before']),
    waitsFor: text(row['waits_for']) as WaitsFor | undefined,
    mccMnc: text(row['mcc_mnc']),
    lineEpoch: number(row['line_epoch']),
    receiptDueAt: number(row['receipt_due_at']),
    isUntold: Number(row['untold']) === 1,
    version: Number(row['version']),
  };
}

export const partOf = (row: Row): SmsPart => ({
  number: Number(row['number']),
  attempt: Number(row['attempt']),
  outcome: String(row['outcome']) as SmsPart['outcome'],
  bindId: String(row['bind_id']),
  smscMessageId: text(row['smsc_message_id']),
  commandStatus: text(row['command_status']),
  at: Number(row['at']),
});

export const receiptOf = (row: Row): SmsReceipt => ({
  id: String(row['id']),
  number: Number(row['number']),
  state: String(row['state']),
  errorCode: text(row['error_code']),
  receivedAt: Number(row['received_at']),
});
