/** One information element of a user data header (3GPP TS 23.040 §9.2.3.24). */
export interface InformationElement {
  readonly id: number;
  readonly data: Buffer;
}

export interface UserData {
  readonly elements: readonly InformationElement[];
  /** What follows the header. */
  readonly content: Buffer;
}

/** Concatenated short messages with an 8-bit and with a 16-bit reference (§9.2.3.24.1, §9.2.3.24.8). */
export const IE_CONCAT_8 = 0x00;
export const IE_CONCAT_16 = 0x08;

/** Splits octets that begin with a user data header. Undefined when the header or an element runs past the end. */
export function parseUdh(octets: Buffer): UserData | undefined {
  const length = octets[0];
  if (length === undefined || length === 0 || 1 + length > octets.length) return undefined;
  const end = 1 + length;
  const elements: InformationElement[] = [];
  let at = 1;
  while (at < end) {
    const id = octets[at];
    const size = octets[at + 1];
    if (id === undefined || size === undefined || at + 2 > end || at + 2 + size > end) return undefined;
    elements.push({ id, data: octets.subarray(at + 2, at + 2 + size) });
    at += 2 + size;
  }
  return { elements, content: octets.subarray(end) };
}

export interface ConcatInfo {
  readonly reference: number;
  readonly total: number;
  /** From 1 to `total`. */
  readonly part: number;
  readonly method: 'udh8' | 'udh16' | 'sar';
}

/**
 * The concatenation element of a header. The last one counts where it is repeated (TS 23.040 §9.2.3.24), and one whose
 * part is 0 or past the total is ignored (§9.2.3.24.1).
 */
export function concatFromUdh(elements: readonly InformationElement[]): ConcatInfo | undefined {
  for (let i = elements.length - 1; i >= 0; i--) {
    const element = elements[i];
    const info = element && concatOf(element);
    if (info) return isPartSound(info) ? info : undefined;
  }
  return undefined;
}

function concatOf({ id, data }: InformationElement): ConcatInfo | undefined {
  if (id === IE_CONCAT_8 && data.length === 3) {
    return { method: 'udh8', reference: data.readUInt8(0), total: data.readUInt8(1), part: data.readUInt8(2) };
  }
  if (id === IE_CONCAT_16 && data.length === 4) {
    return { method: 'udh16', reference: data.readUInt16BE(0), total: data.readUInt8(2), part: data.readUInt8(3) };
  }
  return undefined;
}

export const isPartSound = ({ total, part }: Pick<ConcatInfo, 'total' | 'part'>): boolean => total > 0 && part > 0 && part <= total;

/** The header of part `part` of `total`: UDHL 5 with an 8-bit reference, or UDHL 6 with a 16-bit one. */
export function concatUdh(method: 'udh8' | 'udh16', reference: number, total: number, part: number): Buffer {
  return method === 'udh8'
    ? Buffer.from([0x05, IE_CONCAT_8, 0x03, reference & 0xff, total, part])
    : Buffer.from([0x06, IE_CONCAT_16, 0x04, (reference >> 8) & 0xff, reference & 0xff, total, part]);
}
