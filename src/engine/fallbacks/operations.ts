import { defineOperation, type Row, type StatementRows, settleNothing } from '../../store/index.js';
import { appendEnvelopesSql, statusSource } from '../envelopes/append-sql.js';
import { fallbackFactSql } from '../fact-sql.js';
import { ENGINE_TOPIC } from '../facts.js';
import { type Fallback, fallbackOf } from './row.js';

/** What every step needs: the ids are fresh and used only when the step is made. */
interface StepItem {
  id: string;
  factId: string;
  /** Of the status envelope in the sender's queue. */
  statusId: string;
  /** RFC 3339. */
  statusAt: string;
  /** Domain time of the partner, milliseconds. */
  at: number;
  /** Milliseconds. */
  wallNow: number;
}

export interface ClaimItem extends StepItem {
  smsId: string;
}

export interface AdvanceItem extends StepItem {
  /** `,claimed,submitted,` */
  from: string;
  to: string;
  reason: string | null;
  smsId: string | null;
  segments: number | null;
  priceMinor: number | null;
  priceCurrency: string | null;
}

export interface StepResult {
  /** As it stood after the step; undefined when another step was first and nothing was done. */
  stepped: Fallback | undefined;
  /** The sender's device, when it got a status. */
  wake: string | undefined;
}

/** The rows that this batch stepped: only the step that won has left its fact's id. */
const STEPPED = `:batch JOIN engine_sms_fallback f ON f.id = b.value ->> 'id' AND f.fact_id = b.value ->> 'factId'`;

const [reserve, append] = appendEnvelopesSql(
  statusSource({
    from: STEPPED,
    senderDeviceId: 'f.sender_device_id',
    clientMsgId: 'f.client_msg_id',
    messageId: 'f.message_id',
    status: `CASE f.state WHEN 'cancelled' THEN 'fallback-cancelled' WHEN 'claimed' THEN 'fallback-claimed'
      WHEN 'submitted' THEN 'sent-by-sms' WHEN 'delivered' THEN 'delivered-by-sms' WHEN 'failed' THEN 'undelivered-by-sms'
      ELSE 'may-have-arrived' END`,
    fallbackId: 'f.id',
  }),
);

/** Fact, status and answer of a step, whatever it was. */
const AFTER_STEP = [
  `INSERT INTO outbox (id, topic, payload, created_at)
   SELECT f.fact_id, '${ENGINE_TOPIC}', ${fallbackFactSql}, CAST(b.value ->> 'wallNow' AS BIGINT) FROM ${STEPPED} WHERE true`,
  reserve,
  append,
  `SELECT f.* FROM ${STEPPED}`,
];

function settleSteps(items: readonly StepItem[], rows: readonly StatementRows[]): StepResult[] {
  const stepped = new Map<unknown, Row>((rows.at(-1) ?? []).map((row) => [row['fact_id'], row]));
  const woken = new Map(rows.at(-2)?.map((row) => [row['id'], String(row['device_id'])]));
  return items.map((item) => {
    const row = stepped.get(item.factId);
    return { stepped: row && fallbackOf(row), wake: woken.get(item.statusId) };
  });
}

const AT = `CAST(b.value ->> 'at' AS BIGINT)`;
const CHANGED_LINE = `COALESCE((SELECT l.epoch FROM engine_line l WHERE l.msisdn = f.msisdn), 0) <> f.line_epoch`;
const EXPIRED = `f.expires_at <= CAST(b.value ->> 'wallNow' AS BIGINT)`;

/** Cancels what is armed and may not be claimed any more: another holder of the number, or too late. */
const CANCEL_UNCLAIMABLE = `
  UPDATE engine_sms_fallback AS f SET state = 'cancelled', reason = CASE WHEN ${CHANGED_LINE} THEN 'line-changed' ELSE 'expired' END,
    sealed = NULL, settled_at = ${AT}, updated_at = ${AT}, fact_id = b.value ->> 'factId'
  FROM :batch
  WHERE f.id = b.value ->> 'id' AND f.state = 'armed' AND (${CHANGED_LINE} OR ${EXPIRED})`;

