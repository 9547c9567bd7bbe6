/** SMPP 3.4, our own wire face: codec, session, links as ESME, listener as SMSC, and the text and receipts that ride on it. */
export { COMMANDS, type CommandName } from './commands.js';
export { type ConcatInfo, reassemblyKey } from './concatenation.js';
export { type Decoded, decodePdu } from './decoder.js';
export { createEncoder, type Encoder, encodePdu } from './encoder.js';
export { createFramer, type Framer, HEADER_OCTETS, PDU_OCTETS_MAX } from './framer.js';
export { decodeGsm, encodeGsm, gsmSeptets } from './gsm0338.js';
export type { ResponsePdu } from './in-flight.js';
export type { Destination, UnsuccessSme } from './layouts.js';
export { type Link, type LinkOptions, type LinkState, openLink, type SubmitResult } from './link.js';
export { type Listener, type ListenerOptions, openListener } from './listener.js';
export type { EsmeBind, EsmeRequest, ListenerAccount } from './listener-account.js';
export { answeredIds, type MessageIdForm, plainMessageId } from './message-ids.js';
export { NATIONAL_LANGUAGES, type NationalLanguage } from './national-tables.js';
export {
  type BindName,
  type DataSm,
  type DeliverSm,
  ESM_CLASS,
  type Fields,
  type GivenFields,
  type MessageFields,
  type OutgoingPdu,
  type Pdu,
  type PduOf,
  type SubmitSm,
} from './pdu.js';
export { type MessageState, parseReceipt, type Receipt, type ReceiptId } from './receipts.js';
export {
  binarySegments,
  type LongMessageMethod,
  type Segment,
  type SegmentedMessage,
  type SegmentedText,
  type SegmentOptions,
  segments,
} from './segments.js';
export type { AnswerTo, BindType, CloseReason, SessionBounds } from './session-options.js';
export { isSmppError, RefusedWith, type RequestOutcome, SmppError } from './smpp-error.js';
export { STATUS, type StatusName, statusName } from './statuses.js';
export { submittedSegments } from './submitted-segments.js';
export {
  alphabetOf,
  type DefaultAlphabet,
  decodeText,
  joinText,
  type MessageContent,
  type MessagePdu,
  messageClassOf,
  messageContent,
  messageText,
  type PartContent,
  type WireText,
} from './text.js';
export { readTlv, TLVS, type Tlv, type TlvName, tlv } from './tlvs.js';
export type { Transliteration } from './transliterate.js';
export { type InformationElement, type Ports, parseUdh } from './udh.js';
