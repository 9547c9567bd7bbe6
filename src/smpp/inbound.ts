import type { Log } from '../kernel/log.js';
import type { Connection } from './connection.js';
import { type AnyFields, type DataName, type PduOf, responseName } from './pdu.js';
import type { AnswerTo, Handlers, Role, SessionBounds, SessionCounters } from './session-options.js';
import { temporaryError } from './session-rules.js';
import { RefusedWith } from './smpp-error.js';
import { STATUS } from './statuses.js';

/** Requests of the peer on their way through our handlers. */
export interface Inbound {
  /** Hands it to its handler and answers with what comes of it, exactly once. It never throws. */
  take(pdu: PduOf<DataName>): void;
  /** Requests that handlers work on. */
  readonly active: number;
}

export interface InboundOptions {
  readonly role: Role;
  readonly handlers: Handlers;
  readonly connection: Connection;
  readonly bounds: SessionBounds;
  readonly counters: SessionCounters;
  readonly log: Log;
  /** One was answered. */
  readonly onAnswered: () => void;
}

type AnyHandler = (pdu: PduOf<DataName>) => Promise<AnswerTo<DataName>>;

export function createInbound({ role, handlers, connection, bounds, counters, log, onAnswered }: InboundOptions): Inbound {
  let active = 0;

  const answer = (command: DataName, sequence: number, commandStatus: number, fields: AnyFields = {}): void =>
    connection.put(responseName(command), sequence, commandStatus, fields);

  async function handle(handler: AnyHandler, pdu: PduOf<DataName>): Promise<void> {
    const { command, sequence } = pdu;
    active++;
    try {
      const fields = await handler(pdu);
      answer(command, sequence, fields.commandStatus ?? STATUS.ESME_ROK, fields);
    } catch (failure) {
      const isChosen = failure instanceof RefusedWith && failure.commandStatus !== STATUS.ESME_ROK;
      const name = failure instanceof Error ? failure.name : typeof failure;
      if (!isChosen) log.warn({ command, sequence, failure: name }, 'smpp request handler failed');
      answer(command, sequence, isChosen ? failure.commandStatus : temporaryError(role));
    } finally {
      active--;
      onAnswered();
    }
  }

  return {
    take(pdu) {
      const handler = handlers[pdu.command] as AnyHandler | undefined;
      if (!handler) answer(pdu.command, pdu.sequence, STATUS.ESME_RINVCMDID);
      else if (active < bounds.inboundMax) void handle(handler, pdu);
      else {
        counters.throttled++;
        answer(pdu.command, pdu.sequence, STATUS.ESME_RTHROTTLED);
      }
    },
    get active() {
      return active;
    },
  };
}
