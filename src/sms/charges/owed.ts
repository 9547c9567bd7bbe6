import type { Rate } from '../../partners/index.js';
import { FINAL_STATES } from '../message.js';
import { partEnd } from '../outbound/truth.js';
import type { WholeSms } from '../read-sms.js';

/** What an operator's invoice may say of a message as it stands. */
export interface Owed {
  /** Segments or messages, by the agreement. */
  units: number;
  /** Why it is this and not another number, as a code. */
  reason: 'accepted' | 'delivered' | 'undelivered' | 'expired' | 'rejected' | 'no-receipt' | 'raced-pair';
}

/**
 * What is owed for a message: what the SMSC accepted, where that is what is charged; else what was accepted while its end is
 * open, and what was delivered once it is known. A pair of app copy and SMS that both arrived within moments is given back.
 *
 * @param isRaced a device acknowledged the app copy moments after the SMS was sent.
 */
export function owedFor(sms: WholeSms, rate: Pick<Rate, 'unit' | 'chargeable'>, isRaced: boolean): Owed {
  const { state, reason } = sms.message;
  if (isRaced) return { units: 0, reason: 'raced-pair' };
  const isOver = FINAL_STATES.includes(state) || state === 'unknown';
  if (rate.chargeable === 'accepted' || !isOver) return { units: unitsOf(sms, rate, 'accepted'), reason: 'accepted' };
  const units = unitsOf(sms, rate, 'delivered');
  if (state === 'delivered') return { units, reason: 'delivered' };
  if (state === 'unknown') return { units, reason: reason === 'no-receipt' ? 'no-receipt' : 'undelivered' };
  return { units, reason: state === 'expired' || state === 'rejected' ? state : 'undelivered' };
}

function unitsOf({ message, parts, receipts }: WholeSms, { unit }: Pick<Rate, 'unit'>, counted: 'accepted' | 'delivered'): number {
  const { pduCount = 0, segmentCount = 0 } = message;
  const charged = Array.from({ length: pduCount }, (_, index) => index + 1).filter((number) => {
    const end = partEnd(number, receipts);
    if (counted === 'delivered') return end?.state === 'delivered';
    return end !== undefined || parts.some((part) => part.number === number && part.outcome === 'accepted');
  }).length;
  if (charged === 0) return 0;
  // One PDU that carries a long text is charged as the segments that the SMSC makes of it.
  return unit === 'message' ? 1 : charged === pduCount ? segmentCount : charged;
}
