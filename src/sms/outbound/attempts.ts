import { isGatewayError } from '../../kernel/errors.js';
import type { KeyWrap } from '../../kernel/key-wrap.js';
import type { Sender } from '../../partners/index.js';
import {
  isSmppError,
  type MessageFields,
  plainMessageId,
  readTlv,
  type Segment,
  type SegmentedMessage,
  STATUS,
  statusName,
} from '../../smpp/index.js';
import type { SmsContext } from '../context.js';
import type { Bind, OperatorLink } from '../links/open-links.js';
import type { SmsMessage, SmsPart } from '../message.js';
import type { Opener } from '../opener/index.js';
import { recordPart } from '../operations.js';
import { type SmsBody, unpackBody } from './body.js';
import type { ChangeOf } from './change-of.js';
import { finishAttempt } from './finish-operation.js';
import { textPurpose } from './queue.js';
import { envelopeFields, segmentsFor } from './submit-fields.js';
import { textOf } from './text.js';
import { truthOf } from './truth.js';

/** A message whose turn it is, with its text in the wire's form. The text lives in here and nowhere else. */
export interface Opened {
  readonly message: SmsMessage;
  /** What the SMSC said to its parts in earlier attempts. */
  readonly parts: readonly SmsPart[];
  readonly sender: Sender;
  readonly body: SegmentedMessage;
}

/** It will never go out. */
export interface Refusal {
  readonly refused: 'expired' | 'rejected';
  readonly reason: string;
}

/** What the SMSC did with one part. */
export interface PartAnswer {
  readonly part: SmsPart;
  /** SMPP 5.0 §4.8.4.18. */
  readonly congestionState: number | undefined;
}

export interface Ended {
  readonly message: SmsMessage;
  readonly parts: readonly SmsPart[];
}

export interface Attempts {
  /** @param content where it is known; else it is opened or unwrapped. */
  open(message: SmsMessage, parts: readonly SmsPart[], content: SmsBody | undefined): Opened | Refusal | Promise<Opened | Refusal>;
  /**
   * Writes every part that the SMSC does not have yet on one bind, records each answer, and brings the message to the state
   * that follows. The row is `submitting`, durably, before this is called.
   *
   * @param message as it is with that mark.
   * @param onAnswer told each answer at once, before it is durable.
   * @returns the message and its parts as they then are; undefined when somebody else has ended this attempt.
   */
  submit(opened: Opened, message: SmsMessage, bind: Bind, onAnswer: (answer: PartAnswer) => void): Promise<Ended | undefined>;
}

export interface AttemptsOptions {
  context: SmsContext;
  opener: Opener;
  keyWrap: KeyWrap;
  link: OperatorLink;
  changeOf: ChangeOf;
}

/** Parts that an attempt is to write: those that the SMSC has not accepted. */
export const missingParts = ({ body, parts }: Opened): number[] => {
  if (parts.length === 0) return body.segments.map((_, index) => index + 1);
  const taken = new Set(parts.filter(({ outcome }) => outcome === 'accepted').map(({ number }) => number));
  return body.segments.flatMap((_, index) => (taken.has(index + 1) ? [] : [index + 1]));
};

