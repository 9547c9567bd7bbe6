import { defineOperation, settleNothing } from '../../store/index.js';
import { big, int, str } from '../batch-sql.js';

/** A row of sms_esme_submit as a submit inserts it. */
export interface NewSubmit {
  messageId: string;
  place: number;
  systemId: string;
  partnerId: string;
  smsId: string | null;
  serviceType: string;
  sourceTon: number;
  sourceNpi: number;
  source: string;
  destinationTon: number;
  destinationNpi: number;
  destination: string;
  registeredDelivery: number;
  /** JSON. */
  wish: string | null;
  groupKey: string | null;
  number: number | null;
  total: number | null;
  contentHash: string | null;
  wrapped: string | null;
  acceptedAt: number;
  heardAt: number;
}

const COLUMNS = `message_id, place, system_id, partner_id, sms_id, service_type, source_ton, source_npi, source, destination_ton,
  destination_npi, destination, registered_delivery, wish, group_key, number, total, content_hash, wrapped, accepted_at, untold, heard_at`;

/** The values of those columns from the members of the JSON `row`. */
function valuesOf(row: 'b.value' | 'e.value'): string {
  const text = (name: string) => `${row} ->> '${name}'`;
  const integer = (name: string) => `CAST(${row} ->> '${name}' AS INTEGER)`;
  const instant = (name: string) => `CAST(${row} ->> '${name}' AS BIGINT)`;
  return [
    ...[text('messageId'), integer('place'), text('systemId'), text('partnerId'), text('smsId'), text('serviceType')],
    ...[integer('sourceTon'), integer('sourceNpi'), text('source'), integer('destinationTon'), integer('destinationNpi')],
    ...[text('destination'), integer('registeredDelivery'), text('wish'), text('groupKey'), integer('number'), integer('total')],
    ...[text('contentHash'), text('wrapped'), instant('acceptedAt'), '0', instant('heardAt')],
  ].join(', ');
}

/** Keeps whole messages under one message id. Answers whether the id was free; if not, nothing of it is used. */
export const insertSubmits = defineOperation<{ messageId: string; rows: readonly NewSubmit[] }, boolean>({
  name: 'esme.insertSubmits',
  statements: [
    `INSERT INTO sms_esme_submit (${COLUMNS}) SELECT ${valuesOf('e.value')} FROM :members(rows) JOIN :batch ON b.key = e.place
     WHERE NOT EXISTS (SELECT 1 FROM sms_esme_submit s WHERE s.message_id = ${str('messageId')})
     ON CONFLICT DO NOTHING RETURNING sms_id`,
  ],
  settle: (items, [inserted]) => {
    const stored = new Set(inserted?.map((row) => row['sms_id']));
    return items.map(({ rows }) => rows.every(({ smsId }) => stored.has(smsId)));
  },
});

/** Parts that wait for the rest of their message. */
const OPEN = (alias: string) => `${alias}.sms_id IS NULL AND ${alias}.ended IS NULL`;

export type PartOutcome =
  /** Durable; the id is an earlier one where the part was a repeat. */
  | { messageId: string }
  /** The message id was in use, or another part of that number came in the same moment. */
  | 'again';

/**
 * Keeps a part of a long message. Parts under the same reference that are older than `staleBefore`, or among which this
 * number says something else, are of another message, which will not be whole any more.
 */
export const insertPart = defineOperation<NewSubmit & { staleBefore: number; endedAt: number }, PartOutcome>({
  name: 'esme.insertPart',
  statements: [
    `UPDATE sms_esme_submit AS s SET ended = 'incomplete', ended_at = ${big('endedAt')}, untold = 1, wrapped = NULL
     FROM :batch
     WHERE s.group_key = ${str('groupKey')} AND ${OPEN('s')} AND (s.heard_at < ${big('staleBefore')} OR EXISTS (
       SELECT 1 FROM sms_esme_submit o WHERE o.group_key = ${str('groupKey')} AND ${OPEN('o')}
         AND o.number = ${int('number')} AND o.content_hash <> ${str('contentHash')}))`,
    `INSERT INTO sms_esme_submit (${COLUMNS}) SELECT ${valuesOf('b.value')} FROM :batch WHERE true ON CONFLICT DO NOTHING`,
    `SELECT b.key AS place, s.message_id FROM :batch JOIN sms_esme_submit s ON s.group_key = ${str('groupKey')}
       AND s.number = ${int('number')} AND ${OPEN('s')} AND s.content_hash = ${str('contentHash')}`,
  ],
  settle: (items, rows) => {
    const kept = new Map(rows[2]?.map((row) => [Number(row['place']), String(row['message_id'])]));
    return items.map((_, place): PartOutcome => {
      const messageId = kept.get(place);
      return messageId === undefined ? 'again' : { messageId };
    });
  },
});

