import type { Clock, Timer } from '../kernel/clock.js';
import { COMMANDS, type CommandName, isResponseId } from './commands.js';
import { type Pdu, type PduOf, type RequestName, type ResponseName, type ResponseTo, responseName } from './pdu.js';
import { SmppError } from './smpp-error.js';
import { statusName } from './statuses.js';
import { readTlv } from './tlvs.js';

/** sequence_number runs from 1 to this (SMPP 3.4 §5.1.4). */
export const SEQUENCE_MAX = 0x7fff_ffff;

/** What a request of this kind resolves to. */
export type ResponsePdu<C extends RequestName> = PduOf<ResponseTo<C>>;

/** A request that was written. One of the two is called, exactly once. */
export interface Waiter {
  /** With a response of status 0. */
  resolve(response: Pdu): void;
  reject(failure: SmppError): void;
}

interface Entry {
  readonly command: RequestName;
  readonly dueAt: number;
  /** Whether it takes a place in the window; enquire_link and unbind do not. */
  readonly isCounted: boolean;
  /** The outbox's `appended` after it. */
  readonly endsAt: number;
  readonly waiter: Waiter;
}

export interface InFlight {
  /** The next sequence number that no open request has. */
  nextSequence(): number;
  /** Registers a request that has just been appended. */
  add(sequence: number, command: RequestName, isCounted: boolean, endsAt: number, waiter: Waiter): void;
  /** Settles the request that `pdu` answers. False when nobody waits for it: late, repeated or never asked for. */
  answer(pdu: PduOf<ResponseName>): boolean;
  /** Settles the request that a response with an unreadable body answers. */
  answerBadBody(command: CommandName, sequence: number, headerStatus: number): boolean;
  /** Settles all of them: those the socket was never handed as never sent, the others as lost. */
  loseAll(handed: number): void;
  readonly windowUsed: number;
}

export interface InFlightOptions {
  readonly clock: Clock;
  readonly responseTimeoutMs: number;
  /** The first sequence number; 1 unless a test wants to see the wrap. */
  readonly firstSequence?: number;
  /** Called after a counted request was settled: there is room in the window. */
  readonly onRoom: () => void;
  readonly onTimeout: (command: RequestName, sequence: number) => void;
}

/**
 * Requests that were written and wait for their answer. All wait equally long, so the oldest is always due first
 * and one timer serves them all.
 */
export function createInFlight({ clock, responseTimeoutMs, firstSequence = 1, onRoom, onTimeout }: InFlightOptions): InFlight {
  const entries = new Map<number, Entry>();
  let windowUsed = 0;
  let next = firstSequence;
  let timer: Timer | undefined;

  /** Takes it out, so that whatever the waiter does next finds it settled. */
  function remove(sequence: number, entry: Entry): Waiter {
    entries.delete(sequence);
    if (entry.isCounted) windowUsed--;
    return entry.waiter;
  }

  function resolve(sequence: number, entry: Entry, response: Pdu): void {
    remove(sequence, entry).resolve(response);
    if (entry.isCounted) onRoom();
  }

  function reject(sequence: number, entry: Entry, failure: SmppError): void {
    remove(sequence, entry).reject(failure);
    if (entry.isCounted) onRoom();
  }

  function armTimer(dueAt: number): void {
    timer = clock.setTimer(dueAt - clock.monotonicMs(), expire);
  }

  function expire(): void {
    timer = undefined;
    const now = clock.monotonicMs();
    for (const [sequence, entry] of entries) {
      // Settling may start new requests; they stand behind and are not due.
      if (entry.dueAt > now) {
        if (!timer) armTimer(entry.dueAt);
        return;
      }
      onTimeout(entry.command, sequence);
      const detail = `No answer to ${entry.command} within ${responseTimeoutMs} ms.`;
      reject(sequence, entry, new SmppError('SMPP.RESPONSE_TIMEOUT', 'unknown', detail));
    }
  }

  function match(command: CommandName, sequence: number): Entry | undefined {
    const entry = entries.get(sequence);
    if (!entry || !isResponseId(COMMANDS[command].id)) return undefined;
    return command === 'generic_nack' || command === responseName(entry.command) ? entry : undefined;
  }

  return {
    nextSequence() {
      while (entries.has(next)) next = next >= SEQUENCE_MAX ? 1 : next + 1;
      const sequence = next;
      next = next >= SEQUENCE_MAX ? 1 : next + 1;
      return sequence;
    },
    add(sequence, command, isCounted, endsAt, waiter) {
      const dueAt = clock.monotonicMs() + responseTimeoutMs;
      entries.set(sequence, { command, dueAt, isCounted, endsAt, waiter });
      if (isCounted) windowUsed++;
      if (!timer) armTimer(dueAt);
    },
    answer(pdu) {
      const entry = match(pdu.command, pdu.sequence);
      if (!entry) return false;
      if (pdu.commandStatus === 0 && pdu.command !== 'generic_nack') resolve(pdu.sequence, entry, pdu);
      else reject(pdu.sequence, entry, refusal(entry.command, pdu.commandStatus, readTlv(pdu.tlvs, 'congestion_state')));
      return true;
    },
    answerBadBody(command, sequence, headerStatus) {
      const entry = match(command, sequence);
      if (!entry) return false;
      const malformed = () => new SmppError('SMPP.BAD_PDU', 'unknown', `The answer to ${entry.command} is malformed.`);
      reject(sequence, entry, headerStatus === 0 ? malformed() : refusal(entry.command, headerStatus));
      return true;
    },
    loseAll(handed) {
      timer?.cancel();
      timer = undefined;
      for (const [sequence, entry] of entries) {
        const failure =
          entry.endsAt > handed
            ? new SmppError('SMPP.NOT_BOUND', 'never-sent', `The link went down before ${entry.command} was written.`)
            : new SmppError('SMPP.LINK_LOST', 'unknown', `The link was lost before ${entry.command} was answered.`);
        reject(sequence, entry, failure);
      }
    },
    get windowUsed() {
      return windowUsed;
    },
  };
}

const refusal = (command: RequestName, commandStatus: number, congestionState?: number): SmppError =>
  new SmppError(
    'SMPP.REFUSED',
    'refused',
    `The peer refused ${command} with ${statusName(commandStatus)}.`,
    commandStatus,
    congestionState,
  );