/** Claims what is due, or cancels it; the row's state decides against an ack, and one that is being acknowledged waits. */
export const claimFallbacks = defineOperation<ClaimItem, StepResult>({
  name: 'engine.claimFallbacks',
  statements: [
    CANCEL_UNCLAIMABLE,
    // Asked again: on PostgreSQL another node may have raised the line between the two statements.
    `UPDATE engine_sms_fallback AS f SET state = 'claimed', reason = NULL, sms_id = b.value ->> 'smsId', claimed_at = ${AT},
       updated_at = ${AT}, fact_id = b.value ->> 'factId'
     FROM :batch
     WHERE f.id = b.value ->> 'id' AND f.due_at <= ${AT} AND NOT (${CHANGED_LINE} OR ${EXPIRED}) AND f.id IN (
       SELECT id FROM engine_sms_fallback WHERE id IN (SELECT b.value ->> 'id' FROM :batch) AND state = 'armed' :skipLocked)`,
    ...AFTER_STEP,
  ],
  settle: settleSteps,
});

/** Cancels what is armed for a line that changed, or has expired; what is neither stays. */
export const cancelUnclaimable = defineOperation<StepItem, StepResult>({
  name: 'engine.cancelUnclaimable',
  statements: [CANCEL_UNCLAIMABLE, ...AFTER_STEP],
  settle: settleSteps,
});

export const advanceFallbacks = defineOperation<AdvanceItem, StepResult>({
  name: 'engine.advanceFallbacks',
  statements: [
    `UPDATE engine_sms_fallback AS f SET state = b.value ->> 'to',
       reason = CASE WHEN b.value ->> 'to' = 'delivered' THEN b.value ->> 'reason' ELSE COALESCE(b.value ->> 'reason', f.reason) END,
       sms_id = COALESCE(b.value ->> 'smsId', f.sms_id),
       segments = COALESCE(CAST(b.value ->> 'segments' AS INTEGER), f.segments),
       price_minor = COALESCE(CAST(b.value ->> 'priceMinor' AS BIGINT), f.price_minor),
       price_currency = COALESCE(b.value ->> 'priceCurrency', f.price_currency),
       sealed = CASE WHEN b.value ->> 'to' = 'claimed' THEN f.sealed END,
       claimed_at = CASE WHEN b.value ->> 'to' = 'claimed' THEN ${AT} ELSE f.claimed_at END,
       submitted_at = CASE WHEN b.value ->> 'to' = 'submitted' THEN ${AT} ELSE f.submitted_at END,
       settled_at = CASE WHEN b.value ->> 'to' IN ('cancelled', 'delivered', 'failed', 'unknown') THEN ${AT} END,
       updated_at = ${AT}, fact_id = b.value ->> 'factId'
     FROM :batch
     WHERE f.id = b.value ->> 'id' AND b.value ->> 'from' LIKE '%,' || f.state || ',%'`,
    ...AFTER_STEP,
  ],
  settle: settleSteps,
});

/** Puts off what is armed; whoever reads it sees why. Nobody is told: nothing has happened to it. */
export const deferFallbacks = defineOperation<{ id: string; until: number; reason: string; at: number }, undefined>({
  name: 'engine.deferFallbacks',
  statements: [
    `UPDATE engine_sms_fallback AS f SET due_at = CAST(b.value ->> 'until' AS BIGINT), reason = b.value ->> 'reason', updated_at = ${AT}
     FROM :batch WHERE f.id = b.value ->> 'id' AND f.state = 'armed'`,
  ],
  settle: settleNothing,
});

export const dropSealedTexts = defineOperation<{ id: string }, undefined>({
  name: 'engine.dropSealedTexts',
  statements: [`UPDATE engine_sms_fallback SET sealed = NULL WHERE id IN (SELECT b.value ->> 'id' FROM :batch) AND sealed IS NOT NULL`],
  settle: settleNothing,
});

/** Deletes the sealed texts that have expired, of claimed fallbacks too: nobody may open them any more. */
export const dropExpiredTexts = defineOperation<{ wallNow: number }, undefined>({
  name: 'engine.dropExpiredTexts',
  statements: [
    `UPDATE engine_sms_fallback SET sealed = NULL
     WHERE sealed IS NOT NULL AND expires_at <= (SELECT MAX(CAST(b.value ->> 'wallNow' AS BIGINT)) FROM :batch)`,
  ],
  settle: settleNothing,
});
