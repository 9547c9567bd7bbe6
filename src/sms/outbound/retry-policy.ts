import { backoffMs } from '../../kernel/retry.js';
import type { SmppLink } from '../../partners/index.js';
import type { SmsPart } from '../message.js';

/** The SMSC is full or we are too fast: it takes the message later, so the message's own validity bounds the tries. */
const BUSY = new Set(['ESME_RTHROTTLED', 'ESME_RMSGQFUL']);

/** Something broke over there (SMPP 3.4 §5.1.3, 5.0 §4.7.6); it mostly passes, and a message at fault would meet it again. */
const PASSING = new Set(['ESME_RSYSERR', 'ESME_RSUBMITFAIL', 'ESME_RX_T_APPN', 'ESME_RUNKNOWNERR', 'ESME_RSERTYPUNAVAIL']);
const PASSING_ATTEMPTS_MAX = 5;

export const isBusy = (commandStatus: string | undefined): boolean => commandStatus !== undefined && BUSY.has(commandStatus);

/** partner.yaml `smpp.links[].retry`: what this SMSC means by a status, where that is not what others mean. */
export type RetryRules = SmppLink['retry'];

const LONGEST_MS = 3_600_000;

/**
 * When a part that the SMSC did not take may go out again.
 *
 * @param attempts how often the message was tried, this one included.
 * @returns undefined when another try would meet the same refusal.
 */
export function retryDelayMs(
  { outcome, commandStatus }: Pick<SmsPart, 'outcome' | 'commandStatus'>,
  attempts: number,
  rules: RetryRules = {},
): number | undefined {
  if (outcome === 'never-sent') return commandStatus === undefined ? 0 : undefined;
  if (commandStatus === undefined) return undefined;
  const rule = rules[commandStatus];
  if (rule === 'never') return undefined;
  if (rule) return attempts < rule.attempts ? backoffMs({ firstMs: rule.afterSeconds * 1_000, maxMs: LONGEST_MS }, attempts) : undefined;
  if (isBusy(commandStatus)) return backoffMs({ firstMs: 1_000, maxMs: 60_000 }, attempts);
  return PASSING.has(commandStatus) && attempts < PASSING_ATTEMPTS_MAX
    ? backoffMs({ firstMs: 2_000, maxMs: 120_000 }, attempts)
    : undefined;
}
