import { randomInt } from 'node:crypto';
import type { Instant } from '../../kernel/clock.js';
import type { KeyWrap } from '../../kernel/key-wrap.js';
import type { Ports } from '../../smpp/index.js';
import type { SmsContext } from '../context.js';
import { PRIORITIES, type SmsClass, type SmsMessage, type WaitsFor } from '../message.js';
import { packBody } from './body.js';
import type { Lane } from './lane.js';
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

export interface QueueLanes {
  laneOf(partnerId: string, linkId: string): Lane | undefined;
  /** Messages were stored for a link that is down here. */
  onStuck(partnerId: string, linkId: string): void;
}

export function createQueue(
  { store, clock, domainClock }: Pick<SmsContext, 'store' | 'clock' | 'domainClock'>,
  keyWrap: KeyWrap,
  { laneOf, onStuck }: QueueLanes,
): SmsQueue {
  function messageOf(sms: NewSms, wallNow: Instant): SmsMessage {
    const { id, partnerId, market, linkId, clientId, externalId, subscriptionId, recipient, sender, takesReply, correlator, hold } = sms;
    const domainNow = domainClock.now(partnerId);
    return {
      ...{ id, partnerId, market, linkId, clientId, externalId, subscriptionId, recipient, sender, takesReply, correlator },
      ...{ mode: 'text', class: sms.class, priority: PRIORITIES[sms.class], fallbackId: undefined, wrapped: undefined },
      ...{ state: 'queued', reason: undefined, encoding: undefined, segmentCount: undefined, pduCount: undefined },
      ...{ reference: reference(), attempts: 0, submittingBy: undefined, resends: 0, price: undefined },
      ...{ createdAt: domainNow, submittedAt: undefined, finalAt: undefined, updatedAt: domainNow, queuedAt: wallNow },
      ...{ expiresAt: wallNow + sms.validForMs, notBefore: hold?.until ?? wallNow, waitsFor: hold?.waitsFor },
      ...{ mccMnc: undefined, lineEpoch: undefined, receiptDueAt: undefined, isUntold: false, version: 1 },
    };
  }

  function rowOf(message: SmsMessage, sms: NewSms): QueuedRow {
    const { id, partnerId, market, linkId, recipient, sender, correlator, priority, state, attempts } = message;
    return {
      ...{ id, partnerId, market, linkId, recipient, sender, correlator, priority, state, attempts },
      class: message.class,
      clientId: sms.clientId,
      externalId: message.externalId ?? null,
      subscriptionId: message.subscriptionId ?? null,
      takesReply: message.takesReply ? 1 : 0,
      reference: message.reference,
      wrapped: keyWrap.wrap(packBody(sms), textPurpose(id)),
      encoding: message.encoding ?? null,
      segmentCount: message.segmentCount ?? null,
      pduCount: message.pduCount ?? null,
      submittingBy: message.submittingBy ?? null,
      domainNow: message.createdAt,
      wallNow: message.queuedAt,
      expiresAt: message.expiresAt,
      notBefore: message.notBefore,
      waitsFor: message.waitsFor ?? null,
    };
  }

  /** One that can go at once is stored as such; the others are handed to their link once they are stored. */
  function handOver(sms: NewSms, wallNow: Instant) {
    const lane = laneOf(sms.partnerId, sms.linkId);
    const message = messageOf(sms, wallNow);
    const admission = lane?.admit(message, sms);
    const row = rowOf(admission?.message ?? message, sms);
    return {
      row,
      stored() {
        if (admission) lane?.begin(admission);
        else {
          lane?.offer({ ...message, wrapped: row.wrapped }, sms);
          if (lane?.reasonFor(message) === 'link-down') onStuck(sms.partnerId, sms.linkId);
        }
      },
      notStored: () => admission && lane?.abandon(admission),
    };
  }

  return {
    async queue(messages, once) {
      const wallNow = clock.now();
      const [first] = messages;
      const handed = messages.map((sms) => handOver(sms, wallNow));
      let isStored = false;
      try {
        const { earlier } = await store.run(queueSms, {
          smsId: first.id,
          partnerId: once?.partnerId ?? first.partnerId,
          scope: once?.scope ?? null,
          key: once?.key ?? null,
          fingerprint: once?.fingerprint ?? null,
          answer: once?.answer ?? null,
          keyExpiresAt: wallNow + KEEP_KEY_MS,
          messages: handed.map(({ row }) => row),
        });
        isStored = earlier === undefined;
        if (!earlier) return { outcome: 'queued' };
        return earlier.fingerprint === once?.fingerprint ? { outcome: 'repeated', answer: earlier.answer } : { outcome: 'key-reused' };
      } finally {
        for (const one of handed) {
          if (isStored) one.stored();
          else one.notStored();
        }
      }
    },
  };
}

/** Of a concatenation: no two long messages to a handset within a short time are to have the same. */
let lastReference = randomInt(0x1_0000);
const reference = (): number => {
  lastReference = (lastReference + 1) & 0xffff;
  return lastReference;
};
