import { toRfc3339 } from '../kernel/clock.js';
import { maskMsisdn } from '../kernel/msisdn.js';
import type { SmsMessage, SmsPart, SmsReceipt } from './message.js';
import { partEnd, partStateOf } from './outbound/truth.js';
import type { WholeSms } from './read-sms.js';

/** The words of SMPP 3.4 Appendix B. */
const WORDS: Readonly<Record<string, string>> = {
  scheduled: 'SCHEDULED',
  enroute: 'ENROUTE',
  delivered: 'DELIVRD',
  expired: 'EXPIRED',
  deleted: 'DELETED',
  undeliverable: 'UNDELIV',
  accepted: 'ACCEPTD',
  unknown: 'UNKNOWN',
  rejected: 'REJECTD',
  skipped: 'SKIPPED',
};

/** An SMS as the API and the events show it (schema SmsMessage): the recipient masked, and never a text. */
export function showSms({ message, parts, receipts }: WholeSms) {
  const { pduCount = 0, submittedAt, finalAt } = message;
  return {
    id: message.id,
    direction: 'mt' as const,
    state: message.state,
    market: message.market,
    ...(message.subscriptionId !== undefined && { subscriptionId: message.subscriptionId }),
    sender: message.sender,
    recipient: maskMsisdn(message.recipient),
    ...(message.encoding !== undefined && { encoding: message.encoding }),
    segments: Array.from({ length: pduCount }, (_, index) => showPart(message, index + 1, parts, receipts)),
    linkId: message.linkId,
    receipts: receipts.slice(0, 1_000).map((receipt) => ({
      segment: receipt.number,
      state: WORDS[receipt.state] ?? 'UNKNOWN',
      ...(receipt.errorCode !== undefined && { errorCode: receipt.errorCode.slice(0, 32) }),
      receivedAt: toRfc3339(receipt.receivedAt),
    })),
    ...(message.price && { price: message.price }),
    ...(message.fallbackId !== undefined && { fallbackId: message.fallbackId }),
    correlator: message.correlator,
    ...(message.reason !== undefined && { reason: message.reason }),
    createdAt: toRfc3339(message.createdAt),
    ...(submittedAt !== undefined && { submittedAt: toRfc3339(submittedAt) }),
    ...(finalAt !== undefined && { finalAt: toRfc3339(finalAt) }),
    // The row has the wall clock's instant; the reader lives in the partner's domain time.
    expiresAt: toRfc3339(message.createdAt + (message.expiresAt - message.queuedAt)),
    updatedAt: toRfc3339(message.updatedAt),
  };
}

function showPart(message: SmsMessage, number: number, parts: readonly SmsPart[], receipts: readonly SmsReceipt[]) {
  const part = parts.find((each) => each.number === number);
  const end = partEnd(number, receipts);
  const isAccepted = part?.outcome === 'accepted';
  return {
    number,
    state: partStateOf(message, number, parts, receipts),
    ...(isAccepted && part.smscMessageId !== undefined && { smscMessageId: part.smscMessageId }),
    ...(isAccepted && { submittedAt: toRfc3339(part.at) }),
    ...(end && { finalAt: toRfc3339(end.receipt.receivedAt) }),
    ...(part?.commandStatus !== undefined && { commandStatus: part.commandStatus }),
  };
}

export interface Reply {
  id: string;
  sender: string;
  recipient: string;
  receivedAt: number;
  market?: string | undefined;
  inReplyToSmsId?: string | undefined;
  fallbackId?: string | undefined;
  subscriptionId?: string | undefined;
}

/** An answer by SMS as the events show it (schema SmsReply). */
export const showReply = (reply: Reply) => ({
  id: reply.id,
  sender: maskMsisdn(reply.sender),
  recipient: reply.recipient,
  ...(reply.inReplyToSmsId !== undefined && { inReplyToSmsId: reply.inReplyToSmsId }),
  ...(reply.fallbackId !== undefined && { fallbackId: reply.fallbackId }),
  ...(reply.subscriptionId !== undefined && { subscriptionId: reply.subscriptionId }),
  ...(reply.market !== undefined && { market: reply.market }),
  receivedAt: toRfc3339(reply.receivedAt),
});
