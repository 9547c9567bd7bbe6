import { EVENT_TOPIC } from '../../events/index.js';
import { defineOperation, settleNothing } from '../../store/index.js';
import { big, int, str } from '../batch-sql.js';

export interface NewInbound {
  id: string;
  partnerId: string;
  linkId: string;
  sender: string;
  recipient: string;
  content: 'text' | 'binary';
  missingParts: number;
  wrapped: string;
  contentHash: string;
  sessionId: string;
  receivedAt: number;
  heardAt: number;
}

const insertInboundSql = (condition: string): string =>
  `INSERT INTO sms_inbound (id, partner_id, link_id, sender, recipient, state, content, missing_parts, wrapped, content_hash, session_id,
     received_at, heard_at)
   SELECT ${str('id')}, ${str('partnerId')}, ${str('linkId')}, ${str('sender')}, ${str('recipient')}, 'received', ${str('content')},
     ${int('missingParts')}, ${str('wrapped')}, ${str('contentHash')}, ${str('sessionId')}, ${big('receivedAt')}, ${big('heardAt')}
   FROM :batch WHERE ${condition} ON CONFLICT DO NOTHING RETURNING id`;

export const insertInbound = defineOperation<NewInbound, undefined>({
  name: 'sms.insertInbound',
  statements: [insertInboundSql('true')],
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
    // Takes the row: of two nodes that route it the second waits here, and finds it routed in what follows.
    `UPDATE sms_inbound AS i SET state = i.state FROM :batch WHERE i.id = ${str('id')} AND i.state = 'received'`,
    `INSERT INTO outbox (id, topic, payload, created_at)
     SELECT ${str('eventId')}, '${EVENT_TOPIC}', ${str('event')}, ${big('wallNow')}
     FROM :batch JOIN sms_inbound i ON i.id = ${str('id')} AND i.state = 'received'`,
    `UPDATE sms_inbound AS i SET state = ${str('state')}, reason = ${str('reason')},
       wrapped = CASE WHEN ${str('state')} = 'routed' THEN NULL ELSE i.wrapped END
     FROM :batch WHERE i.id = ${str('id')} AND i.state = 'received' RETURNING id`,
  ],
  settle: (items, rows) => {
    const ended = new Set(rows[2]?.map((row) => row['id']));
    return items.map((item) => ended.has(item.id));
  },
});

export interface NewInboundPart {
  groupKey: string;
  number: number;
  total: number;
  partnerId: string;
  linkId: string;
  sender: string;
  recipient: string;
  wrapped: string;
  contentHash: string;
  sessionId: string;
  heardAt: number;
}

/** Keeps a part, replacing one of an earlier message that used the same reference. */
export const insertInboundPart = defineOperation<NewInboundPart, undefined>({
  name: 'sms.insertInboundPart',
  statements: [
    `INSERT INTO sms_inbound_part (group_key, number, total, partner_id, link_id, sender, recipient, wrapped, content_hash, session_id, heard_at)
     SELECT ${str('groupKey')}, ${int('number')}, ${int('total')}, ${str('partnerId')}, ${str('linkId')}, ${str('sender')},
       ${str('recipient')}, ${str('wrapped')}, ${str('contentHash')}, ${str('sessionId')}, ${big('heardAt')}
     FROM :batch WHERE true
     ON CONFLICT (group_key, number) DO UPDATE SET total = excluded.total, wrapped = excluded.wrapped,
       content_hash = excluded.content_hash, session_id = excluded.session_id, inbound_id = NULL, heard_at = excluded.heard_at`,
  ],
  settle: settleNothing,
});

export interface JoinedInbound extends NewInbound {
  groupKey: string;
  parts: readonly { number: number; contentHash: string }[];
  partCount: number;
}

const OWN_PARTS = `p.group_key = ${str('groupKey')} AND p.inbound_id = ${str('id')}`;
const IS_STORED = `EXISTS (SELECT 1 FROM sms_inbound i WHERE i.id = ${str('id')})`;

/**
 * The joined message, and its parts without their text, in one commit. Answers whether it was this caller's: of two nodes that join
 * them the second finds a part gone, and joins nothing; a part that came meanwhile stays.
 */
export const joinInbound = defineOperation<JoinedInbound, boolean>({
  name: 'sms.joinInbound',
  statements: [
    `UPDATE sms_inbound_part AS p SET inbound_id = ${str('id')} FROM :members(parts) JOIN :batch ON b.key = e.place
     WHERE p.group_key = ${str('groupKey')} AND p.number = CAST(e.value ->> 'number' AS INTEGER)
       AND p.content_hash = e.value ->> 'contentHash' AND p.inbound_id IS NULL`,
    insertInboundSql(`(SELECT COUNT(*) FROM sms_inbound_part p WHERE ${OWN_PARTS}) = ${int('partCount')}`),
    `UPDATE sms_inbound_part AS p SET wrapped = NULL FROM :batch WHERE ${OWN_PARTS} AND ${IS_STORED}`,
    `UPDATE sms_inbound_part AS p SET inbound_id = NULL FROM :batch WHERE ${OWN_PARTS} AND NOT ${IS_STORED}`,
  ],
  settle: (items, rows) => {
    const joined = new Set(rows[1]?.map((row) => row['id']));
    return items.map((item) => joined.has(item.id));
  },
});

/** Messages that one transaction forgets, so that others wait for it briefly. */
const FORGOTTEN_MAX = 500;

/** Forgets messages that were heard before and have ended, the oldest first. Answers whether there may be more. */
export const forgetInbound = defineOperation<{ before: number }, boolean>({
  name: 'sms.forgetInbound',
  statements: [
    `DELETE FROM sms_inbound WHERE id IN (SELECT id FROM sms_inbound
       WHERE state <> 'received' AND heard_at < (SELECT MAX(${big('before')}) FROM :batch) ORDER BY heard_at LIMIT ${FORGOTTEN_MAX})
     RETURNING id`,
  ],
  settle: (items, [forgotten]) => items.map(() => forgotten?.length === FORGOTTEN_MAX),
});
