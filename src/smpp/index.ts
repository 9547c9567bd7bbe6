/** SMPP 3.4, our own wire face: codec, session, links as ESME, listener as SMSC, and the text and receipts that ride on it. */
export { createEncoder, type Decoded, decodePdu, type Encoder, encodePdu, HEADER_OCTETS, PDU_OCTETS_MAX } from './codec.js';
export { createFramer, type Framer } from './framer.js';
export { decodeGsm, encodeGsm, gsmSeptets } from './gsm0338.js';
export { type Link, type LinkOptions, type LinkState, openLink, type SubmitResult } from './link.js';
export { type Listener, type ListenerAccount, type ListenerOptions, type ListenerSession, openListener } from './listener.js';
export {
  type BindName,
  COMMANDS,
  type CommandName,
  type DeliverSm,
  ESM_CLASS,
  type Fields,
  type MessageFields,
  type OutgoingPdu,
  type Pdu,
  type PduOf,
  type SubmitSm,
} from './pdu.js';
export { type MessageState, messageIdVariants, parseReceipt, type Receipt } from './receipts.js';
export { type LongMessageMethod, type Segment, type SegmentedText, type SegmentOptions, segments } from './segments.js';
export type { BindType, CloseReason, MessageAnswer, SessionBounds } from './session-options.js';
export { isSmppError, RefusedWith, type RequestOutcome, SmppError } from './smpp-error.js';
export { STATUS, type StatusName, statusName } from './statuses.js';
export { type DefaultAlphabet, decodeText, type MessageContent, messageContent, messageText, reassemblyKey } from './text.js';
export { readTlv, TLVS, type Tlv, type TlvName, tlv } from './tlvs.js';
export { type ConcatInfo, parseUdh } from './udh.js';
