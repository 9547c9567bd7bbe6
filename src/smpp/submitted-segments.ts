import { ESM_CLASS, type Pdu, type PduOf } from './pdu.js';
import { alphabetOf } from './text.js';
import { TLVS } from './tlvs.js';

/** A request that asks for messages to be sent. */
export type Submission = PduOf<'submit_sm' | 'submit_multi' | 'data_sm'>;

export const isSubmission = (pdu: Pdu): pdu is Submission =>
  pdu.command === 'submit_sm' || pdu.command === 'submit_multi' || pdu.command === 'data_sm';

/** Octets that one SMS carries (3GPP TS 23.040 §9.2.3.24), and those of a part beside a header of six octets. */
const OCTETS_MAX = 140;
const PART_OCTETS_MAX = 134;
/** The same in septets, which SMPP carries one an octet. */
const SEPTETS_MAX = 160;
const PART_SEPTETS_MAX = 153;

/**
 * How many SMS a submission asks for: its text's parts for each of its destinations. A text of up to 254 octets or a
 * message_payload may be more than one. A distribution list counts as one destination, since only its keeper knows better.
 */
export function submittedSegments(pdu: Submission): number {
  const destinations = pdu.command === 'submit_multi' ? pdu.destinations.length : 1;
  return destinations * partsOf(pdu);
}

function partsOf(pdu: Submission): number {
  // A part that its sender has cut already.
  if ((pdu.esmClass & ESM_CLASS.udhi) !== 0) return 1;
  const short = pdu.command === 'data_sm' ? 0 : pdu.shortMessage.length;
  const octets = short > 0 ? short : (pdu.tlvs.find(({ tag }) => tag === TLVS.message_payload.tag)?.value.length ?? 0);
  const alphabet = alphabetOf(pdu.dataCoding);
  const isSeptets = alphabet === 'default' || alphabet === 'ascii';
  if (octets <= (isSeptets ? SEPTETS_MAX : OCTETS_MAX)) return 1;
  return Math.ceil(octets / (isSeptets ? PART_SEPTETS_MAX : PART_OCTETS_MAX));
}
