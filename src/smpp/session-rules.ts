import { COMMANDS, type CommandName, type CommandSpec, type DataName, type RequestName } from './pdu.js';
import type { BindType, SessionState } from './session-options.js';
import { STATUS } from './statuses.js';

interface Situation {
  /** Our side. */
  readonly role: 'esme' | 'smsc';
  readonly state: SessionState;
  readonly boundAs: BindType | undefined;
  /** A bind is being decided. */
  readonly isBinding: boolean;
}

/**
 * Whether the peer may send this command now (SMPP 3.4 §2.3, table 2-1).
 * @returns undefined when it may, else the status to answer with.
 */
export function mayReceive(command: RequestName, { role, state, boundAs, isBinding }: Situation): number | undefined {
  const spec: CommandSpec = COMMANDS[command];
  if (spec.sentBy === role) return STATUS.ESME_RINVBNDSTS;
  if (spec.state === 'open') return state === 'open' && !isBinding ? undefined : STATUS.ESME_RALYBND;
  if (state === 'open') return STATUS.ESME_RINVBNDSTS;
  if (spec.state === 'bound') return undefined;
  if (boundAs !== 'transceiver' && boundAs !== spec.state) return STATUS.ESME_RINVBNDSTS;
  // Between our unbind and its answer a message is turned away for now, so that it comes again on the next bind.
  return state === 'unbinding' ? temporaryError(command) : undefined;
}

/** Whether we may send this message on this bind. */
export function mayRequest(command: DataName, role: 'esme' | 'smsc', boundAs: BindType | undefined): boolean {
  const { sentBy, state }: CommandSpec = COMMANDS[command];
  return sentBy === role && (boundAs === 'transceiver' || boundAs === state);
}

/** What makes the peer try again: §5.1.3 has a status of its own for deliver_sm. */
export const temporaryError = (command: CommandName): number => (command === 'deliver_sm' ? STATUS.ESME_RX_T_APPN : STATUS.ESME_RSYSERR);