/**
 * Makes the parts of a group one SMS, if all are there and nobody else has. Answers whether this caller did: it is to send
 * it then, under this id.
 */
export const claimGroup = defineOperation<{ groupKey: string; total: number; smsId: string }, boolean>({
  name: 'esme.claimGroup',
  statements: [
    // One caller for a group: of several in a batch the join would give each part to any of them.
    `UPDATE sms_esme_submit AS s SET sms_id = g.chosen_id
     FROM (SELECT ${str('groupKey')} AS group_key, MAX(${int('total')}) AS total, MIN(${str('smsId')}) AS chosen_id
       FROM :batch GROUP BY ${str('groupKey')}) AS g
     WHERE s.group_key = g.group_key AND ${OPEN('s')}
       AND (SELECT COUNT(*) FROM sms_esme_submit o WHERE o.group_key = g.group_key AND ${OPEN('o')}) = g.total
     RETURNING sms_id`,
  ],
  settle: (items, [claimed]) => {
    const won = new Set(claimed?.map((row) => row['sms_id']));
    return items.map(({ smsId }) => won.has(smsId));
  },
});

export interface GroupEnd {
  smsId: string;
  /** Why it became no SMS; null when it did. */
  ended: string | null;
  /** The part whose submit is answered with the refusal: no receipt repeats it. */
  answered: string | null;
  endedAt: number;
}

/** The parts of a message are needed no more: it is queued, or never will be. */
export const endGroup = defineOperation<GroupEnd, undefined>({
  name: 'esme.endGroup',
  statements: [
    `UPDATE sms_esme_submit AS s SET wrapped = NULL, ended = ${str('ended')},
       ended_at = CASE WHEN ${str('ended')} IS NULL THEN NULL ELSE ${big('endedAt')} END,
       untold = CASE WHEN ${str('ended')} IS NULL OR s.message_id = ${str('answered')} THEN 0 ELSE 1 END
     FROM :batch WHERE s.sms_id = ${str('smsId')} AND s.ended IS NULL`,
  ],
  settle: settleNothing,
});

/** Ends the waiting parts of one group, or of every group whose parts are all older. Answers how many there were. */
export const endParts = defineOperation<{ groupKey: string; ended: string; endedAt: number }, number>({
  name: 'esme.endParts',
  statements: [
    `UPDATE sms_esme_submit AS s SET wrapped = NULL, ended = ${str('ended')}, ended_at = ${big('endedAt')}, untold = 1
     FROM :batch WHERE s.group_key = ${str('groupKey')} AND ${OPEN('s')} RETURNING group_key`,
  ],
  settle: (items, [ended]) => items.map(({ groupKey }) => ended?.filter((row) => row['group_key'] === groupKey).length ?? 0),
});

/** What a submit asks for now that its text was replaced. */
export const changeSubmit = defineOperation<{ messageId: string; registeredDelivery: number; wish: string }, undefined>({
  name: 'esme.changeSubmit',
  statements: [
    `UPDATE sms_esme_submit AS s SET registered_delivery = ${int('registeredDelivery')}, wish = ${str('wish')}
     FROM :batch WHERE s.message_id = ${str('messageId')}`,
  ],
  settle: settleNothing,
});

/** Its ESME has been told, as far as it asked to be. */
export const markSubmitTold = defineOperation<{ messageId: string }, undefined>({
  name: 'esme.markSubmitTold',
  statements: [`UPDATE sms_esme_submit AS s SET untold = 0 FROM :batch WHERE s.message_id = ${str('messageId')} AND s.untold = 1`],
  settle: settleNothing,
});

export const forgetSubmits = defineOperation<{ before: number }, undefined>({
  name: 'esme.forgetSubmits',
  statements: [`DELETE FROM sms_esme_submit WHERE heard_at < (SELECT MAX(${big('before')}) FROM :batch)`],
  settle: settleNothing,
});
