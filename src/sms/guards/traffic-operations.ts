import { defineOperation, settleNothing } from '../../store/index.js';
import { big, str } from '../batch-sql.js';

export interface Counted {
  partnerId: string;
  market: string;
  range: string;
  hour: number;
  messages: number;
}

const member = (name: string): string => `e.value ->> '${name}'`;

/** Adds what a node has counted to what all nodes have. */
export const addTraffic = defineOperation<{ counted: readonly Counted[] }, undefined>({
  name: 'sms.addTraffic',
  statements: [
    `INSERT INTO sms_traffic (partner_id, market, number_range, hour, messages)
     SELECT ${member('partnerId')}, ${member('market')}, ${member('range')}, CAST(${member('hour')} AS BIGINT), SUM(CAST(${member('messages')} AS BIGINT))
     FROM :members(counted) WHERE true
     GROUP BY ${member('partnerId')}, ${member('market')}, ${member('range')}, CAST(${member('hour')} AS BIGINT)
     ON CONFLICT (partner_id, number_range, hour, market) DO UPDATE SET messages = sms_traffic.messages + excluded.messages`,
  ],
  settle: settleNothing,
});

export const forgetTraffic = defineOperation<{ partnerId: string; before: number }, undefined>({
  name: 'sms.forgetTraffic',
  statements: [
    `DELETE FROM sms_traffic
     WHERE EXISTS (SELECT 1 FROM :batch WHERE sms_traffic.partner_id = ${str('partnerId')} AND sms_traffic.hour < ${big('before')})`,
  ],
  settle: settleNothing,
});
