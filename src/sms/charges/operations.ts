import { defineOperation } from '../../store/index.js';
import { big, int, str } from '../batch-sql.js';

export interface ChargeItem {
  id: string;
  smsId: string;
  partnerId: string;
  market: string;
  fallbackId: string | null;
  /** What is owed for the message in all. */
  owedMinor: number;
  currency: string;
  units: number;
  unit: string;
  chargeable: string;
  reason: string;
  provenance: string;
  at: number;
  /** `YYYY-MM` of the partner's own time. */
  month: string;
}

const SO_FAR = `(SELECT COALESCE(SUM(c.amount_minor), 0) FROM sms_charge c WHERE c.sms_id = ${str('smsId')})`;
const KIND = `CASE WHEN c.fallback_id IS NULL THEN 'message' ELSE 'fallback' END`;

/**
 * Writes down the difference between what is owed for a message and what has been written so far: a charge, or a refund. Where
 * there is none, nothing is written, so that it may be asked again at any time. Answers what is written of it then in all:
 * something else than what is owed when another node was first.
 */
export const chargeSms = defineOperation<ChargeItem, number>({
  name: 'sms.charge',
  statements: [
    `INSERT INTO sms_charge (id, sms_id, sequence, partner_id, market, fallback_id, amount_minor, currency, units, unit, chargeable,
       reason, provenance, at)
     SELECT ${str('id')}, ${str('smsId')}, (SELECT COUNT(*) FROM sms_charge c WHERE c.sms_id = ${str('smsId')}), ${str('partnerId')},
       ${str('market')}, ${str('fallbackId')}, ${big('owedMinor')} - ${SO_FAR}, ${str('currency')}, ${int('units')}, ${str('unit')},
       ${str('chargeable')}, ${str('reason')}, ${str('provenance')}, ${big('at')}
     FROM :batch WHERE ${big('owedMinor')} <> ${SO_FAR} ORDER BY b.key DESC
     ON CONFLICT DO NOTHING`,
    `INSERT INTO sms_spend (partner_id, month, kind, currency, amount_minor)
     SELECT c.partner_id, ${str('month')}, ${KIND}, c.currency, SUM(c.amount_minor)
     FROM :batch JOIN sms_charge c ON c.id = ${str('id')} WHERE true
     GROUP BY c.partner_id, ${str('month')}, ${KIND}, c.currency
     ON CONFLICT (partner_id, month, kind, currency) DO UPDATE SET amount_minor = sms_spend.amount_minor + excluded.amount_minor`,
    `SELECT b.key AS place, ${SO_FAR} AS so_far FROM :batch`,
  ],
  settle: (items, rows) => {
    const soFar = new Map(rows[2]?.map((row) => [Number(row['place']), Number(row['so_far'])]));
    return items.map((_, place) => soFar.get(place) ?? 0);
  },
});
