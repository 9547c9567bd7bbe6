import type { StatusName } from './statuses.js';
import type { Tlv } from './tlvs.js';

/** One mandatory parameter, in wire order. Integers are one octet; SMPP 3.4 has no wider mandatory ones in these commands. */
export type FieldSpec =
  | { readonly kind: 'cstring'; readonly name: string; readonly octetsMax: number; readonly wrong: StatusName }
  | { readonly kind: 'uint8'; readonly name: string }
  | { readonly kind: 'octets'; readonly name: string; readonly wrong: StatusName };

/** A C-Octet String (§3.1). `octetsMax` counts the NUL; `wrong` is the status that answers one which is too long or has no NUL. */
const cstring = <N extends string>(name: N, octetsMax: number, wrong: StatusName) => ({ kind: 'cstring', name, octetsMax, wrong }) as const;
const uint8 = <N extends string>(name: N) => ({ kind: 'uint8', name }) as const;
/** An octet string behind its own one-octet length (sm_length, §5.2.21). */
const octets = <N extends string>(name: N, wrong: StatusName) => ({ kind: 'octets', name, wrong }) as const;

/** §4.1.1: system_id at most 15 characters, password at most 8. */
const BIND = [
  cstring('systemId', 16, 'ESME_RINVSYSID'),
  cstring('password', 9, 'ESME_RINVPASWD'),
  cstring('systemType', 13, 'ESME_RINVSYSTYP'),
  uint8('interfaceVersion'),
  uint8('addrTon'),
  uint8('addrNpi'),
  cstring('addressRange', 41, 'ESME_RBINDFAIL'),
] as const;
const BIND_RESP = [cstring('systemId', 16, 'ESME_RINVSYSID')] as const;

/** §4.4.1 submit_sm and §4.6.1 deliver_sm share one layout. */
const MESSAGE = [
  cstring('serviceType', 6, 'ESME_RINVSERTYP'),
  uint8('sourceAddrTon'),
  uint8('sourceAddrNpi'),
  cstring('sourceAddr', 21, 'ESME_RINVSRCADR'),
  uint8('destAddrTon'),
  uint8('destAddrNpi'),
  cstring('destinationAddr', 21, 'ESME_RINVDSTADR'),
  uint8('esmClass'),
  uint8('protocolId'),
  uint8('priorityFlag'),
  cstring('scheduleDeliveryTime', 17, 'ESME_RINVSCHED'),
  cstring('validityPeriod', 17, 'ESME_RINVEXPIRY'),
  uint8('registeredDelivery'),
  uint8('replaceIfPresentFlag'),
  uint8('dataCoding'),
  uint8('smDefaultMsgId'),
  octets('shortMessage', 'ESME_RINVMSGLEN'),
] as const;
const MESSAGE_RESP = [cstring('messageId', 65, 'ESME_RINVMSGID')] as const;

/** Who may send a command, and in which state of the session (§2.3, table 2-1). Responses follow their request. */
export interface CommandSpec {
  readonly id: number;
  readonly fields: readonly FieldSpec[];
  readonly sentBy: 'esme' | 'smsc' | 'both';
  readonly state: 'open' | 'transmitter' | 'receiver' | 'bound' | 'any';
}

/** Every command we speak (§5.1.2.1). The codec and the session read this table: a command more is a line more. */
export const COMMANDS = {
  generic_nack: { id: 0x8000_0000, fields: [], sentBy: 'both', state: 'any' },
  bind_receiver: { id: 0x01, fields: BIND, sentBy: 'esme', state: 'open' },
  bind_receiver_resp: { id: 0x8000_0001, fields: BIND_RESP, sentBy: 'smsc', state: 'any' },
  bind_transmitter: { id: 0x02, fields: BIND, sentBy: 'esme', state: 'open' },
  bind_transmitter_resp: { id: 0x8000_0002, fields: BIND_RESP, sentBy: 'smsc', state: 'any' },
  submit_sm: { id: 0x04, fields: MESSAGE, sentBy: 'esme', state: 'transmitter' },
  submit_sm_resp: { id: 0x8000_0004, fields: MESSAGE_RESP, sentBy: 'smsc', state: 'any' },
  deliver_sm: { id: 0x05, fields: MESSAGE, sentBy: 'smsc', state: 'receiver' },
  deliver_sm_resp: { id: 0x8000_0005, fields: MESSAGE_RESP, sentBy: 'esme', state: 'any' },
  unbind: { id: 0x06, fields: [], sentBy: 'both', state: 'bound' },
  unbind_resp: { id: 0x8000_0006, fields: [], sentBy: 'both', state: 'any' },
  bind_transceiver: { id: 0x09, fields: BIND, sentBy: 'esme', state: 'open' },
  bind_transceiver_resp: { id: 0x8000_0009, fields: BIND_RESP, sentBy: 'smsc', state: 'any' },
  enquire_link: { id: 0x15, fields: [], sentBy: 'both', state: 'bound' },
  enquire_link_resp: { id: 0x8000_0015, fields: [], sentBy: 'both', state: 'any' },
} as const satisfies Record<string, CommandSpec>;

