import type { FieldIo } from './field-io.js';
import {
  alert, bind, bindResp, cancel, data, type Header, message, messageResp, multi, multiResp, nothing, outbind, query, queryResp, replace,
} from './layouts.js'; // biome-ignore format: one list

/**
 * In which state of the session a side may send a command (SMPP 3.4 §2.3, table 2-1): before a bind, on a bind that
 * carries messages to the SMSC or from it, on any bind, or at any time.
 */
export type SendingState = 'open' | 'transmitter' | 'receiver' | 'bound' | 'any';

export interface CommandSpec {
  readonly id: number;
  readonly layout: (io: FieldIo, header: Header, given: Record<string, never>) => Header;
  /** Each side that may send it, and when. A side that is not named may not. */
  readonly esme?: SendingState;
  readonly smsc?: SendingState;
}

/**
 * Every command of SMPP 3.4 (§5.1.2.1). Codec and session read this table: a command more is a layout and a line more.
 * The broadcast commands of SMPP 5.0 are none of ours: they are unknown commands like any other.
 */
export const COMMANDS = {
  generic_nack: { id: 0x8000_0000, layout: nothing, esme: 'any', smsc: 'any' },
  bind_receiver: { id: 0x01, layout: bind, esme: 'open' },
  bind_receiver_resp: { id: 0x8000_0001, layout: bindResp, smsc: 'any' },
  bind_transmitter: { id: 0x02, layout: bind, esme: 'open' },
  bind_transmitter_resp: { id: 0x8000_0002, layout: bindResp, smsc: 'any' },
  query_sm: { id: 0x03, layout: query, esme: 'transmitter' },
  query_sm_resp: { id: 0x8000_0003, layout: queryResp, smsc: 'any' },
  submit_sm: { id: 0x04, layout: message, esme: 'transmitter' },
  submit_sm_resp: { id: 0x8000_0004, layout: messageResp, smsc: 'any' },
  deliver_sm: { id: 0x05, layout: message, smsc: 'receiver' },
  deliver_sm_resp: { id: 0x8000_0005, layout: messageResp, esme: 'any' },
  unbind: { id: 0x06, layout: nothing, esme: 'bound', smsc: 'bound' },
  unbind_resp: { id: 0x8000_0006, layout: nothing, esme: 'any', smsc: 'any' },
  replace_sm: { id: 0x07, layout: replace, esme: 'transmitter' },
  replace_sm_resp: { id: 0x8000_0007, layout: nothing, smsc: 'any' },
  cancel_sm: { id: 0x08, layout: cancel, esme: 'transmitter' },
  cancel_sm_resp: { id: 0x8000_0008, layout: nothing, smsc: 'any' },
  bind_transceiver: { id: 0x09, layout: bind, esme: 'open' },
  bind_transceiver_resp: { id: 0x8000_0009, layout: bindResp, smsc: 'any' },
  outbind: { id: 0x0b, layout: outbind, smsc: 'open' },
  enquire_link: { id: 0x15, layout: nothing, esme: 'bound', smsc: 'bound' },
  enquire_link_resp: { id: 0x8000_0015, layout: nothing, esme: 'any', smsc: 'any' },
  submit_multi: { id: 0x21, layout: multi, esme: 'transmitter' },
  submit_multi_resp: { id: 0x8000_0021, layout: multiResp, smsc: 'any' },
  alert_notification: { id: 0x0102, layout: alert, smsc: 'receiver' },
  data_sm: { id: 0x0103, layout: data, esme: 'transmitter', smsc: 'receiver' },
  data_sm_resp: { id: 0x8000_0103, layout: messageResp, esme: 'any', smsc: 'any' },
} as const;

export type CommandName = keyof typeof COMMANDS;

/** The table's line as the session's rules read it. */
export const commandSpec = (command: CommandName): CommandSpec => COMMANDS[command] as CommandSpec;

/** Bit 31 of command_id marks a response (§5.1.2). */
export const isResponseId = (commandId: number): boolean => commandId >>> 31 === 1;

const BY_ID = new Map<number, KnownCommand>();
for (const name of Object.keys(COMMANDS) as CommandName[]) BY_ID.set(COMMANDS[name].id, { name, spec: commandSpec(name) });

interface KnownCommand {
  readonly name: CommandName;
  readonly spec: CommandSpec;
}

export const commandById = (commandId: number): KnownCommand | undefined => BY_ID.get(commandId);
