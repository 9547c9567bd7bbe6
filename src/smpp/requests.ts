import type { Clock } from '../kernel/clock.js';
import { GatewayError } from '../kernel/errors.js';
import type { Log } from '../kernel/log.js';
import type { Connection } from './connection.js';
import { createInFlight, type InFlight, type ResponsePdu, type Waiter } from './in-flight.js';
import type { AnyFields, DataName, GivenFields, NoticeName, Pdu, RequestName } from './pdu.js';
import type { SessionBounds, SessionCounters } from './session-options.js';
import { notBound, SmppError } from './smpp-error.js';

/** What we ask of the peer: through the window, or past it. */
export interface Requests {
  /** Sends it when the window has room and resolves with its answer of status 0. @throws SmppError */
  request<C extends DataName>(command: C, fields: GivenFields<C>): Promise<ResponsePdu<C>>;
  /** Sends it now, outside the window; the waiter is called also when the fields do not fit the wire. */
  send<C extends RequestName>(command: C, fields: GivenFields<C>, waiter: Waiter): void;
  /** Sends what nothing answers. @throws SmppError when the fields do not fit the wire. */
  notify<C extends NoticeName>(command: C, fields: GivenFields<C>): void;
  /** Fails what waits for the window. Nothing of it was sent. */
  failWaiting(): void;
  /** Fails all there is; nothing runs afterwards. */
  loseAll(): void;
  readonly answers: Pick<InFlight, 'answer' | 'answerBadBody'>;
  readonly windowUsed: number;
  readonly waiting: number;
}

export interface RequestsOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly log: Log;
  readonly bounds: SessionBounds;
  readonly counters: SessionCounters;
  readonly firstSequence: number;
  readonly isBound: () => boolean;
  readonly isClosed: () => boolean;
  /** A request of the window was sent; one was settled. */
  readonly onUse: () => void;
  readonly onSettled: () => void;
}

interface Waiting extends Waiter {
  readonly command: DataName;
  readonly fields: AnyFields;
}

export function createRequests(options: RequestsOptions): Requests {
  const { connection, bounds, counters, log } = options;
  const waiting: Waiting[] = [];
  const inFlight = createInFlight({
    clock: options.clock,
    responseTimeoutMs: bounds.responseTimeoutMs,
    firstSequence: options.firstSequence,
    onRoom: fillWindow,
    onTimeout: (command, sequence) => {
      counters.timeouts++;
      log.warn({ command, sequence }, 'smpp request timed out');
    },
  });

  function put(command: RequestName, fields: AnyFields, isCounted: boolean, waiter: Waiter): void {
    const sequence = inFlight.nextSequence();
    try {
      connection.put(command, sequence, 0, fields);
    } catch (failure) {
      waiter.reject(doesNotFit(failure));
      return;
    }
    inFlight.add(sequence, command, isCounted, connection.appended, waiter);
    // The write may have ended the session, before this request could be among those that it settled.
    if (options.isClosed()) inFlight.loseAll(connection.handed);
  }

  function start(command: DataName, fields: AnyFields, waiter: Waiter): void {
    options.onUse();
    put(command, fields, true, waiter);
  }

  function fillWindow(): void {
    while (waiting.length > 0 && options.isBound() && inFlight.windowUsed < bounds.windowSizeMax) {
      const next = waiting.shift();
      if (next) start(next.command, next.fields, next);
    }
    options.onSettled();
  }

  return {
    request<C extends DataName>(command: C, fields: GivenFields<C>) {
      return new Promise<ResponsePdu<C>>((resolve, reject) => {
        const waiter = { resolve: resolve as (response: Pdu) => void, reject };
        if (inFlight.windowUsed < bounds.windowSizeMax) start(command, fields, waiter);
        else if (waiting.length < bounds.waitingMax) waiting.push({ command, fields, ...waiter });
        else reject(new SmppError('UNAVAILABLE', 'never-sent', 'Too many requests wait for the window of the link.'));
      });
    },
    notify(command, fields) {
      try {
        connection.put(command, inFlight.nextSequence(), 0, fields);
      } catch (failure) {
        throw doesNotFit(failure);
      }
    },
    send: (command, fields, waiter) => put(command, fields, false, waiter),
    failWaiting() {
      for (const { reject } of waiting.splice(0)) reject(notBound('The link went down before the request was sent.'));
    },
    loseAll: () => inFlight.loseAll(connection.handed),
    answers: inFlight,
    get windowUsed() {
      return inFlight.windowUsed;
    },
    get waiting() {
      return waiting.length;
    },
  };
}

const doesNotFit = (failure: unknown): SmppError =>
  new SmppError(
    'SMPP.BAD_PDU',
    'never-sent',
    failure instanceof GatewayError && failure.detail ? failure.detail : 'A field is out of bounds.',
  );
