import { NO_SHIFT, type Shift } from './national-alphabets.js';

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

/** Information element identifiers (§9.2.3.24). */
export const IE = {
  concat8: 0x00,
  ports16: 0x05,
  concat16: 0x08,
  singleShift: 0x24,
  lockingShift: 0x25,
} as const;

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

/** The header of these elements with its length before it, or nothing when there are none. */
export function writeUdh(elements: readonly InformationElement[]): Buffer {
  const length = udhOctets(elements);
  if (length === 0) return Buffer.alloc(0);
  return Buffer.concat([Buffer.from([length - 1]), ...elements.flatMap(({ id, data }) => [Buffer.from([id, data.length]), data])]);
}

/** Octets that the header takes of the user data, its length's own octet among them. */
export const udhOctets = (elements: readonly InformationElement[]): number =>
  elements.length === 0 ? 0 : elements.reduce((sum, { data }) => sum + 2 + data.length, 1);

/** Where the last of these stands: it counts where one is repeated (§9.2.3.24). */
export const lastElement = (elements: readonly InformationElement[], id: number): InformationElement | undefined =>
  elements.findLast((element) => element.id === id);

/** Application ports: to which program of the handset a message goes, and whence (§9.2.3.24.4). */
export interface Ports {
  readonly destination: number;
  readonly source: number;
}

export function portsElement({ destination, source }: Ports): InformationElement {
  const data = Buffer.alloc(4);
  data.writeUInt16BE(destination, 0);
  data.writeUInt16BE(source, 2);
  return { id: IE.ports16, data };
}

export function portsFromUdh(elements: readonly InformationElement[]): Ports | undefined {
  const data = lastElement(elements, IE.ports16)?.data;
  return data?.length === 4 ? { destination: data.readUInt16BE(0), source: data.readUInt16BE(2) } : undefined;
}

/** National language single shift and locking shift (§9.2.3.24.15 and §9.2.3.24.16). */
export function shiftElements({ locking, single }: Shift): InformationElement[] {
  const element = (id: number, language: number) => (language === 0 ? [] : [{ id, data: Buffer.from([language]) }]);
  return [...element(IE.singleShift, single), ...element(IE.lockingShift, locking)];
}

export function shiftFromUdh(elements: readonly InformationElement[]): Shift {
  if (elements.length === 0) return NO_SHIFT;
  const language = (id: number): number => lastElement(elements, id)?.data[0] ?? 0;
  return { locking: language(IE.lockingShift), single: language(IE.singleShift) };
}
