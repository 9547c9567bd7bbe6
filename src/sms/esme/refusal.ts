import type { ErrorCode } from '../../kernel/error-codes.js';
import { isGatewayError } from '../../kernel/errors.js';
import { RefusedWith, STATUS, type StatusName } from '../../smpp/index.js';

/** What an ESME is told for our own codes; it knows SMPP's words only. */
const STATUSES: Partial<Record<ErrorCode, StatusName>> = {
  // It may come again later, which is what every ESME does with this one.
  UNAVAILABLE: 'ESME_RMSGQFUL',
  QUOTA_EXCEEDED: 'ESME_RTHROTTLED',
  'SMS.NO_ROUTE': 'ESME_RINVDSTADR',
  'SMS.TOO_LONG': 'ESME_RINVMSGLEN',
};

/** The refusal that answers a submit which failed so; whatever has no status of its own is ESME_RSUBMITFAIL. */
export const refusalOf = (failure: unknown): RefusedWith => new RefusedWith(statusOf(failure));

export function statusOf(failure: unknown): number {
  if (failure instanceof RefusedWith) return failure.commandStatus;
  if (!isGatewayError(failure)) return STATUS.ESME_RSYSERR;
  return STATUS[STATUSES[failure.code] ?? (failure.status >= 500 ? 'ESME_RSYSERR' : 'ESME_RSUBMITFAIL')];
}
