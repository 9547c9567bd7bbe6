import type { Instant } from '../../kernel/clock.js';
import { RefusedWith, STATUS, type StatusName } from '../../smpp/index.js';
import type { SmsClass } from '../message.js';
import { readSmppTime } from './smpp-time.js';

/** What a message to be sent asks for besides its text and addresses; instants are the partner's domain time. */
export interface Wish {
  readonly serviceType: string;
  readonly class: SmsClass;
  readonly registeredDelivery: number;
  /** Not before this; undefined: now. */
  readonly sendAt: Instant | undefined;
  /** Not after this. */
  readonly validUntil: Instant;
  /** A message that waits from the same source, to the same destination and of the same service_type gives way to this one. */
  readonly isReplacing: boolean;
}

/** What is kept of a submit, for one that replaces it. */
export type KeptWish = Wish & { readonly dataCoding: number };

/** The parameters of submit_sm and submit_multi; data_sm has the first three, and its validity as a TLV. */
export interface WishFields {
  readonly serviceType: string;
  readonly esmClass: number;
  readonly registeredDelivery: number;
  readonly protocolId?: number;
  readonly priorityFlag?: number;
  readonly scheduleDeliveryTime?: string;
  readonly validityPeriod?: string;
  readonly replaceIfPresentFlag?: number;
  readonly smDefaultMsgId?: number;
  /** qos_time_to_live (§5.3.2.9). */
  readonly timeToLiveSeconds?: number | undefined;
}

export const refuse = (status: StatusName): RefusedWith => new RefusedWith(STATUS[status]);

const DAY_MS = 86_400_000;
/** How long a message is worth delivering when nothing is said, and at most: SMSCs keep none longer. */
const VALID_MS = 3 * DAY_MS;
const VALID_MS_MAX = 7 * DAY_MS;
/** How far ahead one may be scheduled. */
const AHEAD_MS_MAX = 31 * DAY_MS;

/** esm_class (§5.2.12): bits 1 and 0 are the mode, bits 5 to 2 the type, bit 6 a user data header, bit 7 the reply path. */
const MODES_SERVED: ReadonlySet<number> = new Set([0, 3]);
const MODE_BITS = 0x03;
const TYPE_AND_REPLY_BITS = 0xbc;

/** The services that name no other bearer or meaning (§5.2.11), and `OTP`, our own: a code that somebody waits for. */
const SERVICES: ReadonlySet<string> = new Set(['', 'CMT', 'CPT', 'VMN', 'VMA', 'WAP', 'OTP']);

/** Receipts, and intermediate notifications; acknowledgements by the handset (bits 3 and 2) cannot be had (§5.2.17). */
const REGISTERED_BITS = 0x13;
const PRIORITY_MAX = 3;

/**
 * Reads what a submit asks for, and refuses what it cannot have: nobody is told OK for less than was asked.
 *
 * @param now the partner's domain time.
 * @throws RefusedWith naming the parameter.
 */
export function readWish(fields: WishFields, now: Instant): Wish {
  const { serviceType, esmClass, registeredDelivery, priorityFlag = 0, replaceIfPresentFlag = 0 } = fields;
  if (!MODES_SERVED.has(esmClass & MODE_BITS) || (esmClass & TYPE_AND_REPLY_BITS) !== 0) throw refuse('ESME_RINVESMCLASS');
  if (!SERVICES.has(serviceType)) throw refuse('ESME_RINVSERTYP');
  if (priorityFlag > PRIORITY_MAX) throw refuse('ESME_RINVPRTFLG');
  checkRegistered(registeredDelivery);
  if (replaceIfPresentFlag > 1) throw refuse('ESME_RINVREPFLAG');
  // We keep no messages of our own to send under a number.
  if ((fields.smDefaultMsgId ?? 0) !== 0) throw refuse('ESME_RINVDFTMSGID');
  // A handset does not show what has another one: type 0, replacing, telematic interworking.
  if ((fields.protocolId ?? 0) !== 0) throw refuse('ESME_RSUBMITFAIL');
  const sendAt = readSendAt(fields.scheduleDeliveryTime ?? '', now);
  return {
    serviceType,
    class: serviceType === 'OTP' ? 'otp' : priorityFlag > 0 ? 'urgent' : 'notice',
    registeredDelivery,
    sendAt,
    validUntil: readValidUntil(fields, now, sendAt ?? now),
    isReplacing: replaceIfPresentFlag === 1,
  };
}

export function checkRegistered(registeredDelivery: number): void {
  if ((registeredDelivery & ~REGISTERED_BITS) !== 0) throw refuse('ESME_RINVREGDLVFLG');
}

/** @returns undefined for "at once". */
export function readSendAt(text: string, now: Instant): Instant | undefined {
  if (text === '') return undefined;
  const at = readSmppTime(text, now);
  if (at === undefined || at < now || at > now + AHEAD_MS_MAX) throw refuse('ESME_RINVSCHED');
  return at;
}

/** @param sendAt what is over before it begins cannot be meant. */
export function readValidUntil(
  { validityPeriod = '', timeToLiveSeconds }: Pick<WishFields, 'validityPeriod' | 'timeToLiveSeconds'>,
  now: Instant,
  sendAt: Instant,
): Instant {
  if (validityPeriod === '' && timeToLiveSeconds === undefined) return sendAt + VALID_MS;
  const until = validityPeriod === '' ? now + (timeToLiveSeconds ?? 0) * 1_000 : readSmppTime(validityPeriod, now);
  if (until === undefined || until <= Math.max(now, sendAt)) throw refuse('ESME_RINVEXPIRY');
  return Math.min(until, sendAt + VALID_MS_MAX);
}
