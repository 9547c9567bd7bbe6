import type { FieldIo } from './field-io.js';
import type { Tlv } from './tlvs.js';

/** What every PDU has besides its mandatory parameters (SMPP 3.4 §3.2). */
export interface Header {
  readonly command: string;
  readonly commandStatus: number;
  readonly sequence: number;
  readonly tlvs: readonly Tlv[];
}

// The header comes last in each: a literal that begins with a spread is made many times slower than one that ends with it.

export interface Bind {
  readonly systemId: string;
  readonly password: string;
  readonly systemType: string;
  readonly interfaceVersion: number;
  readonly addrTon: number;
  readonly addrNpi: number;
  readonly addressRange: string;
}

/** §4.1.1: system_id at most 15 characters, password at most 8. */
export const bind = (io: FieldIo, header: Header, given: Partial<Bind>) => ({
  systemId: io.cString('systemId', given.systemId, 16, 'ESME_RINVSYSID'),
  password: io.cString('password', given.password, 9, 'ESME_RINVPASWD'),
  systemType: io.cString('systemType', given.systemType, 13, 'ESME_RINVSYSTYP'),
  interfaceVersion: io.uint8('interfaceVersion', given.interfaceVersion),
  addrTon: io.uint8('addrTon', given.addrTon),
  addrNpi: io.uint8('addrNpi', given.addrNpi),
  addressRange: io.cString('addressRange', given.addressRange, 41, 'ESME_RBINDFAIL'),
  ...header,
});

export const bindResp = (io: FieldIo, header: Header, given: Partial<Pick<Bind, 'systemId'>>) => ({
  systemId: io.cString('systemId', given.systemId, 16, 'ESME_RINVSYSID'),
  ...header,
});

/** §4.1.7. */
export const outbind = (io: FieldIo, header: Header, given: Partial<Pick<Bind, 'systemId' | 'password'>>) => ({
  systemId: io.cString('systemId', given.systemId, 16, 'ESME_RINVSYSID'),
  password: io.cString('password', given.password, 9, 'ESME_RINVPASWD'),
  ...header,
});

/** unbind, enquire_link, generic_nack and their like. */
export const nothing = (_io: FieldIo, header: Header, _given: object) => ({ ...header });

export interface SourceAddress {
  readonly sourceAddrTon: number;
  readonly sourceAddrNpi: number;
  readonly sourceAddr: string;
}

const sourceAddress = (io: FieldIo, given: Partial<SourceAddress>, octetsMax: 21 | 65): SourceAddress => ({
  sourceAddrTon: io.uint8('sourceAddrTon', given.sourceAddrTon),
  sourceAddrNpi: io.uint8('sourceAddrNpi', given.sourceAddrNpi),
  sourceAddr: io.cString('sourceAddr', given.sourceAddr, octetsMax, 'ESME_RINVSRCADR'),
});

export interface DestinationAddress {
  readonly destAddrTon: number;
  readonly destAddrNpi: number;
  readonly destinationAddr: string;
}

const destinationAddress = (io: FieldIo, given: Partial<DestinationAddress>, octetsMax: 21 | 65): DestinationAddress => ({
  destAddrTon: io.uint8('destAddrTon', given.destAddrTon),
  destAddrNpi: io.uint8('destAddrNpi', given.destAddrNpi),
  destinationAddr: io.cString('destinationAddr', given.destinationAddr, octetsMax, 'ESME_RINVDSTADR'),
});

/** What follows the destination in submit_sm, deliver_sm and submit_multi. Times are as the sender wrote them (§7.1.1). */
export interface Submission {
  readonly esmClass: number;
  readonly protocolId: number;
  readonly priorityFlag: number;
  readonly scheduleDeliveryTime: string;
  readonly validityPeriod: string;
  readonly registeredDelivery: number;
  readonly replaceIfPresentFlag: number;
  readonly dataCoding: number;
  readonly smDefaultMsgId: number;
  readonly shortMessage: Buffer;
}

export interface Message extends SourceAddress, DestinationAddress, Submission {
  readonly serviceType: string;
}

/**
 * §4.4.1 submit_sm and §4.6.1 deliver_sm share one layout. It is written out and not composed of the parts that others
 * share, since most PDUs are of it and a literal is made several times faster than a spread.
 */