export function createAttempts({ context, opener, keyWrap, link, changeOf }: AttemptsOptions): Attempts {
  const { store, clock, domainClock, engine, log } = context;
  const { partner, config } = link;

  /** Only codes are kept of a failure: a cause could quote the text. */
  function refusalOf(failure: unknown): Refusal {
    const reason = isGatewayError(failure) ? failure.code : 'text-failed';
    return reason === 'GONE' ? { refused: 'expired', reason: 'text-expired' } : { refused: 'rejected', reason };
  }

  function segmented(message: SmsMessage, parts: readonly SmsPart[], content: SmsBody): Opened | Refusal {
    const sender = partner.sms.senders.find(({ address }) => address === message.sender);
    if (!sender) return { refused: 'rejected', reason: 'sender-gone' };
    try {
      return { message, parts, sender, body: segmentsFor(content, message.reference, config) };
    } catch (failure) {
      return refusalOf(failure);
    }
  }

  async function openFallback(message: SmsMessage, parts: readonly SmsPart[]): Promise<Opened | Refusal> {
    const fallback = message.fallbackId === undefined ? undefined : await engine.fallbacks.get(message.fallbackId, partner.id);
    if (!fallback) return { refused: 'rejected', reason: 'fallback-unknown' };
    if (fallback.state !== 'claimed') return { refused: 'rejected', reason: `fallback-${fallback.state}` };
    try {
      return segmented(message, parts, { text: await textOf(fallback, partner, opener) });
    } catch (failure) {
      return refusalOf(failure);
    }
  }

  function unwrapped({ id, wrapped }: SmsMessage): SmsBody | Refusal {
    if (wrapped === undefined) return { refused: 'rejected', reason: 'text-gone' };
    try {
      return unpackBody(Buffer.from(keyWrap.unwrap(wrapped, textPurpose(id))));
    } catch (failure) {
      return refusalOf(failure);
    }
  }

  async function submitPart(fields: MessageFields, segment: Segment, number: number, message: SmsMessage, bind: Bind): Promise<PartAnswer> {
    const at = () => domainClock.now(partner.id);
    const of = { number, attempt: message.attempts, bindId: bind.id };
    try {
      const { messageId, tlvs } = await bind.link.submit({ ...fields, ...segment });
      log.debug({ smsId: message.id, number, bindId: bind.id }, 'submit_sm accepted');
      const smscMessageId = messageId === '' ? undefined : messageId;
      const part: SmsPart = { ...of, outcome: 'accepted', smscMessageId, commandStatus: ROK, at: at() };
      return { part, congestionState: tlvs.length === 0 ? undefined : readTlv(tlvs, 'congestion_state') };
    } catch (failure) {
      const refusal = outcomeOf(failure);
      log.info({ smsId: message.id, number, bindId: bind.id, ...refusal }, 'submit_sm not accepted');
      const part: SmsPart = { ...of, ...refusal, smscMessageId: undefined, at: at() };
      return { part, congestionState: isSmppError(failure) ? failure.congestionState : undefined };
    }
  }

  const rowOf = (smsId: string, { number, attempt, outcome, bindId, smscMessageId, commandStatus, at }: SmsPart) => ({
    ...{ smsId, number, attempt, outcome, linkId: link.key, bindId, at },
    smscMessageId: smscMessageId ?? null,
    smscKey: smscMessageId === undefined ? null : plainMessageId(smscMessageId),
    commandStatus: commandStatus ?? null,
  });

  return {
    open(message, parts, content) {
      if (message.mode !== 'text') return openFallback(message, parts);
      const known = content ?? unwrapped(message);
      return 'refused' in known ? known : segmented(message, parts, known);
    },

    async submit(opened, message, bind, onAnswer) {
      const fields = envelopeFields(message.recipient, opened.sender, config, message.expiresAt - clock.now());
      const numbers = missingParts(opened);
      const answers = new Map(opened.parts.map((part) => [part.number, part]));
      let left = numbers.length;
      const last = await new Promise<SmsPart | undefined>((resolve, reject) => {
        async function one(number: number): Promise<void> {
          const segment = opened.body.segments[number - 1];
          if (!segment) return;
          const answer = await submitPart(fields, segment, number, message, bind);
          answers.set(number, answer.part);
          onAnswer(answer);
          left--;
          // The last one is recorded together with what follows of all of them.
          if (left === 0) resolve(answer.part);
          else await store.run(recordPart, rowOf(message.id, answer.part));
        }
        for (const number of numbers) one(number).catch(reject);
        if (left === 0) resolve(undefined);
      });
      const sms = { message, parts: [...answers.values()], receipts: [] };
      const change = changeOf(sms, truthOf(message, sms.parts, [], true, config.retry));
      const isMade = await store.run(finishAttempt, { ...(last ? rowOf(message.id, last) : { outcome: null }), ...change.row });
      return isMade ? { message: change.next, parts: sms.parts } : undefined;
    },
  };
}

const ROK = statusName(STATUS.ESME_ROK);

function outcomeOf(failure: unknown): { outcome: 'refused' | 'never-sent' | 'unknown'; commandStatus: string | undefined } {
  if (!isSmppError(failure)) return { outcome: 'unknown', commandStatus: undefined };
  if (failure.outcome === 'refused') return { outcome: 'refused', commandStatus: failure.statusName };
  // A field of ours that does not fit the wire will not fit the next time either.
  const isOurs = failure.outcome === 'never-sent' && failure.code === 'SMPP.BAD_PDU';
  return { outcome: failure.outcome, commandStatus: isOurs ? failure.code : undefined };
}
