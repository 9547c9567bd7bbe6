import { COMMANDS, type CommandName, isResponseId } from './commands.js';
import type { Header } from './layouts.js';
import type { Tlv } from './tlvs.js';

type LayoutOf<C extends CommandName> = ReturnType<(typeof COMMANDS)[C]['layout']>;

export type ResponseName = Extract<CommandName, `${string}_resp` | 'generic_nack'>;
/** Requests that no PDU answers. */
export type NoticeName = 'outbind' | 'alert_notification';
/** Requests that are answered. */
export type RequestName = Exclude<CommandName, ResponseName | NoticeName>;
export type BindName = 'bind_transmitter' | 'bind_receiver' | 'bind_transceiver';
/** Requests that carry a message or act on one: handlers take them, and they count in the window. */
export type DataName = Exclude<RequestName, BindName | 'unbind' | 'enquire_link'>;
export type ResponseTo<C extends RequestName> = Extract<CommandName, `${C}_resp`>;

/** The mandatory parameters of a command: C-Octet Strings as Latin-1 text without the NUL, integers, and octets as a Buffer. */
export type Fields<C extends CommandName> = Omit<LayoutOf<C>, keyof Header>;

/**
 * A decoded PDU. Buffers in it are views of what was read: copy what outlives the handler.
 * A response without a body (allowed when its status is not 0, §4.1.2 and §4.4.2) has empty fields.
 */
export type PduOf<C extends CommandName> = C extends CommandName ? { readonly command: C } & Readonly<Omit<LayoutOf<C>, 'command'>> : never;
export type Pdu = PduOf<CommandName>;
export type SubmitSm = PduOf<'submit_sm'>;
export type DeliverSm = PduOf<'deliver_sm'>;
export type DataSm = PduOf<'data_sm'>;
export type BindPdu = PduOf<BindName>;

/** A command's parameters as a caller gives them: everything but the header; what is left out is 0 or empty. */
export type GivenFields<C extends CommandName> = Readonly<Partial<Fields<C>>> & { readonly tlvs?: readonly Tlv[] };

/** The same of whatever command, where its fields were checked before. */
export type AnyFields = object & { readonly tlvs?: readonly Tlv[] };

/** What the encoder takes. */
export type OutgoingPdu<C extends CommandName = CommandName> = C extends CommandName
  ? { readonly command: C; readonly sequence: number; readonly commandStatus?: number } & GivenFields<C>
  : never;

/** A message to one destination, as a caller gives it. */
export type MessageFields = GivenFields<'submit_sm'> & { readonly destinationAddr: string };

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