export const message = (io: FieldIo, { command, commandStatus, sequence, tlvs }: Header, given: Partial<Message>) => ({
  command,
  commandStatus,
  sequence,
  tlvs,
  serviceType: io.cString('serviceType', given.serviceType, 6, 'ESME_RINVSERTYP'),
  sourceAddrTon: io.uint8('sourceAddrTon', given.sourceAddrTon),
  sourceAddrNpi: io.uint8('sourceAddrNpi', given.sourceAddrNpi),
  sourceAddr: io.cString('sourceAddr', given.sourceAddr, 21, 'ESME_RINVSRCADR'),
  destAddrTon: io.uint8('destAddrTon', given.destAddrTon),
  destAddrNpi: io.uint8('destAddrNpi', given.destAddrNpi),
  destinationAddr: io.cString('destinationAddr', given.destinationAddr, 21, 'ESME_RINVDSTADR'),
  esmClass: io.uint8('esmClass', given.esmClass),
  protocolId: io.uint8('protocolId', given.protocolId),
  priorityFlag: io.uint8('priorityFlag', given.priorityFlag),
  scheduleDeliveryTime: io.cString('scheduleDeliveryTime', given.scheduleDeliveryTime, 17, 'ESME_RINVSCHED'),
  validityPeriod: io.cString('validityPeriod', given.validityPeriod, 17, 'ESME_RINVEXPIRY'),
  registeredDelivery: io.uint8('registeredDelivery', given.registeredDelivery),
  replaceIfPresentFlag: io.uint8('replaceIfPresentFlag', given.replaceIfPresentFlag),
  dataCoding: io.uint8('dataCoding', given.dataCoding),
  smDefaultMsgId: io.uint8('smDefaultMsgId', given.smDefaultMsgId),
  shortMessage: io.octets('shortMessage', given.shortMessage, 'ESME_RINVMSGLEN'),
});

export interface MessageId {
  /** The SMSC's id of a message, as written. */
  readonly messageId: string;
}

/** The answer to submit_sm, deliver_sm and data_sm. */
export const messageResp = (io: FieldIo, { command, commandStatus, sequence, tlvs }: Header, given: Partial<MessageId>) => ({
  command,
  commandStatus,
  sequence,
  tlvs,
  messageId: io.cString('messageId', given.messageId, 65, 'ESME_RINVMSGID'),
});

/** One of submit_multi's destinations (§5.2.25): a number, or the name of a list that the SMSC keeps. */
export type Destination = DestinationAddress | { readonly dlName: string };

const SME = 1;
const DISTRIBUTION_LIST = 2;

function destination(io: FieldIo, given: Destination | undefined): Destination {
  const isList = given !== undefined && 'dlName' in given;
  const destFlag = io.uint8('destFlag', isList ? DISTRIBUTION_LIST : SME);
  if (destFlag === SME) return destinationAddress(io, !given || isList ? {} : given, 21);
  const dlName = isList ? given.dlName : undefined;
  if (destFlag === DISTRIBUTION_LIST) return { dlName: io.cString('dlName', dlName, 21, 'ESME_RINVDLNAME') };
  return io.refuse('destFlag', `is ${destFlag}`, 'ESME_RINVDESTFLAG', { dlName: '' });
}

export interface Multi extends SourceAddress, Submission {
  readonly serviceType: string;
  /** 1 to 254. */
  readonly destinations: readonly Destination[];
}

/** §4.5.1. */
export const multi = (io: FieldIo, header: Header, given: Partial<Multi>) => ({
  serviceType: io.cString('serviceType', given.serviceType, 6, 'ESME_RINVSERTYP'),
  ...sourceAddress(io, given, 21),
  destinations: io.list('destinations', given.destinations, 1, 'ESME_RINVNUMDESTS', destination),
  esmClass: io.uint8('esmClass', given.esmClass),
  protocolId: io.uint8('protocolId', given.protocolId),
  priorityFlag: io.uint8('priorityFlag', given.priorityFlag),
  scheduleDeliveryTime: io.cString('scheduleDeliveryTime', given.scheduleDeliveryTime, 17, 'ESME_RINVSCHED'),
  validityPeriod: io.cString('validityPeriod', given.validityPeriod, 17, 'ESME_RINVEXPIRY'),
  registeredDelivery: io.uint8('registeredDelivery', given.registeredDelivery),
  replaceIfPresentFlag: io.uint8('replaceIfPresentFlag', given.replaceIfPresentFlag),
  dataCoding: io.uint8('dataCoding', given.dataCoding),
  smDefaultMsgId: io.uint8('smDefaultMsgId', given.smDefaultMsgId),
  shortMessage: io.octets('shortMessage', given.shortMessage, 'ESME_RINVMSGLEN'),
  ...header,
});

/** A destination that did not get the message, and why (§5.2.26). */
export interface UnsuccessSme extends DestinationAddress {
  readonly errorStatusCode: number;
}

const unsuccessSme = (io: FieldIo, given: UnsuccessSme | undefined): UnsuccessSme => ({
  ...destinationAddress(io, given ?? {}, 21),
  errorStatusCode: io.uint32('errorStatusCode', given?.errorStatusCode),
});

