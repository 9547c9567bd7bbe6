import { commandSpec } from './commands.js';
import type { DataName, NoticeName, RequestName } from './pdu.js';
import type { BindType, Role, SessionState } from './session-options.js';
import { STATUS } from './statuses.js';

interface Situation {
  readonly role: Role;
  readonly state: SessionState;
  readonly boundAs: BindType | undefined;
  /** A bind is being decided. */
  readonly isBinding: boolean;
}

/**
 * Whether the peer may send this command now (SMPP 3.4 §2.3, table 2-1).
 * @returns undefined when it may, else the status to answer with.
 */
export function mayReceive(command: RequestName | NoticeName, { role, state, boundAs, isBinding }: Situation): number | undefined {
  const when = commandSpec(command)[role === 'esme' ? 'smsc' : 'esme'];
  if (when === undefined) return STATUS.ESME_RINVBNDSTS;
  if (when === 'open') return state === 'open' && !isBinding ? undefined : STATUS.ESME_RALYBND;
  if (state === 'open') return STATUS.ESME_RINVBNDSTS;
  if (when === 'bound') return undefined;
  if (boundAs !== 'transceiver' && boundAs !== when) return STATUS.ESME_RINVBNDSTS;
  // Between our unbind and its answer a message is turned away for now, so that it comes again on the next bind. A notice would not.
  return state === 'unbinding' && command !== 'alert_notification' ? temporaryError(role) : undefined;
}

/** Whether we may send this on our bind. */
export function mayRequest(command: DataName | NoticeName, role: Role, boundAs: BindType | undefined): boolean {
  const when = commandSpec(command)[role];
  return when !== undefined && when !== 'open' && (boundAs === 'transceiver' || boundAs === when);
}

/** What makes the peer try again: §5.1.3 has a status of its own for what an ESME receives. */
export const temporaryError = (role: Role): number => (role === 'esme' ? STATUS.ESME_RX_T_APPN : STATUS.ESME_RSYSERR);
