import { EVENT_TOPIC } from '../events/event.js';
import { defineOperation, settleNothing } from '../store/index.js';

const big = (name: string) => `CAST(b.value ->> '${name}' AS BIGINT)`;
const int = (name: string) => `CAST(b.value ->> '${name}' AS INTEGER)`;
const str = (name: string) => `b.value ->> '${name}'`;

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
  domainNow: number;
}

/** The mark that is durable before the first octet is on the wire. Answers whether this caller made it. */
export const markSubmitting = defineOperation<SubmittingSms, boolean>({
  name: 'sms.markSubmitting',
  statements: [
    `UPDATE sms_message AS m SET state = 'submitting', reason = NULL, attempts = m.attempts + 1, encoding = ${str('encoding')},
       segment_count = ${int('segmentCount')}, pdu_count = ${int('pduCount')}, updated_at = ${big('domainNow')}, version = m.version + 1
     FROM :batch
     WHERE m.id = ${str('id')} AND m.state = 'queued' AND m.version = ${big('version')} RETURNING id`,
  ],
  settle: (items, [marked]) => {
    const won = new Set(marked?.map((row) => row['id']));
    return items.map((item) => won.has(item.id));
  },
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
  receiptDueAt: number | null;
  untold: number;
  eventId: string | null;
  /** A NewEvent as JSON text. */
  event: string | null;
  wallNow: number;
}

/** A message's new state and the event that tells of it, in one commit. Answers whether this caller made it. */
export const changeSms = defineOperation<SmsChange, boolean>({
  name: 'sms.change',
  statements: [
    `UPDATE sms_message AS m SET state = ${str('state')}, reason = ${str('reason')}, resends = ${int('resends')},
       price_minor = ${big('priceMinor')}, price_currency = ${str('priceCurrency')}, submitted_at = ${big('submittedAt')},
       final_at = ${big('finalAt')}, updated_at = ${big('updatedAt')}, not_before = ${big('notBefore')},
       receipt_due_at = ${big('receiptDueAt')}, untold = ${int('untold')}, version = m.version + 1, change_id = ${str('changeId')}
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

export interface NewReceipt {
  id: string;
  linkId: string;
  smscMessageIds: string;
  state: string;
  errorCode: string | null;
  doneDate: string | null;
  recipient: string;
  sender: string;
  receivedAt: number;
  heardAt: number;
}

/** Keeps a receipt; the same one again changes nothing. */
export const insertReceipt = defineOperation<NewReceipt, undefined>({
  name: 'sms.insertReceipt',
  statements: [
    `INSERT INTO sms_receipt (id, link_id, smsc_message_ids, state, error_code, done_date, recipient, sender, received_at, heard_at)
     SELECT ${str('id')}, ${str('linkId')}, ${str('smscMessageIds')}, ${str('state')}, ${str('errorCode')}, ${str('doneDate')},
       ${str('recipient')}, ${str('sender')}, ${big('receivedAt')}, ${big('heardAt')}
     FROM :batch WHERE true ON CONFLICT DO NOTHING`,
  ],
  settle: settleNothing,
});

export const insertReceiptKey = defineOperation<{ linkId: string; smscKey: string; receiptId: string }, undefined>({
  name: 'sms.insertReceiptKey',
  statements: [
    `INSERT INTO sms_receipt_key (link_id, smsc_key, receipt_id)
     SELECT ${str('linkId')}, ${str('smscKey')}, ${str('receiptId')} FROM :batch WHERE true ON CONFLICT DO NOTHING`,
  ],
  settle: settleNothing,
});

/** Gives a held receipt to the part that it is of. Answers whether it was still held. */
export const matchReceipt = defineOperation<{ id: string; smsId: string; number: number }, boolean>({
  name: 'sms.matchReceipt',
  statements: [
    `UPDATE sms_receipt AS r SET sms_id = ${str('smsId')}, number = ${int('number')}
     FROM :batch WHERE r.id = ${str('id')} AND r.sms_id IS NULL RETURNING id`,
  ],
  settle: (items, [matched]) => {
    const done = new Set(matched?.map((row) => row['id']));
    return items.map((item) => done.has(item.id));
  },
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

export interface NewInbound {
  id: string;
  partnerId: string;
  linkId: string;
  sender: string;
  recipient: string;
  wrapped: string;
  contentHash: string;
  sessionId: string;
  receivedAt: number;
  heardAt: number;
}

export const insertInbound = defineOperation<NewInbound, undefined>({
  name: 'sms.insertInbound',
  statements: [
    `INSERT INTO sms_inbound (id, partner_id, link_id, sender, recipient, state, wrapped, content_hash, session_id, received_at, heard_at)
     SELECT ${str('id')}, ${str('partnerId')}, ${str('linkId')}, ${str('sender')}, ${str('recipient')}, 'received', ${str('wrapped')},
       ${str('contentHash')}, ${str('sessionId')}, ${big('receivedAt')}, ${big('heardAt')}
     FROM :batch WHERE true ON CONFLICT DO NOTHING`,
  ],
  settle: settleNothing,
});

export interface InboundEnd {
  id: string;
  state: 'routed' | 'unmatched';
  reason: string | null;
  eventId: string;
  event: string;
  wallNow: number;
}

/** Where an inbound SMS went, with its event. The text goes once it is sealed to its reader; what matches nothing keeps it, encrypted. */
export const endInbound = defineOperation<InboundEnd, boolean>({
  name: 'sms.endInbound',
  statements: [
    `INSERT INTO outbox (id, topic, payload, created_at)
     SELECT ${str('eventId')}, '${EVENT_TOPIC}', ${str('event')}, ${big('wallNow')}
     FROM :batch JOIN sms_inbound i ON i.id = ${str('id')} AND i.state = 'received'`,
    `UPDATE sms_inbound AS i SET state = ${str('state')}, reason = ${str('reason')},
       wrapped = CASE WHEN ${str('state')} = 'routed' THEN NULL ELSE i.wrapped END
     FROM :batch WHERE i.id = ${str('id')} AND i.state = 'received' RETURNING id`,
  ],
  settle: (items, rows) => {
    const ended = new Set(rows[1]?.map((row) => row['id']));
    return items.map((item) => ended.has(item.id));
  },
});

export interface NewInboundPart {
  groupKey: string;
  number: number;
  total: number;
  wrapped: string;
  contentHash: string;
  sessionId: string;
  heardAt: number;
}

/** Keeps a part, replacing one of an earlier message that used the same reference. */
export const insertInboundPart = defineOperation<NewInboundPart, undefined>({
  name: 'sms.insertInboundPart',
  statements: [
    `INSERT INTO sms_inbound_part (group_key, number, total, wrapped, content_hash, session_id, heard_at)
     SELECT ${str('groupKey')}, ${int('number')}, ${int('total')}, ${str('wrapped')}, ${str('contentHash')}, ${str('sessionId')},
       ${big('heardAt')}
     FROM :batch WHERE true
     ON CONFLICT (group_key, number) DO UPDATE SET total = excluded.total, wrapped = excluded.wrapped,
       content_hash = excluded.content_hash, session_id = excluded.session_id, inbound_id = NULL, heard_at = excluded.heard_at`,
  ],
  settle: settleNothing,
});

/** The joined message, and its parts without their text, in one commit. */
export const joinInbound = defineOperation<NewInbound & { groupKey: string }, undefined>({
  name: 'sms.joinInbound',
  statements: [
    ...insertInbound.statements,
    `UPDATE sms_inbound_part AS p SET wrapped = NULL, inbound_id = ${str('id')}
     FROM :batch WHERE p.group_key = ${str('groupKey')} AND p.inbound_id IS NULL`,
  ],
  settle: settleNothing,
});

/** Forgets what was kept only to recognise repeats, and receipts that nobody claimed. */
export const forgetOld = defineOperation<{ repeatsBefore: number; receiptsBefore: number }, undefined>({
  name: 'sms.forgetOld',
  statements: [
    `DELETE FROM sms_inbound_part WHERE inbound_id IS NOT NULL AND heard_at < (SELECT MAX(${big('repeatsBefore')}) FROM :batch)`,
    `DELETE FROM sms_receipt_key WHERE receipt_id IN (SELECT id FROM sms_receipt
       WHERE sms_id IS NULL AND heard_at < (SELECT MAX(${big('receiptsBefore')}) FROM :batch))`,
    `DELETE FROM sms_receipt WHERE sms_id IS NULL AND heard_at < (SELECT MAX(${big('receiptsBefore')}) FROM :batch)`,
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
