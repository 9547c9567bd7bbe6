import { type DataSm, type DeliverSm, ESM_CLASS, type Pdu, type PduOf, type SubmitSm } from './pdu.js';
import type { StatusName } from './statuses.js';
import { TLVS } from './tlvs.js';
import { parseUdh } from './udh.js';

/**
 * What the layout alone cannot tell: a message needs a destination, times have one form, and a user data header that is
 * announced must be there. Times are checked only where somebody asks us to keep them: SMSCs put what they like into a deliver_sm.
 * @returns the status to answer with, or undefined when nothing is wrong.
 */
export function wrongMeaning(pdu: Pdu): StatusName | undefined {
  switch (pdu.command) {
    case 'submit_sm':
      return wrongDestination(pdu) ?? wrongTimes(pdu) ?? wrongHeader(pdu);
    case 'deliver_sm':
      return wrongHeader(pdu);
    case 'data_sm':
      return wrongDestination(pdu) ?? wrongHeader(pdu);
    case 'submit_multi':
      return wrongDestinations(pdu) ?? wrongTimes(pdu) ?? wrongHeader(pdu);
    case 'replace_sm':
      return pdu.messageId === '' ? 'ESME_RINVMSGID' : wrongTimes(pdu);
    case 'query_sm':
      return pdu.messageId === '' ? 'ESME_RINVMSGID' : undefined;
    default:
      return undefined;
  }
}

const wrongDestination = ({ destinationAddr }: SubmitSm | DataSm): StatusName | undefined =>
  destinationAddr === '' ? 'ESME_RINVDSTADR' : undefined;

function wrongDestinations({ destinations }: PduOf<'submit_multi'>): StatusName | undefined {
  for (const destination of destinations) {
    if ('dlName' in destination) {
      if (destination.dlName === '') return 'ESME_RINVDLNAME';
    } else if (destination.destinationAddr === '') return 'ESME_RINVDSTADR';
  }
  return undefined;
}

/** Absolute or relative time (§7.1.1): `YYMMDDhhmmsstnnp`. */
const TIME = /^\d{15}[+\-R]$/;
const isTime = (text: string): boolean => text === '' || TIME.test(text);

const wrongTimes = (pdu: SubmitSm | PduOf<'submit_multi' | 'replace_sm'>): StatusName | undefined => {
  if (!isTime(pdu.scheduleDeliveryTime)) return 'ESME_RINVSCHED';
  return isTime(pdu.validityPeriod) ? undefined : 'ESME_RINVEXPIRY';
};

function wrongHeader(pdu: SubmitSm | DeliverSm | DataSm | PduOf<'submit_multi'>): StatusName | undefined {
  if ((pdu.esmClass & ESM_CLASS.udhi) === 0) return undefined;
  // Some SMSCs repeat the UDHI bit of the original in its receipt, whose text has no header.
  const isPlain = (pdu.esmClass & ESM_CLASS.messageTypeMask) === 0;
  if (!isPlain) return undefined;
  const short = 'shortMessage' in pdu && pdu.shortMessage.length > 0 ? pdu.shortMessage : undefined;
  const octets = short ?? pdu.tlvs.find(({ tag }) => tag === TLVS.message_payload.tag)?.value;
  return octets !== undefined && parseUdh(octets) !== undefined ? undefined : 'ESME_RINVESMCLASS';
}
