import { invalidField } from '../../kernel/errors.js';
import type { Money } from '../../kernel/money.js';
import type { Partner } from '../../partners/index.js';
import type { SmsClass } from '../message.js';

/** What one mode of fallback may do. */
export interface ModeLimit {
  allowed: boolean;
  /** SMS of this mode in a day of the market, at most; no bound when left out. */
  perDayMax?: number | undefined;
}

export interface QuietHours {
  /** `HH:MM`, local time of the market. */
  from: string;
  /** Earlier than `from`: the next morning. */
  to: string;
  classes: readonly SmsClass[];
}

/**
 * What the bridge may send for a partner. partner.yaml says it first; the partner changes it over the API. Limits count in
 * the partner's domain time.
 */
export interface SmsPolicy {
  /** Nothing is sent: fallbacks stay armed, messages of the partner are refused, and what is queued waits. */
  killSwitch: boolean;
  modes: { notice: ModeLimit; sealed: ModeLimit };
  /** What the SMS of fallbacks may cost in a calendar month, by the agreement; then they are held. */
  monthlyBudget: Money;
  quietHours: QuietHours | null;
  caps: { perRecipientPerDay: number; perPairPerDay: number; perMarketPerHour: number };
  pumping: { percentOfMean: number; minimumPerHour: number; sequentialNumbers: number };
}

/** What holds until the partner has put something in its place. */
export const policyOf = ({ sms, agreement }: Pick<Partner, 'sms' | 'agreement'>): SmsPolicy => ({
  killSwitch: false,
  modes: { notice: { allowed: true }, sealed: { allowed: true } },
  monthlyBudget: agreement.monthlyBudget,
  quietHours: sms.quietHours ?? null,
  caps: {
    perRecipientPerDay: sms.capPerRecipientPerDay,
    perPairPerDay: sms.capPerPairPerDay,
    perMarketPerHour: sms.capPerMarketPerHour,
  },
  pumping: sms.pumping,
});

/**
 * What the contract's schema cannot say.
 *
 * @throws GatewayError `INVALID_ARGUMENT` naming the field.
 */
export function checkPolicy({ quietHours, monthlyBudget }: SmsPolicy, { agreement }: Pick<Partner, 'agreement'>): void {
  const { currency } = agreement.monthlyBudget;
  if (monthlyBudget.currency !== currency)
    throw invalidField('/monthlyBudget/currency', `must be ${currency}, the currency of the agreement`);
  if (quietHours && quietHours.from === quietHours.to) throw invalidField('/quietHours/to', 'must not be when they begin; null means none');
}
