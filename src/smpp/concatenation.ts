import { readTlv, type Tlv, tlv } from './tlvs.js';
import { IE, type InformationElement } from './udh.js';

/** Where a part stands in its long message. */
export interface ConcatInfo {
  readonly reference: number;
  readonly total: number;
  /** From 1 to `total`. */
  readonly part: number;
  readonly method: 'udh8' | 'udh16' | 'sar';
}

const isSound = ({ total, part }: ConcatInfo): boolean => total > 0 && part > 0 && part <= total;

/**
 * The concatenation element of a header (3GPP TS 23.040 §9.2.3.24.1 and §9.2.3.24.8). The last one counts where it is repeated
 * (§9.2.3.24), and one whose part is 0 or past the total is ignored (§9.2.3.24.1).
 */
export function concatFromUdh(elements: readonly InformationElement[]): ConcatInfo | undefined {
  for (let i = elements.length - 1; i >= 0; i--) {
    const element = elements[i];
    const info = element && concatOf(element);
    if (info) return isSound(info) ? info : undefined;
  }
  return undefined;
}

function concatOf({ id, data }: InformationElement): ConcatInfo | undefined {
  if (id === IE.concat8 && data.length === 3) {
    return { method: 'udh8', reference: data.readUInt8(0), total: data.readUInt8(1), part: data.readUInt8(2) };
  }
  if (id === IE.concat16 && data.length === 4) {
    return { method: 'udh16', reference: data.readUInt16BE(0), total: data.readUInt8(2), part: data.readUInt8(3) };
  }
  return undefined;
}

/** SMPP 3.4 §5.3.2.22 to §5.3.2.24. */
export function concatFromSar(tlvs: readonly Tlv[]): ConcatInfo | undefined {
  if (tlvs.length === 0) return undefined;
  const reference = readTlv(tlvs, 'sar_msg_ref_num');
  const total = readTlv(tlvs, 'sar_total_segments');
  const part = readTlv(tlvs, 'sar_segment_seqnum');
  if (reference === undefined || total === undefined || part === undefined) return undefined;
  const info = { method: 'sar', reference, total, part } as const;
  return isSound(info) ? info : undefined;
}

/** The element of part `part` of `total`, with an 8-bit or a 16-bit reference. */
export function concatElement(method: 'udh8' | 'udh16', reference: number, total: number, part: number): InformationElement {
  return method === 'udh8'
    ? { id: IE.concat8, data: Buffer.from([reference & 0xff, total, part]) }
    : { id: IE.concat16, data: Buffer.from([(reference >> 8) & 0xff, reference & 0xff, total, part]) };
}

export const sarTlvs = (reference: number, total: number, part: number): Tlv[] => [
  tlv('sar_msg_ref_num', reference & 0xffff),
  tlv('sar_total_segments', total),
  tlv('sar_segment_seqnum', part),
];

/**
 * Elements that say something of one part only, so that the parts of one message differ in them: the concatenation itself, the
 * national tables (§9.2.3.24.15: a part without special characters has none), and the formats and pictures of EMS (§9.2.3.24.10).
 */
const isOfOnePart = (id: number): boolean =>
  id === IE.concat8 || id === IE.concat16 || id === IE.singleShift || id === IE.lockingShift || (id >= 0x0a && id <= 0x1f);

/**
 * What the parts of one long message have in common: sender, receiver, method, reference, total and the other elements of
 * the header. Two long messages that happen to share a reference seldom share all of it. Undefined for a single message.
 */
export function reassemblyKey(
  { sourceAddr, destinationAddr }: { readonly sourceAddr: string; readonly destinationAddr: string },
  { concat, elements }: { readonly concat: ConcatInfo | undefined; readonly elements: readonly InformationElement[] },
): string | undefined {
  if (!concat || concat.total === 1) return undefined;
  const others = elements.filter(({ id }) => !isOfOnePart(id)).map(({ id, data }) => `${id}=${data.toString('hex')}`);
  return JSON.stringify([sourceAddr, destinationAddr, concat.method, concat.reference, concat.total, ...others]);
}
