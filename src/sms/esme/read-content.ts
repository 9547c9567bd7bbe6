import {
  alphabetOf,
  type ConcatInfo,
  type InformationElement,
  joinText,
  type MessagePdu,
  messageClassOf,
  messageContent,
  type PartContent,
  type Ports,
  readTlv,
} from '../../smpp/index.js';
import { refuse } from './read-wish.js';

/** What a message says: text, or octets for a program on the handset or the SIM. */
export type Content = { readonly isFlash: boolean; readonly ports: Ports | undefined } & (
  | { readonly text: string }
  | { readonly octets: Buffer; readonly dataCoding: number }
);

/** One PDU's content: the whole message, or a part of a longer one. */
export interface ReadContent {
  readonly part: PartContent;
  /** Undefined for a message of one part. */
  readonly concat: ConcatInfo | undefined;
  readonly elements: readonly InformationElement[];
  readonly isFlash: boolean;
  readonly ports: Ports | undefined;
}

/** What data_coding 0 means to the account's ESME. */
export type EsmeAlphabet = 'gsm0338' | 'latin1';

/** The elements of a user data header that we understand and write anew: concatenation, ports, national tables. */
const OWN_ELEMENTS: ReadonlySet<number> = new Set([0x00, 0x08, 0x04, 0x05, 0x24, 0x25]);
const GSM_MAX = 0x7f;

/**
 * Takes short_message or message_payload apart.
 *
 * @throws RefusedWith what cannot be carried as it is: no content, two contents, a header that says more than we know, a data_coding that nobody
 *   reads, octets that are none of its alphabet's.
 */
export function readContent(pdu: MessagePdu, alphabet: EsmeAlphabet): ReadContent {
  const hasPayload = readTlv(pdu.tlvs, 'message_payload') !== undefined;
  if (hasPayload && (pdu.shortMessage?.length ?? 0) > 0) throw refuse('ESME_ROPTPARNOTALLWD');
  if (!hasPayload && pdu.shortMessage === undefined) throw refuse('ESME_RMISSINGOPTPARAM');
  const { octets, dataCoding, shift, elements, concat, ports } = messageContent(pdu, { defaultAlphabet: alphabet });
  if (elements.some(({ id }) => !OWN_ELEMENTS.has(id))) throw refuse('ESME_RINVESMCLASS');
  if (octets.length === 0) throw refuse('ESME_RINVMSGLEN');
  checkAlphabet(octets, dataCoding, alphabet);
  return {
    // They may be a view of what was read.
    part: { octets: Buffer.from(octets), dataCoding, shift },
    concat: concat?.total === 1 ? undefined : concat,
    elements,
    isFlash: messageClassOf(dataCoding) === 0,
    ports,
  };
}

/** SMPP's own values that name 8-bit data (§5.2.19). */
const BINARY: ReadonlySet<number> = new Set([2, 4]);

function checkAlphabet(octets: Buffer, dataCoding: number, alphabet: EsmeAlphabet): void {
  const kind = alphabetOf(dataCoding);
  // Of SMPP's own values only these are read; the others are alphabets that no handset has (§5.2.19).
  if (kind === 'binary' && dataCoding < 0x10 && !BINARY.has(dataCoding)) throw refuse('ESME_RINVDCS');
  const isSeptets = kind === 'ascii' || (kind === 'default' && alphabet === 'gsm0338');
  if (isSeptets && octets.some((octet) => octet > GSM_MAX)) throw refuse('ESME_RINVDCS');
  if (kind === 'ucs2' && octets.length % 2 !== 0) throw refuse('ESME_RINVMSGLEN');
}

/** The message that these parts, in order, make up. @throws RefusedWith where some are text and some are not. */
export function joinContent(parts: readonly ReadContent[], alphabet: EsmeAlphabet): Content {
  const [first] = parts;
  const own = { isFlash: first?.isFlash ?? false, ports: first?.ports };
  const kinds = new Set(parts.map(({ part }) => alphabetOf(part.dataCoding) === 'binary'));
  if (!first || kinds.size > 1) throw refuse('ESME_RINVDCS');
  if (kinds.has(true)) return { ...own, octets: Buffer.concat(parts.map(({ part }) => part.octets)), dataCoding: first.part.dataCoding };
  const text = joinText(
    parts.map(({ part }) => part),
    alphabet,
  );
  if (text === undefined || text === '') throw refuse('ESME_RINVMSGLEN');
  return { ...own, text };
}
