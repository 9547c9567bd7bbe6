import type { SmsContext } from '../context.js';
import type { SmsPolicies } from '../policy/policies.js';

/** What the SMS of fallbacks may still cost this month. */
export interface Budget {
  /** How many fallbacks may be claimed now, each as dear as one can be; 0 when the month's budget is used up. */
  allowance(partnerId: string): number;
  /** So many were claimed: they count before they cost anything. */
  claimed(partnerId: string, count: number): void;
  /** Reads what has been charged, and what is on its way. */
  look(): Promise<void>;
}

/** A sealed text has at most three segments. */
const SEGMENTS_MAX = 3;

/**
 * Asks the sum of the month's charges. What is queued and not charged yet counts as if it took every segment that it may, so that
 * a budget is not passed. Charges in another currency than the budget's cannot be compared with it and do not count.
 */
export function createBudget(
  { store, domainClock, partners }: Pick<SmsContext, 'store' | 'domainClock' | 'partners'>,
  policies: Pick<SmsPolicies, 'current'>,
): Budget {
  let spent = new Map<string, number>();
  let open = new Map<string, number>();

  /** The month of the partner's first market. */
  const monthOf = (partnerId: string): string =>
    new Intl.DateTimeFormat('en-CA', {
      timeZone: partners.get(partnerId)?.markets[0]?.timeZone ?? 'UTC',
      year: 'numeric',
      month: '2-digit',
    })
      .format(domainClock.now(partnerId))
      .slice(0, 7);

  /** The dearest that one fallback can be, in the budget's currency; 0 where nothing is charged in it. */
  function dearest(partnerId: string, currency: string): number {
    const rates = partners.get(partnerId)?.agreement.rates ?? [];
    const prices = rates
      .filter((rate) => rate.service === 'sms-mt' && rate.currency === currency)
      .map(({ amountMinor, unit }) => (unit === 'segment' ? amountMinor * SEGMENTS_MAX : amountMinor));
    return Math.max(0, ...prices);
  }

  return {
    allowance(partnerId) {
      const { amountMinor, currency } = policies.current(partnerId).monthlyBudget;
      const each = dearest(partnerId, currency);
      if (each === 0) return Number.MAX_SAFE_INTEGER;
      const used = (spent.get(`${partnerId} ${monthOf(partnerId)} ${currency}`) ?? 0) + (open.get(partnerId) ?? 0) * each;
      return Math.max(0, Math.floor((amountMinor - used) / each));
    },
    claimed: (partnerId, count) => void open.set(partnerId, (open.get(partnerId) ?? 0) + count),
    async look() {
      const rows = await store.read<{ partner_id: string; month: string; currency: string; amount_minor: number }>(
        `SELECT partner_id, month, currency, amount_minor FROM sms_spend WHERE kind = 'fallback'`,
      );
      const waiting = await store.read<{ partner_id: string; n: number }>(
        `SELECT partner_id, COUNT(*) AS n FROM sms_message WHERE fallback_id IS NOT NULL AND state IN ('queued', 'submitting') GROUP BY partner_id`,
      );
      spent = new Map(rows.map((row) => [`${row.partner_id} ${row.month} ${row.currency}`, Number(row.amount_minor)]));
      open = new Map(waiting.map((row) => [row.partner_id, Number(row.n)]));
    },
  };
}
