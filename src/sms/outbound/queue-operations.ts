import { defineOperation, settleNothing } from '../../store/index.js';
import { big, str } from '../batch-sql.js';

/** How long a repeat is recognised. */
export const KEEP_KEY_MS = 72 * 3_600_000;

/** A row of sms_message as a call inserts it. */
export interface QueuedRow {
  id: string;
  partnerId: string;
  market: string;
  linkId: string;
  clientId: string;
  externalId: string | null;
  class: string;
  priority: number;
  subscriptionId: string | null;
  recipient: string;
  sender: string;
  takesReply: number;
  correlator: string;
  reference: number;
  wrapped: string;
  domainNow: number;
  wallNow: number;
  expiresAt: number;
  notBefore: number;
  waitsFor: string | null;
  /** `queued`, or `submitting` with what an attempt's mark says. */
  state: string;
  attempts: number;
  encoding: string | null;
  segmentCount: number | null;
  pduCount: number | null;
  submittingBy: string | null;
}

/** One call: its messages, and the key that it came with, if it did. */
export interface QueueItem {
  /** Of the first message; it names the call. */
  smsId: string;
  partnerId: string;
  scope: string | null;
  key: string | null;
  fingerprint: string | null;
  answer: string | null;
  keyExpiresAt: number;
  messages: readonly QueuedRow[];
}

export interface QueueOutcome {
  /** Undefined where this call's messages were stored. */
  earlier: { fingerprint: string; answer: string } | undefined;
}

const member = (name: string): string => `e.value ->> '${name}'`;
const memberBig = (name: string): string => `CAST(e.value ->> '${name}' AS BIGINT)`;
const memberInt = (name: string): string => `CAST(e.value ->> '${name}' AS INTEGER)`;

/** The row of the key that a call of the batch came with. */
const OWN_KEY = `i.partner_id = ${str('partnerId')} AND i.scope = ${str('scope')} AND i.key = ${str('key')}`;

/**
 * Stores a call's messages, all or none, and its key in the same commit. Of two calls with one key the first is stored; the
 * other, in this batch or any later one, finds what the first was answered. A key that has expired is free again.
 */
export const queueSms = defineOperation<QueueItem, QueueOutcome>({
  name: 'sms.queue',
  statements: [
    `INSERT INTO sms_idempotency (partner_id, scope, key, fingerprint, sms_id, answer, expires_at)
     SELECT ${str('partnerId')}, ${str('scope')}, ${str('key')}, ${str('fingerprint')}, ${str('smsId')}, ${str('answer')}, ${big('keyExpiresAt')}
     FROM :batch WHERE ${str('key')} IS NOT NULL
     ON CONFLICT (partner_id, scope, key) DO UPDATE SET fingerprint = excluded.fingerprint, sms_id = excluded.sms_id,
       answer = excluded.answer, expires_at = excluded.expires_at
     WHERE sms_idempotency.expires_at <= excluded.expires_at - ${KEEP_KEY_MS}`,
    `INSERT INTO sms_message (id, partner_id, market, link_id, client_id, external_id, mode, class, priority, subscription_id, recipient,
       sender, takes_reply, correlator, state, reference, wrapped, attempts, resends, created_at, updated_at, queued_at, expires_at,
       not_before, waits_for, encoding, segment_count, pdu_count, submitting_by, untold, version)
     SELECT ${member('id')}, ${member('partnerId')}, ${member('market')}, ${member('linkId')}, ${member('clientId')},
       ${member('externalId')}, 'text', ${member('class')}, ${memberInt('priority')}, ${member('subscriptionId')}, ${member('recipient')},
       ${member('sender')}, ${memberInt('takesReply')}, ${member('correlator')}, ${member('state')}, ${memberInt('reference')}, ${member('wrapped')},
       ${memberInt('attempts')}, 0, ${memberBig('domainNow')}, ${memberBig('domainNow')}, ${memberBig('wallNow')}, ${memberBig('expiresAt')},
       ${memberBig('notBefore')}, ${member('waitsFor')}, ${member('encoding')}, ${memberInt('segmentCount')},
       ${memberInt('pduCount')}, ${member('submittingBy')}, 0, 1
     FROM :members(messages) JOIN :batch ON b.key = e.place
     WHERE ${str('key')} IS NULL OR EXISTS (SELECT 1 FROM sms_idempotency i WHERE ${OWN_KEY} AND i.sms_id = ${str('smsId')})`,
    `SELECT b.key AS place, i.fingerprint, i.answer FROM :batch JOIN sms_idempotency i ON ${OWN_KEY} AND i.sms_id <> ${str('smsId')}`,
  ],
  settle: (items, rows) => {
    const earlier = new Map(
      rows[2]?.map((row) => [Number(row['place']), { fingerprint: String(row['fingerprint']), answer: String(row['answer']) }]),
    );
    return items.map((_, place) => ({ earlier: earlier.get(place) }));
  },
});

export const forgetKeys = defineOperation<{ before: number }, undefined>({
  name: 'sms.forgetKeys',
  statements: [`DELETE FROM sms_idempotency WHERE expires_at <= (SELECT MAX(${big('before')}) FROM :batch)`],
  settle: settleNothing,
});
