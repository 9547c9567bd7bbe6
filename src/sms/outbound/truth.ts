import type { SmsMessage, SmsPart, SmsReceipt, SmsState } from '../message.js';
import { type RetryRules, retryDelayMs } from './retry-policy.js';

/** What a message's parts and receipts say it is. */
export interface Truth {
  state: SmsState;
  reason: string | undefined;
  /** For `queued`: how long to wait before the next attempt. */
  retryInMs?: number;
  /** For `queued`: the attempt before had no known outcome. */
  isResend?: boolean;
}

/** How each state of a receipt ends a part; the others say only how far it is. */
const ENDS: Readonly<Record<string, PartState>> = {
  delivered: 'delivered',
  undeliverable: 'undelivered',
  deleted: 'undelivered',
  skipped: 'undelivered',
  rejected: 'rejected',
  expired: 'expired',
  unknown: 'unknown',
};

export type PartState = SmsState;

/** The first receipt that ends a part holds, except that one which knows nothing gives way to one which does. */
export function partEnd(number: number, receipts: readonly SmsReceipt[]): { state: PartState; receipt: SmsReceipt } | undefined {
  let end: { state: PartState; receipt: SmsReceipt } | undefined;
  for (const receipt of receipts) {
    const state = ENDS[receipt.state];
    if (receipt.number === number && state !== undefined && (!end || end.state === 'unknown')) end = { state, receipt };
  }
  return end;
}

export function partStateOf(message: SmsMessage, number: number, parts: readonly SmsPart[], receipts: readonly SmsReceipt[]): PartState {
  const end = partEnd(number, receipts);
  if (end) return end.state;
  const part = parts.find((each) => each.number === number);
  if (part?.outcome === 'accepted') return 'submitted';
  if (message.state === 'queued') return 'queued';
  if (!part || part.attempt < message.attempts) return message.state === 'submitting' ? 'submitting' : message.state;
  if (part.outcome === 'unknown') return 'unknown';
  return message.state === 'rejected' || message.state === 'expired' ? message.state : 'queued';
}

/**
 * The one truthful state of a message, from what the SMSC answered to each of its parts and from every receipt.
 *
 * @param isOver whether the attempt that a `submitting` message is in has ended: a part without an answer then has an
 *   unknown outcome. After a crash it is, since nobody waits for the answers any more.
 * @param rules of its link.
 */
export function truthOf(
  message: SmsMessage,
  parts: readonly SmsPart[],
  receipts: readonly SmsReceipt[],
  isOver: boolean,
  rules: RetryRules = {},
): Truth {
  const { state, reason } = message;
  if (state === 'submitting') return isOver ? afterAttempt(message, parts, receipts, rules) : { state, reason };
  // A receipt tells that the SMSC had accepted it, which is a step of its own: whoever counts what was submitted misses none.
  if (state === 'unknown' && message.submittedAt === undefined && isAccepted(message, parts, receipts))
    return { state: 'submitted', reason: undefined };
  if (state === 'submitted' || state === 'unknown') return withReceipts(message, { state, reason }, receipts);
  return { state, reason };
}

const isAccepted = ({ pduCount = 1 }: SmsMessage, parts: readonly SmsPart[], receipts: readonly SmsReceipt[]): boolean =>
  Array.from({ length: pduCount }, (_, index) => index + 1).every(
    (number) =>
      parts.some((part) => part.number === number && part.outcome === 'accepted') ||
      !['rejected', 'unknown', undefined].includes(partEnd(number, receipts)?.state),
  );

function afterAttempt(message: SmsMessage, parts: readonly SmsPart[], receipts: readonly SmsReceipt[], rules: RetryRules): Truth {
  const retries: number[] = [];
  let isUnknown = false;
  for (let number = 1; number <= (message.pduCount ?? 1); number++) {
    const part = parts.find((each) => each.number === number);
    if (part?.outcome === 'accepted' || partEnd(number, receipts)) continue;
    if (!part || part.attempt < message.attempts || part.outcome === 'unknown') isUnknown = true;
    else {
      const delayMs = retryDelayMs(part, message.attempts, rules);
      if (delayMs === undefined) return { state: 'rejected', reason: part.commandStatus };
      retries.push(delayMs);
    }
  }
  // Never a blind second one, but for a code that somebody waits for: there two are better than none.
  if (isUnknown && message.class === 'otp' && message.resends === 0)
    return { state: 'queued', reason: undefined, retryInMs: 0, isResend: true };
  if (isUnknown) return { state: 'unknown', reason: 'no-answer' };
  if (retries.length > 0) return { state: 'queued', reason: undefined, retryInMs: Math.max(...retries) };
  // What its receipts say is the next step.
  return { state: 'submitted', reason: undefined };
}

/** All parts delivered is delivered; one part that will not arrive and the message cannot be read. */
function withReceipts(message: SmsMessage, otherwise: Truth, receipts: readonly SmsReceipt[]): Truth {
  const ends = Array.from({ length: message.pduCount ?? 1 }, (_, index) => partEnd(index + 1, receipts));
  for (const failed of ['undelivered', 'rejected', 'expired'] as const) {
    const end = ends.find((each) => each?.state === failed);
    if (end) return { state: failed === 'rejected' ? 'undelivered' : failed, reason: reasonOf(end.receipt) };
  }
  if (ends.every((end) => end?.state === 'delivered')) return { state: 'delivered', reason: undefined };
  if (ends.every((end) => end !== undefined)) return { state: 'unknown', reason: 'receipt-unknown' };
  return otherwise;
}

const reasonOf = ({ state, errorCode }: SmsReceipt): string =>
  errorCode === undefined ? `receipt-${state}` : `receipt-${state}:${errorCode.replace(/[^A-Za-z0-9]/g, '').slice(0, 16)}`;
