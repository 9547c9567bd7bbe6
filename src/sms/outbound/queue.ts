import { randomInt } from 'node:crypto';
import type { Instant } from '../../kernel/clock.js';
import type { KeyWrap } from '../../kernel/key-wrap.js';
import type { Ports } from '../../smpp/index.js';
import type { SmsContext } from '../context.js';
import { PRIORITIES, type SmsClass, type WaitsFor } from '../message.js';
import { packBody } from './body.js';
import { KEEP_KEY_MS, type QueuedRow, queueSms } from './queue-operations.js';

/**
 * A partner's own SMS, checked by whoever queues it: that the link goes there and the sender may carry it, that the
 * recipient has not opted out, quiet hours, caps and budget. The queue decides nothing of that.
 */
export interface NewTextSms {
  /** `sms_…` from `newId`. */
  id: string;
  partnerId: string;
  market: string;
  /** Of the partner's links. */
  linkId: string;
  /** The API client that asks. */
  clientId: string;
  /** The partner's own name for it. */
  externalId?: string | undefined;
  class: SmsClass;
  subscriptionId?: string | undefined;
  /** E.164 with `+`. */
  recipient: string;
  /** The address of one of the partner's senders. */
  sender: string;
  takesReply: boolean;
  /** At rest it is wrapped, and it is deleted as soon as the SMSC has it or it will not be sent any more. */
  text: string;
  /** Shown at once and not kept. */
  isFlash?: boolean | undefined;
  /** The programs at both ends; undefined for a message to a person. */
  ports?: Ports | undefined;
  correlator: string;
  /** How long it is worth delivering, from now. */
  validForMs: number;
  /** The wall clock's instant before which it may not go, and why. */
  hold?: { until: Instant; waitsFor: WaitsFor } | undefined;
}

/** Octets for a program on the handset or the SIM, instead of a text. */
export interface NewOctetSms extends Omit<NewTextSms, 'text' | 'isFlash'> {
  octets: Buffer;
  dataCoding: number;
}

export type NewSms = NewTextSms | NewOctetSms;

/** What makes a call happen once. */
export interface OnceKey {
  partnerId: string;
  /** The operation, so that one key may be used for each of several: its operationId say. */
  scope: string;
  key: string;
  /** Of the body; another one under the same key is a mistake of the caller. */
  fingerprint: string;
  /** What a repeat is answered, opaque to the queue; no text and no secret, since it is stored as it is. */
  answer: string;
}

export type QueueResult =
  /** Durable. */
  | { outcome: 'queued' }
  /** The key came before with the same body; nothing was stored now. `answer` is the first call's. */
  | { outcome: 'repeated'; answer: string }
  /** The key came before with another body; nothing was stored. */
  | { outcome: 'key-reused' };

export interface SmsQueue {
  /**
   * Stores 1 to 1,000 messages and their key in one commit, all or none, shared with every other call of that moment;
   * resolves once they are durable, and hands them to their links.
   *
   * @throws GatewayError `UNAVAILABLE` when the store is behind or closing: nothing was stored.
   */
  queue(messages: readonly [NewSms, ...NewSms[]], once?: OnceKey): Promise<QueueResult>;
}

export const textPurpose = (smsId: string): string => `sms-text:${smsId}`;

export function createQueue(
  { store, clock, domainClock }: Pick<SmsContext, 'store' | 'clock' | 'domainClock'>,
  keyWrap: KeyWrap,
  onQueued: (partnerId: string, linkId: string) => void,
): SmsQueue {
  function rowOf(message: NewSms, wallNow: Instant): QueuedRow {
    const { id, partnerId, market, linkId, clientId, recipient, sender, correlator, validForMs, hold } = message;
    return {
      ...{ id, partnerId, market, linkId, clientId, recipient, sender, correlator },
      class: message.class,
      externalId: message.externalId ?? null,
      subscriptionId: message.subscriptionId ?? null,
      takesReply: message.takesReply ? 1 : 0,
      priority: PRIORITIES[message.class],
      reference: randomInt(0x1_0000),
      wrapped: keyWrap.wrap(packBody(message), textPurpose(id)),
      domainNow: domainClock.now(message.partnerId),
      wallNow,
      expiresAt: wallNow + validForMs,
      notBefore: hold?.until ?? wallNow,
      waitsFor: hold?.waitsFor ?? null,
    };
  }

  return {
    async queue(messages, once) {
      const wallNow = clock.now();
      const [first] = messages;
      const { earlier } = await store.run(queueSms, {
        smsId: first.id,
        partnerId: once?.partnerId ?? first.partnerId,
        scope: once?.scope ?? null,
        key: once?.key ?? null,
        fingerprint: once?.fingerprint ?? null,
        answer: once?.answer ?? null,
        keyExpiresAt: wallNow + KEEP_KEY_MS,
        wallNow,
        messages: messages.map((message) => rowOf(message, wallNow)),
      });
      if (earlier) {
        return earlier.fingerprint === once?.fingerprint ? { outcome: 'repeated', answer: earlier.answer } : { outcome: 'key-reused' };
      }
      for (const { partnerId, linkId } of messages) onQueued(partnerId, linkId);
      return { outcome: 'queued' };
    },
  };
}
