import { isGatewayError } from '../../kernel/errors.js';
import type { KeyWrap } from '../../kernel/key-wrap.js';
import {
  isSmppError,
  plainMessageId,
  type Segment,
  type SegmentedMessage,
  STATUS,
  type SubmitResult,
  statusName,
} from '../../smpp/index.js';
import type { SmsContext } from '../context.js';
import type { Bind, OperatorLink } from '../links/open-links.js';
import type { SmsMessage } from '../message.js';
import type { Opener } from '../opener/index.js';
import { markSubmitting, recordPart } from '../operations.js';
import { readSms } from '../read-sms.js';
import { unpackBody } from './body.js';
import { textPurpose } from './queue.js';
import { isBusy } from './retry-policy.js';
import type { Settler } from './settle.js';
import { envelopeFields, segmentsFor } from './submit-fields.js';
import { textOf } from './text.js';

export interface AttemptOptions {
  context: SmsContext;
  opener: Opener;
  keyWrap: KeyWrap;
  settler: Settler;
  link: OperatorLink;
  /** A part was accepted under this id, in comparable form: receipts that came before the answer can be matched now. */
  onAccepted: (key: string) => Promise<void>;
  /** The attempt ended without a known outcome for a part. */
  onUnknown: (message: SmsMessage) => Promise<void>;
}

/**
 * Submits one message: opens the text, marks the row durably, writes every part on one bind, records each answer as it
 * comes, and settles the message. The text lives in this function's variables only.
 */
export function createAttempt({ context, opener, keyWrap, settler, link, onAccepted, onUnknown }: AttemptOptions) {
  const { store, clock, domainClock, engine, log } = context;
  const { partner, config } = link;

  /** The wire's form of the text, or why there is none. */
  async function segmented(message: SmsMessage): Promise<SegmentedMessage | { refused: 'expired' | 'rejected'; reason: string }> {
    if (message.mode === 'text') return textSegments(message);
    const fallback = message.fallbackId === undefined ? undefined : await engine.fallbacks.get(message.fallbackId, partner.id);
    if (!fallback) return { refused: 'rejected', reason: 'fallback-unknown' };
    if (fallback.state !== 'claimed') return { refused: 'rejected', reason: `fallback-${fallback.state}` };
    try {
      return segmentsFor({ text: await textOf(fallback, partner, opener) }, message.reference, config);
    } catch (failure) {
      // Only the code: a cause could quote the text.
      const reason = isGatewayError(failure) ? failure.code : 'text-failed';
      return reason === 'GONE' ? { refused: 'expired', reason: 'text-expired' } : { refused: 'rejected', reason };
    }
  }

  function textSegments({ id, wrapped, reference }: SmsMessage): SegmentedMessage | { refused: 'rejected'; reason: string } {
    if (wrapped === undefined) return { refused: 'rejected', reason: 'text-gone' };
    try {
      return segmentsFor(unpackBody(Buffer.from(keyWrap.unwrap(wrapped, textPurpose(id)))), reference, config);
    } catch (failure) {
      return { refused: 'rejected', reason: isGatewayError(failure) ? failure.code : 'text-failed' };
    }
  }

  return async function attempt(smsId: string, bind: Bind, charge: (segments: number) => void): Promise<'done' | 'busy'> {
    const whole = await readSms(store, smsId);
    if (whole?.message.state !== 'queued') return 'done';
    const { message, parts } = whole;
    const validForMs = message.expiresAt - clock.now();
    if (validForMs <= 0) {
      await settler.end(smsId, 'expired', 'expired-in-queue');
      return 'done';
    }
    const sender = partner.sms.senders.find(({ address }) => address === message.sender);
    const body = sender ? await segmented(message) : ({ refused: 'rejected', reason: 'sender-gone' } as const);
    if ('refused' in body || !sender) {
      if ('refused' in body) await settler.end(smsId, body.refused, body.reason);
      return 'done';
    }
    // Parts that the SMSC has from an earlier attempt are not sent again.
    const taken = new Set(parts.filter(({ outcome }) => outcome === 'accepted').map(({ number }) => number));
    const isMarked = await store.run(markSubmitting, {
      id: smsId,
      version: message.version,
      encoding: body.encoding === 'gsm0338' ? 'gsm7' : body.encoding,
      segmentCount: body.count,
      pduCount: body.segments.length,
      by: context.nodeId ?? null,
      domainNow: domainClock.now(partner.id),
    });
    if (!isMarked) return 'done';
    charge(Math.max(1, body.count - taken.size));
    const fields = envelopeFields(message.recipient, sender, config, validForMs);
    const attemptNumber = message.attempts + 1;

    async function submitPart(segment: Segment, number: number): Promise<string | undefined> {
      let result: SubmitResult;
      try {
        result = await bind.link.submit({ ...fields, ...segment });
      } catch (failure) {
        const refusal = refusalOf(failure);
        await record(number, { ...refusal, smscMessageId: null });
        log.info({ smsId, number, bindId: bind.id, ...refusal }, 'submit_sm not accepted');
        return refusal.commandStatus ?? undefined;
      }
      await record(number, { outcome: 'accepted', commandStatus: statusName(STATUS.ESME_ROK), smscMessageId: result.messageId });
      log.info({ smsId, number, bindId: bind.id }, 'submit_sm accepted');
      if (result.messageId !== '') await onAccepted(plainMessageId(result.messageId));
      return undefined;
    }

    function record(number: number, answer: { outcome: string; commandStatus: string | null; smscMessageId: string | null }) {
      const key = answer.smscMessageId ? plainMessageId(answer.smscMessageId) : null;
      const at = domainClock.now(partner.id);
      const of = { smsId, number, attempt: attemptNumber, linkId: link.key, bindId: bind.id };
      return store.run(recordPart, { ...of, ...answer, smscMessageId: answer.smscMessageId || null, smscKey: key, at });
    }

    const outcomes = await Promise.allSettled(
      body.segments.map(async (segment, index) => (taken.has(index + 1) ? undefined : submitPart(segment, index + 1))),
    );
    const after = await settler.settle(smsId, ({ attempts }) => attempts === attemptNumber);
    if (after?.state === 'unknown') await onUnknown(after);
    return outcomes.some((outcome) => outcome.status === 'fulfilled' && isBusy(outcome.value)) ? 'busy' : 'done';
  };
}

function refusalOf(failure: unknown): { outcome: 'refused' | 'never-sent' | 'unknown'; commandStatus: string | null } {
  if (!isSmppError(failure)) return { outcome: 'unknown', commandStatus: null };
  if (failure.outcome === 'refused') return { outcome: 'refused', commandStatus: failure.statusName ?? null };
  // A field of ours that does not fit the wire will not fit the next time either.
  const isOurs = failure.outcome === 'never-sent' && failure.code === 'SMPP.BAD_PDU';
  return { outcome: failure.outcome, commandStatus: isOurs ? failure.code : null };
}
