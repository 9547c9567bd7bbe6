import { EVENT_TOPIC } from '../events/index.js';
import { defineOperation, settleNothing } from '../store/index.js';
import { big, int, str } from './batch-sql.js';

export interface NewSms {
  id: string;
  partnerId: string;
  market: string;
  linkId: string;
  fallbackId: string | null;
  mode: string;
  class: string;
  priority: number;
  subscriptionId: string | null;
  recipient: string;
  sender: string;
  takesReply: number;
  correlator: string;
  reference: number;
  domainNow: number;
  wallNow: number;
  expiresAt: number;
}

/** Queues an SMS; one that is there already stays as it is. Answers whether it is new. */
export const insertSms = defineOperation<NewSms, boolean>({
  name: 'sms.insert',
  statements: [
    `INSERT INTO sms_message (id, partner_id, market, link_id, fallback_id, mode, class, priority, subscription_id, recipient, sender,
       takes_reply, correlator, state, reference, attempts, resends, created_at, updated_at, queued_at, expires_at, not_before,
       untold, version)
     SELECT ${str('id')}, ${str('partnerId')}, ${str('market')}, ${str('linkId')}, ${str('fallbackId')}, ${str('mode')}, ${str('class')},
       ${int('priority')}, ${str('subscriptionId')}, ${str('recipient')}, ${str('sender')}, ${int('takesReply')}, ${str('correlator')},
       'queued', ${int('reference')}, 0, 0, ${big('domainNow')}, ${big('domainNow')}, ${big('wallNow')}, ${big('expiresAt')},
       ${big('wallNow')}, 0, 1
     FROM :batch WHERE true ON CONFLICT DO NOTHING RETURNING id`,
  ],
  settle: (items, [inserted]) => {
    const fresh = new Set(inserted?.map((row) => row['id']));
    return items.map((item) => fresh.has(item.id));
  },
});

export interface SubmittingSms {
  id: string;
  /** The version that was read: another change since then wins. */
  version: number;
  encoding: string;
  segmentCount: number;
  pduCount: number;
  /** The node that submits, where there are several. */
  by: string | null;
  domainNow: number;
}

/** The mark that is durable before the first octet is on the wire. Answers whether this caller made it. */
export const markSubmitting = defineOperation<SubmittingSms, boolean>({
  name: 'sms.markSubmitting',
  statements: [
    `UPDATE sms_message AS m SET state = 'submitting', reason = NULL, attempts = m.attempts + 1, encoding = ${str('encoding')},
       submitting_by = ${str('by')}, segment_count = ${int('segmentCount')}, pdu_count = ${int('pduCount')}, updated_at = ${big('domainNow')}, version = m.version + 1
     FROM :batch
     WHERE m.id = ${str('id')} AND m.state = 'queued' AND m.version = ${big('version')} RETURNING id`,
  ],
  settle: (items, [marked]) => {
    const won = new Set(marked?.map((row) => row['id']));
    return items.map((item) => won.has(item.id));
  },
});

/**
 * The same where other nodes submit over this link, too: one handset gets what this node and others have for it in its order
 * and one at a time. The earlier message keeps the later one from being marked until its own row says that it has ended.
 */
export const markSubmittingAmongNodes = defineOperation<SubmittingSms, boolean>({
  ...markSubmitting,
  name: 'sms.markSubmittingAmongNodes',
  statements: markSubmitting.statements.map((sql) =>
    sql.replace(
      ' RETURNING id',
      ` AND NOT EXISTS (SELECT 1 FROM sms_message u WHERE u.link_id = m.link_id AND u.recipient = m.recipient AND u.id <> m.id
         AND (u.state = 'submitting' OR (u.state = 'queued' AND u.id < m.id AND u.priority <= m.priority))) RETURNING id`,
    ),
  ),
});

export interface PartAnswer {
  smsId: string;
  number: number;
  attempt: number;
  outcome: string;
  linkId: string;
  bindId: string;
  smscMessageId: string | null;
  smscKey: string | null;
  commandStatus: string | null;
  at: number;
}

/** What the SMSC answered to a part. What was accepted stays accepted, whatever comes later. */
export const recordPart = defineOperation<PartAnswer, undefined>({
  name: 'sms.recordPart',
  statements: [
    `INSERT INTO sms_part (sms_id, number, attempt, outcome, link_id, bind_id, smsc_message_id, smsc_key, command_status, at)
     SELECT ${str('smsId')}, ${int('number')}, ${int('attempt')}, ${str('outcome')}, ${str('linkId')}, ${str('bindId')},
       ${str('smscMessageId')}, ${str('smscKey')}, ${str('commandStatus')}, ${big('at')}
     FROM :batch WHERE true
     ON CONFLICT (sms_id, number) DO UPDATE SET attempt = excluded.attempt, outcome = excluded.outcome, link_id = excluded.link_id,
       bind_id = excluded.bind_id, smsc_message_id = excluded.smsc_message_id, smsc_key = excluded.smsc_key,
       command_status = excluded.command_status, at = excluded.at
     WHERE sms_part.outcome <> 'accepted'`,
  ],
  settle: settleNothing,
});

export interface SmsChange {
  id: string;
  version: number;
  /** Unique: how the statements after the update know that it was this change. */
  changeId: string;
  state: string;
  reason: string | null;
  resends: number;
  priceMinor: number | null;
  priceCurrency: string | null;
  submittedAt: number | null;
  finalAt: number | null;
  updatedAt: number;
  notBefore: number;
  waitsFor: string | null;
  receiptDueAt: number | null;
  untold: number;
  eventId: string | null;
  /** A NewEvent as JSON text. */
  event: string | null;
  wallNow: number;
}

