import { EVENT_TOPIC } from '../../events/index.js';
import { defineOperation, settleNothing } from '../../store/index.js';
import { big, int, str } from '../batch-sql.js';

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

const insertInboundSql = (condition: string): string =>
  `INSERT INTO sms_inbound (id, partner_id, link_id, sender, recipient, state, wrapped, content_hash, session_id, received_at, heard_at)
   SELECT ${str('id')}, ${str('partnerId')}, ${str('linkId')}, ${str('sender')}, ${str('recipient')}, 'received', ${str('wrapped')},
     ${str('contentHash')}, ${str('sessionId')}, ${big('receivedAt')}, ${big('heardAt')}
   FROM :batch WHERE ${condition} ON CONFLICT DO NOTHING`;

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
    // The parts first: of two nodes that have them all the second finds none left, and joins nothing.
    `UPDATE sms_inbound_part AS p SET wrapped = NULL, inbound_id = ${str('id')}
     FROM :batch WHERE p.group_key = ${str('groupKey')} AND p.inbound_id IS NULL`,
    insertInboundSql(`EXISTS (SELECT 1 FROM sms_inbound_part p WHERE p.group_key = ${str('groupKey')} AND p.inbound_id = ${str('id')})`),
  ],
  settle: settleNothing,
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