/** §4.5.2. */
export const multiResp = (
  io: FieldIo,
  header: Header,
  given: Partial<MessageId & { readonly unsuccessSmes: readonly UnsuccessSme[] }>,
) => ({
  messageId: io.cString('messageId', given.messageId, 65, 'ESME_RINVMSGID'),
  unsuccessSmes: io.list('unsuccessSmes', given.unsuccessSmes, 0, 'ESME_RINVNUMDESTS', unsuccessSme),
  ...header,
});

export interface Data extends SourceAddress, DestinationAddress {
  readonly serviceType: string;
  readonly esmClass: number;
  readonly registeredDelivery: number;
  readonly dataCoding: number;
}

/** §4.7.1; its content is the TLV message_payload. */
export const data = (io: FieldIo, header: Header, given: Partial<Data>) => ({
  serviceType: io.cString('serviceType', given.serviceType, 6, 'ESME_RINVSERTYP'),
  ...sourceAddress(io, given, 65),
  ...destinationAddress(io, given, 65),
  esmClass: io.uint8('esmClass', given.esmClass),
  registeredDelivery: io.uint8('registeredDelivery', given.registeredDelivery),
  dataCoding: io.uint8('dataCoding', given.dataCoding),
  ...header,
});

/** §4.8.1. */
export const query = (io: FieldIo, header: Header, given: Partial<MessageId & SourceAddress>) => ({
  messageId: io.cString('messageId', given.messageId, 65, 'ESME_RINVMSGID'),
  ...sourceAddress(io, given, 21),
  ...header,
});

export interface QueryResult extends MessageId {
  /** When the message came to its final state, as written (§7.1.1); empty before. */
  readonly finalDate: string;
  /** §5.2.28. */
  readonly messageState: number;
  /** The network's own. */
  readonly errorCode: number;
}

/** §4.8.2. */
export const queryResp = (io: FieldIo, header: Header, given: Partial<QueryResult>) => ({
  messageId: io.cString('messageId', given.messageId, 65, 'ESME_RINVMSGID'),
  finalDate: io.cString('finalDate', given.finalDate, 17, 'ESME_RQUERYFAIL'),
  messageState: io.uint8('messageState', given.messageState),
  errorCode: io.uint8('errorCode', given.errorCode),
  ...header,
});

export interface Cancel extends MessageId, SourceAddress, DestinationAddress {
  readonly serviceType: string;
}

/** §4.9.1; an empty message_id cancels by source, destination and service_type. */
export const cancel = (io: FieldIo, header: Header, given: Partial<Cancel>) => ({
  serviceType: io.cString('serviceType', given.serviceType, 6, 'ESME_RINVSERTYP'),
  messageId: io.cString('messageId', given.messageId, 65, 'ESME_RINVMSGID'),
  ...sourceAddress(io, given, 21),
  ...destinationAddress(io, given, 21),
  ...header,
});

export interface Replace
  extends MessageId,
    SourceAddress,
    Pick<Submission, 'scheduleDeliveryTime' | 'validityPeriod' | 'registeredDelivery' | 'smDefaultMsgId' | 'shortMessage'> {}

/** §4.10.1. */
export const replace = (io: FieldIo, header: Header, given: Partial<Replace>) => ({
  messageId: io.cString('messageId', given.messageId, 65, 'ESME_RINVMSGID'),
  ...sourceAddress(io, given, 21),
  scheduleDeliveryTime: io.cString('scheduleDeliveryTime', given.scheduleDeliveryTime, 17, 'ESME_RINVSCHED'),
  validityPeriod: io.cString('validityPeriod', given.validityPeriod, 17, 'ESME_RINVEXPIRY'),
  registeredDelivery: io.uint8('registeredDelivery', given.registeredDelivery),
  smDefaultMsgId: io.uint8('smDefaultMsgId', given.smDefaultMsgId),
  shortMessage: io.octets('shortMessage', given.shortMessage, 'ESME_RINVMSGLEN'),
  ...header,
});

export interface Alert extends SourceAddress {
  readonly esmeAddrTon: number;
  readonly esmeAddrNpi: number;
  readonly esmeAddr: string;
}

/** §4.12.1: the handset at the source address can be reached again. */
export const alert = (io: FieldIo, header: Header, given: Partial<Alert>) => ({
  ...sourceAddress(io, given, 65),
  esmeAddrTon: io.uint8('esmeAddrTon', given.esmeAddrTon),
  esmeAddrNpi: io.uint8('esmeAddrNpi', given.esmeAddrNpi),
  esmeAddr: io.cString('esmeAddr', given.esmeAddr, 65, 'ESME_RINVDSTADR'),
  ...header,
});
