import type { Partner } from '../../partners/index.js';
import { partEnd } from '../outbound/truth.js';
import type { WholeSms } from '../read-sms.js';

/**
 * Who says how a message ended. `handset`: a receipt of the operator that serves the handset. `hub-claimed`: a receipt of a hub,
 * which may have made it up. `expired-by-validity`: nobody said anything until it was no longer worth delivering. `none`:
 * nothing is known yet, or it never got to an SMSC.
 */
export type Provenance = 'handset' | 'hub-claimed' | 'expired-by-validity' | 'none';

/** Of one receipt, by its state in our words. */
export const receiptProvenance = (state: string, kind: Partner['kind']): Provenance =>
  state === 'expired' ? 'expired-by-validity' : kind === 'hub' ? 'hub-claimed' : 'handset';

export function provenanceOf({ message, receipts }: WholeSms, kind: Partner['kind']): Provenance {
  if (message.state === 'unknown' && message.reason === 'no-receipt') return 'expired-by-validity';
  const ends = Array.from({ length: message.pduCount ?? 1 }, (_, index) => partEnd(index + 1, receipts)).filter((end) => end !== undefined);
  if (ends.some(({ state }) => state === 'expired')) return 'expired-by-validity';
  return ends.length === 0 ? 'none' : receiptProvenance('', kind);
}