/** A message's new state and the event that tells of it, in one commit; a text that will not be sent (again) goes. Answers whether this caller made it. */
export const changeSms = defineOperation<SmsChange, boolean>({
  name: 'sms.change',
  statements: [
    `UPDATE sms_message AS m SET state = ${str('state')}, reason = ${str('reason')}, resends = ${int('resends')},
       price_minor = ${big('priceMinor')}, price_currency = ${str('priceCurrency')}, submitted_at = ${big('submittedAt')},
       final_at = ${big('finalAt')}, updated_at = ${big('updatedAt')}, not_before = ${big('notBefore')},
       waits_for = ${str('waitsFor')}, receipt_due_at = ${big('receiptDueAt')}, untold = ${int('untold')},
       wrapped = CASE WHEN ${str('state')} = 'queued' THEN m.wrapped END, version = m.version + 1, change_id = ${str('changeId')}
     FROM :batch
     WHERE m.id = ${str('id')} AND m.version = ${big('version')} RETURNING change_id`,
    `INSERT INTO outbox (id, topic, payload, created_at)
     SELECT ${str('eventId')}, '${EVENT_TOPIC}', ${str('event')}, ${big('wallNow')}
     FROM :batch JOIN sms_message m ON m.id = ${str('id')} AND m.change_id = ${str('changeId')}
     WHERE ${str('event')} IS NOT NULL`,
  ],
  settle: (items, [changed]) => {
    const made = new Set(changed?.map((row) => row['change_id']));
    return items.map((item) => made.has(item.changeId));
  },
});

/** The engine knows of the state that was read with this version. */
export const markTold = defineOperation<{ id: string; version: number }, undefined>({
  name: 'sms.markTold',
  statements: [`UPDATE sms_message AS m SET untold = 0 FROM :batch WHERE m.id = ${str('id')} AND m.version = ${big('version')}`],
  settle: settleNothing,
});

export interface SlotUse {
  recipient: string;
  sender: string;
  senderAccountId: string;
  senderDeviceId: string;
  clientMsgId: string;
  fallbackId: string;
  smsId: string;
  lineEpoch: number;
  partnerId: string;
  market: string;
  subscriptionId: string | null;
  now: number;
}

/** Takes a slot for a conversation, or uses it again. Answers whether it is this conversation's. */
export const useSlot = defineOperation<SlotUse, boolean>({
  name: 'sms.useSlot',
  statements: [
    // One row each where two callers of a batch want the same slot; the one that is not taken looks again.
    `INSERT INTO sms_slot (recipient, sender, sender_account_id, sender_device_id, client_msg_id, fallback_id, sms_id, line_epoch,
       partner_id, market, subscription_id, first_used_at, last_used_at)
     SELECT ${str('recipient')}, ${str('sender')}, ${str('senderAccountId')}, ${str('senderDeviceId')}, ${str('clientMsgId')},
       ${str('fallbackId')}, ${str('smsId')}, ${big('lineEpoch')}, ${str('partnerId')}, ${str('market')}, ${str('subscriptionId')},
       ${big('now')}, ${big('now')}
     FROM :batch WHERE NOT EXISTS (SELECT 1 FROM sms_slot s WHERE s.recipient = ${str('recipient')} AND s.sender = ${str('sender')})
     ON CONFLICT (recipient, sender) DO NOTHING`,
    `UPDATE sms_slot AS s SET sender_device_id = ${str('senderDeviceId')}, client_msg_id = ${str('clientMsgId')},
       fallback_id = ${str('fallbackId')}, sms_id = ${str('smsId')}, line_epoch = ${big('lineEpoch')},
       subscription_id = ${str('subscriptionId')}, last_used_at = ${big('now')}
     FROM :batch
     WHERE s.recipient = ${str('recipient')} AND s.sender = ${str('sender')} AND s.sender_account_id = ${str('senderAccountId')}`,
    `SELECT b.key AS place FROM :batch JOIN sms_slot s
     ON s.recipient = ${str('recipient')} AND s.sender = ${str('sender')} AND s.sender_account_id = ${str('senderAccountId')}`,
  ],
  settle: (items, rows) => {
    const own = new Set(rows[2]?.map((row) => Number(row['place'])));
    return items.map((_, place) => own.has(place));
  },
});

/** Forgets what was kept only to recognise repeats, receipts that nobody claimed, and parts whose rest never came. */
export const forgetOld = defineOperation<{ repeatsBefore: number; keptBefore: number }, undefined>({
  name: 'sms.forgetOld',
  statements: [
    `DELETE FROM sms_inbound_part WHERE inbound_id IS NOT NULL AND heard_at < (SELECT MAX(${big('repeatsBefore')}) FROM :batch)`,
    `DELETE FROM sms_inbound_part WHERE heard_at < (SELECT MAX(${big('keptBefore')}) FROM :batch)`,
    `DELETE FROM sms_receipt_key WHERE receipt_id IN (SELECT id FROM sms_receipt
       WHERE sms_id IS NULL AND heard_at < (SELECT MAX(${big('keptBefore')}) FROM :batch))`,
    `DELETE FROM sms_receipt WHERE sms_id IS NULL AND heard_at < (SELECT MAX(${big('keptBefore')}) FROM :batch)`,
  ],
  settle: settleNothing,
});

/** Keeps a wrapped secret, the first one given under its name. */
export const insertSecret = defineOperation<{ name: string; wrapped: string }, undefined>({
  name: 'sms.insertSecret',
  statements: [
    `INSERT INTO sms_secret (name, wrapped) SELECT ${str('name')}, ${str('wrapped')} FROM :batch WHERE true ON CONFLICT DO NOTHING`,
  ],
  settle: settleNothing,
});
