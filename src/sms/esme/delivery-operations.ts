import { defineOperation, settleNothing } from '../../store/index.js';
import { big, int, str } from '../batch-sql.js';

export interface NewDelivery {
  /** What it tells; a second one with the same cause is not stored. */
  cause: string;
  systemId: string;
  partnerId: string;
  kind: 'receipt' | 'message';
  /** JSON. */
  fields: string;
  wrapped: string | null;
  heardAt: number;
}

const member = (name: string): string => `e.value ->> '${name}'`;

/** Keeps what an ESME is to be told, all or none. */
export const insertDeliveries = defineOperation<{ deliveries: readonly NewDelivery[] }, undefined>({
  name: 'esme.insertDeliveries',
  statements: [
    `INSERT INTO sms_esme_delivery (cause, system_id, partner_id, kind, fields, wrapped, state, attempts, not_before, heard_at)
     SELECT ${member('cause')}, ${member('systemId')}, ${member('partnerId')}, ${member('kind')}, ${member('fields')}, ${member('wrapped')},
       'waiting', 0, CAST(${member('heardAt')} AS BIGINT), CAST(${member('heardAt')} AS BIGINT)
     FROM :batch, :members(deliveries) WHERE true ON CONFLICT DO NOTHING`,
  ],
  settle: settleNothing,
});

export interface DeliveryEnd {
  position: number;
  /** `done`: the ESME has taken it. `failed`: it never will. */
  state: 'done' | 'failed';
  commandStatus: string | null;
}

/** It is not delivered again. What it said goes; the row stays for a while, so that its cause is known. */
export const endDelivery = defineOperation<DeliveryEnd, undefined>({
  name: 'esme.endDelivery',
  statements: [
    `UPDATE sms_esme_delivery AS d SET state = ${str('state')}, command_status = ${str('commandStatus')}, fields = '', wrapped = NULL,
       attempts = d.attempts + 1
     FROM :batch WHERE d.position = ${big('position')} AND d.state = 'waiting'`,
  ],
  settle: settleNothing,
});

export interface DeliveryDelay {
  position: number;
  /** 0 when nothing of it was sent. */
  attempts: number;
  commandStatus: string | null;
  notBefore: number;
}

export const delayDelivery = defineOperation<DeliveryDelay, undefined>({
  name: 'esme.delayDelivery',
  statements: [
    `UPDATE sms_esme_delivery AS d SET attempts = d.attempts + ${int('attempts')}, command_status = ${str('commandStatus')},
       not_before = ${big('notBefore')}
     FROM :batch WHERE d.position = ${big('position')} AND d.state = 'waiting'`,
  ],
  settle: settleNothing,
});

/** What no ESME came for in time has failed; what has ended is forgotten. */
export const forgetDeliveries = defineOperation<{ waitingBefore: number; endedBefore: number }, undefined>({
  name: 'esme.forgetDeliveries',
  statements: [
    `DELETE FROM sms_esme_delivery WHERE state <> 'waiting' AND heard_at < (SELECT MAX(${big('endedBefore')}) FROM :batch)`,
    `UPDATE sms_esme_delivery SET state = 'failed', command_status = 'expired', fields = '', wrapped = NULL
     WHERE state = 'waiting' AND heard_at < (SELECT MAX(${big('waitingBefore')}) FROM :batch)`,
  ],
  settle: settleNothing,
});
