import type { NewEvent } from '../events/index.js';
import { newId } from '../kernel/ids.js';
import type { SmsState } from './message.js';
import type { WholeSms } from './read-sms.js';
import { type Reply, showReply, showSms } from './show.js';

const TYPES: Partial<Record<SmsState, { type: string; summary: string }>> = {
  submitted: { type: 'sms.submitted', summary: 'SMS handed to the operator' },
  delivered: { type: 'sms.delivered', summary: 'SMS delivered to the handset' },
  undelivered: { type: 'sms.undelivered', summary: 'SMS not delivered' },
  expired: { type: 'sms.undelivered', summary: 'SMS expired before it was delivered' },
  rejected: { type: 'sms.undelivered', summary: 'SMS refused' },
  unknown: { type: 'sms.unknown', summary: 'SMS may have arrived: the operator has not said' },
};

/**
 * The event that a message came to its state, or undefined for states that are ours alone.
 *
 * @param sms as it is after the change.
 */
export function smsEvent(sms: WholeSms, previous: SmsState, at: number, wallNow: number): NewEvent | undefined {
  const { message } = sms;
  const kind = TYPES[message.state];
  if (!kind) return undefined;
  const { segmentCount, takesReply, price, subscriptionId } = message;
  return {
    id: newId('evt', wallNow),
    partnerId: message.partnerId,
    market: message.market,
    type: kind.type,
    subject: message.id,
    at,
    ...(subscriptionId !== undefined && { subscriptionId }),
    resource: showSms(sms),
    previous: { state: previous },
    correlator: message.correlator,
    summary: kind.summary,
    facts: [
      ...(segmentCount === undefined ? [] : [{ name: 'segments', value: String(segmentCount) }]),
      { name: 'link', value: message.linkId },
      ...(message.reason === undefined ? [] : [{ name: 'reason', value: message.reason }]),
      ...(takesReply ? [] : [{ name: 'noReply', value: 'true' }]),
    ],
    ...(price && { price }),
  };
}

/** The event that an SMS came from a handset; `reason` says why it is in no chat. */
export function replyEvent(
  reply: Reply & {
    partnerId: string;
    linkId: string;
    missingParts: number;
    reason?: string | undefined;
    correlator?: string | undefined;
    esme?: string | undefined;
  },
  wallNow: number,
): NewEvent {
  const { partnerId, market, subscriptionId, linkId, reason, correlator, esme, missingParts } = reply;
  return {
    id: newId('evt', wallNow),
    partnerId,
    ...(market !== undefined && { market }),
    type: 'sms-reply.received',
    subject: reply.id,
    at: reply.receivedAt,
    ...(subscriptionId !== undefined && { subscriptionId }),
    resource: showReply(reply),
    ...(correlator !== undefined && { correlator }),
    summary: replySummary(reply),
    facts: [
      { name: 'link', value: linkId },
      ...(missingParts === 0 ? [] : [{ name: 'missingParts', value: String(missingParts) }]),
      ...(reason === undefined ? [] : [{ name: 'reason', value: reason }]),
      ...(esme === undefined ? [] : [{ name: 'account', value: esme }]),
    ],
  };
}

function replySummary({ reason, esme }: { reason?: string | undefined; esme?: string | undefined }): string {
  if (esme !== undefined) return "SMS received for the operator's own program";
  return reason === undefined ? 'Answer by SMS put into the chat' : 'SMS received that no chat can take; it is kept encrypted';
}