type CommandTable = typeof COMMANDS;
export type CommandName = keyof CommandTable;
export type ResponseName = Extract<CommandName, `${string}_resp` | 'generic_nack'>;
export type RequestName = Exclude<CommandName, ResponseName>;
export type BindName = 'bind_transmitter' | 'bind_receiver' | 'bind_transceiver';
/** Requests that carry a message or act on one; they count in the window. */
export type DataName = 'submit_sm' | 'deliver_sm';
export type ResponseTo<C extends RequestName> = Extract<CommandName, `${C}_resp`>;

type ValueOf<F> = F extends { kind: 'cstring' } ? string : F extends { kind: 'uint8' } ? number : Buffer;
/** The mandatory parameters of a command: C-Octet Strings as Latin-1 text without the NUL, integers, and octets as a Buffer. */
export type Fields<C extends CommandName> = { [F in CommandTable[C]['fields'][number] as F['name']]: ValueOf<F> };

/**
 * A decoded PDU. Buffers in it are views of what was read: copy what outlives the handler.
 * A response without a body (allowed when its status is not 0, §4.1.2 and §4.4.2) has empty fields.
 */
export type PduOf<C extends CommandName> = C extends CommandName
  ? { readonly command: C; readonly commandStatus: number; readonly sequence: number; readonly tlvs: readonly Tlv[] } & Readonly<Fields<C>>
  : never;
export type Pdu = PduOf<CommandName>;
export type SubmitSm = PduOf<'submit_sm'>;
export type DeliverSm = PduOf<'deliver_sm'>;
export type BindPdu = PduOf<BindName>;

/** What the encoder takes: fields left out are 0 or empty. */
export type OutgoingPdu<C extends CommandName = CommandName> = C extends CommandName
  ? { readonly command: C; readonly sequence: number; readonly commandStatus?: number; readonly tlvs?: readonly Tlv[] } & Readonly<
      Partial<Fields<C>>
    >
  : never;

/** A message's fields as a caller gives them: everything but the header. */
export type MessageFields = Readonly<Partial<Fields<'submit_sm'>>> & { readonly destinationAddr: string; readonly tlvs?: readonly Tlv[] };

/** Bit 31 of command_id marks a response (§5.1.2). */
export const RESPONSE_BIT = 0x8000_0000;
export const isResponseId = (commandId: number): boolean => commandId >>> 31 === 1;

const NAME_BY_ID = new Map<number, CommandName>(
  (Object.entries(COMMANDS) as [CommandName, CommandSpec][]).map(([name, spec]) => [spec.id, name]),
);
export const commandName = (commandId: number): CommandName | undefined => NAME_BY_ID.get(commandId);

export const isResponse = (pdu: Pdu): pdu is PduOf<ResponseName> => isResponseId(COMMANDS[pdu.command].id);

/** `submit_sm` → `submit_sm_resp`. */
export const responseName = <C extends RequestName>(command: C): ResponseTo<C> => `${command}_resp` as ResponseTo<C>;

/** esm_class (§5.2.12). */
export const ESM_CLASS = {
  /** Bits 5 to 2: what kind of message a deliver_sm is. */
  messageTypeMask: 0x3c,
  deliveryReceipt: 0x04,
  smeDeliveryAck: 0x08,
  smeManualAck: 0x10,
  conversationAbort: 0x18,
  intermediateNotification: 0x20,
  /** Bit 6: the short message begins with a user data header (3GPP TS 23.040 §9.2.3.24). */
  udhi: 0x40,
  replyPath: 0x80,
} as const;
