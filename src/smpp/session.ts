import type { Timer } from '../kernel/clock.js';
import type { Decoded } from './codec.js';
import { createConnection } from './connection.js';
import { createInFlight, type ResponsePdu, type Settled } from './in-flight.js';
import { createKeepAlive } from './keep-alive.js';
import {
  type BindName, type BindPdu, COMMANDS, type DataName, type Fields, isResponse, isResponseId,
  type OutgoingPdu, type PduOf, type RequestName, responseName,
} from './pdu.js'; // biome-ignore format: one list
import {
  type BindAnswer,
  type BindType,
  type CloseReason,
  SESSION_BOUNDS,
  type SessionOptions,
  type SessionState,
} from './session-options.js';
import { mayReceive, mayRequest, temporaryError } from './session-rules.js';
import { RefusedWith, SmppError } from './smpp-error.js';
import { STATUS } from './statuses.js';
import { type Tlv, tlv } from './tlvs.js';

export type RequestFields<C extends RequestName> = Readonly<Partial<Fields<C>>> & { readonly tlvs?: readonly Tlv[] };

export interface SessionCounters {
  badPdus: number;
  /** Responses that nobody waited for. */
  strayResponses: number;
  timeouts: number;
  throttled: number;
}

/** One SMPP session over one connection, of either side. */
export interface Session {
  readonly state: SessionState;
  readonly boundAs: BindType | undefined;
  /** Messages written and not answered, and messages that wait for room. */
  readonly windowUsed: number;
  readonly waiting: number;
  readonly lastEnquireLink: { readonly at: number; readonly roundTripMs: number } | undefined;
  readonly counters: Readonly<SessionCounters>;
  /** As ESME: binds. @throws SmppError; the connection is then closed. */
  bind(type: BindType, fields: RequestFields<BindName>): Promise<void>;
  /**
   * Sends a message when the window has room and waits for its answer, which has status 0.
   * @throws SmppError, whose `outcome` says whether the peer may have it.
   */
  request<C extends DataName>(command: C, fields: RequestFields<C>): Promise<ResponsePdu<C>>;
  /** Takes no new requests, waits for those in flight, unbinds, closes. Resolves when the socket is gone. */
  close(): Promise<void>;
  /** Ends the connection now. Requests in flight are settled as lost. */
  destroy(reason: CloseReason): void;
}

const INTERFACE_VERSION = 0x34;

/**
 * Runs a session over `socket` (SMPP 3.4 §2): nothing before bind, commands only from the side and in the state of
 * table 2-1, a bad body answered and skipped, a bad length answered and closed, every request settled exactly once.
 * Nothing that the peer sends makes it throw.
 */
export function openSession(options: SessionOptions): Session {
  const { role, clock, log } = options;
  const bounds = { ...SESSION_BOUNDS, ...options.bounds };
  const counters: SessionCounters = { badPdus: 0, strayResponses: 0, timeouts: 0, throttled: 0 };
  const waiting: { start: () => void; fail: (failure: SmppError) => void }[] = [];
  let state: SessionState = 'open';
  let boundAs: BindType | undefined;
  let isBinding = false;
  let closing: CloseReason | undefined;
  let inbound = 0;
  let lastEnquireLink: Session['lastEnquireLink'];
  let phaseTimer: Timer | undefined;
  let bindStatus: string | undefined;

  const connection = createConnection({
    socket: options.socket,
    clock,
    bounds,
    isImmediate: () => (role === 'esme' ? bounds.windowSizeMax === 1 : inbound <= 1 && connection.framesInTurn <= 1),
    onPdu: take,
    onBadLength: refuseLength,
    onFailure: (reason, errno) => {
      log.info({ reason, errno }, 'smpp connection failed');
      destroy(reason);
    },
  });
  const inFlight = createInFlight({
    clock,
    responseTimeoutMs: bounds.responseTimeoutMs,
    firstSequence: options.firstSequence ?? 1,
    onRoom: fillWindow,
    onTimeout: (command, sequence) => {
      counters.timeouts++;
      log.warn({ command, sequence }, 'smpp request timed out');
    },
  });
  const keepAlive = createKeepAlive({
    clock,
    enquireLinkMs: bounds.enquireLinkMs,
    inactivityMs: bounds.inactivityMs,
    lastHeardMs: () => connection.lastHeardMs,
    enquire,
    onIdle: () => startClosing('inactive'),
  });
  if (role === 'smsc') phaseTimer = clock.setTimer(bounds.bindTimeoutMs, () => destroy('bind-timeout'));

  // What we send

  /** Appends a request; `settle` is called exactly once, also when the fields do not fit the wire. */
  function putRequest<C extends RequestName>(
    command: C,
    fields: RequestFields<C>,
    isCounted: boolean,
    settle: (outcome: Settled) => void,
  ): void {
    const sequence = inFlight.nextSequence();
    const before = connection.appended;
    try {
      connection.put({ ...fields, command, commandStatus: 0, sequence } as unknown as OutgoingPdu);
    } catch (failure) {
      const detail = failure instanceof Error ? failure.message.replace(/^SMPP\.BAD_PDU: /, '') : 'A field is out of bounds.';
      settle({ failure: new SmppError('SMPP.BAD_PDU', 'never-sent', detail) });
      return;
    }
    inFlight.add(sequence, command, isCounted, connection.appended, settle);
    // The write may have ended the session, before this request could be among those that it settled.
    if ((state as SessionState) === 'closed') inFlight.loseAll(Math.min(before, connection.handed));
  }

  function answer(command: RequestName, sequence: number, commandStatus: number): void {
    connection.put({ command: responseName(command), sequence, commandStatus } as OutgoingPdu);
  }

  function fillWindow(): void {
    while (state === 'bound' && inFlight.windowUsed < bounds.windowSizeMax) {
      const next = waiting.shift();
      if (!next) break;
      next.start();
    }
    unbindWhenDrained();
  }

  function enquire(): void {
    const at = clock.now();
    const startedMs = clock.monotonicMs();
    putRequest('enquire_link', {}, false, (outcome) => {
      if ('response' in outcome) lastEnquireLink = { at, roundTripMs: clock.monotonicMs() - startedMs };
      else if (outcome.failure.code === 'SMPP.RESPONSE_TIMEOUT' && connection.lastHeardMs <= startedMs)
        destroy('no-answer-to-enquire-link');
    });
    connection.flush();
  }

  // What the peer sends

  function take(decoded: Decoded): void {
    if (decoded.kind === 'pdu') {
      if (!isResponse(decoded.pdu)) {
        takeRequest(decoded.pdu);
        return;
      }
      if (!inFlight.answer(decoded.pdu)) counters.strayResponses++;
      return;
    }
    counters.badPdus++;
    if (decoded.kind === 'bad-length') {
      refuseLength(decoded.sequence);
      return;
    }
    if (decoded.kind === 'unknown-command') {
      if (isResponseId(decoded.commandId)) return;
      connection.put({ command: 'generic_nack', sequence: decoded.sequence, commandStatus: STATUS.ESME_RINVCMDID });
      return;
    }
    const { command, sequence, commandStatus, headerStatus } = decoded;
    log.info({ command, sequence, commandStatus }, 'smpp body malformed');
    if (!isResponseId(COMMANDS[command].id)) {
      answer(command as RequestName, sequence, commandStatus);
      return;
    }
    if (!inFlight.answerBadBody(command, sequence, headerStatus)) counters.strayResponses++;
  }

  function takeRequest(pdu: PduOf<RequestName>): void {
    const refusal = mayReceive(pdu.command, { role, state, boundAs, isBinding });
    if (refusal !== undefined) {
      answer(pdu.command, pdu.sequence, refusal);
      return;
    }
    if (pdu.command === 'enquire_link') {
      answer(pdu.command, pdu.sequence, STATUS.ESME_ROK);
      return;
    }
    if (pdu.command === 'submit_sm' || pdu.command === 'deliver_sm') return void takeMessage(pdu);
    if (pdu.command !== 'unbind') return void takeBind(pdu);
    answer(pdu.command, pdu.sequence, STATUS.ESME_ROK);
    end('unbound-by-peer');
  }

  function refuseLength(sequence: number): void {
    counters.badPdus++;
    connection.put({ command: 'generic_nack', sequence, commandStatus: STATUS.ESME_RINVCMDLEN });
    end('bad-command-length');
  }

  async function takeMessage(pdu: PduOf<DataName>): Promise<void> {
    const { command, sequence } = pdu;
    keepAlive.used();
    if (inbound >= bounds.inboundMax) {
      counters.throttled++;
      return answer(command, sequence, STATUS.ESME_RTHROTTLED);
    }
    inbound++;
    try {
      const answered = await options.onMessage?.(pdu);
      const body = answered ?? { commandStatus: temporaryError(command) };
      connection.put({ ...body, command: responseName(command), sequence } as OutgoingPdu);
    } catch (failure) {
      const isChosen = failure instanceof RefusedWith && failure.commandStatus !== STATUS.ESME_ROK;
      if (!isChosen) log.warn({ command, sequence, failure: errorName(failure) }, 'smpp message handler failed');
      answer(command, sequence, isChosen ? failure.commandStatus : temporaryError(command));
    } finally {
      inbound--;
      unbindWhenDrained();
    }
  }

  async function takeBind(pdu: BindPdu): Promise<void> {
    isBinding = true;
    let decision: BindAnswer = { commandStatus: STATUS.ESME_RBINDFAIL };
    try {
      decision = (await options.onBind?.(pdu)) ?? decision;
    } catch (failure) {
      log.error({ failure: errorName(failure) }, 'smpp bind handler failed');
      decision = { commandStatus: STATUS.ESME_RSYSERR };
    }
    isBinding = false;
    if (state !== 'open') return;
    const { commandStatus, systemId = '' } = decision;
    if (commandStatus !== STATUS.ESME_ROK) {
      answer(pdu.command, pdu.sequence, commandStatus);
      return end('bind-refused');
    }
    const tlvs = [tlv('sc_interface_version', INTERFACE_VERSION)];
    connection.put({ command: responseName(pdu.command), sequence: pdu.sequence, systemId, tlvs } as OutgoingPdu);
    becomeBound(bindTypeOf(pdu.command));
  }

  function becomeBound(type: BindType): void {
    state = 'bound';
    boundAs = type;
    phaseTimer?.cancel();
    keepAlive.start();
    options.onBound?.(type);
  }

  // The end

  function startClosing(reason: CloseReason): void {
    if (closing !== undefined || state === 'closed') return;
    if (state !== 'bound') {
      destroy(reason);
      return;
    }
    closing = reason;
    failWaiting();
    phaseTimer = clock.setTimer(bounds.responseTimeoutMs, sendUnbind);
    unbindWhenDrained();
  }

  function unbindWhenDrained(): void {
    if (closing !== undefined && inFlight.windowUsed === 0 && inbound === 0) sendUnbind();
  }

  function sendUnbind(): void {
    if (state !== 'bound') return;
    phaseTimer?.cancel();
    keepAlive.stop();
    state = 'unbinding';
    putRequest('unbind', {}, false, () => end(closing ?? 'closed-by-us'));
    connection.flush();
  }

  function failWaiting(): void {
    for (const { fail } of waiting.splice(0)) fail(notBound('The link went down before the request was sent.'));
  }

  /** After this nothing is in flight and no timer of the session runs. */
  function finish(reason: CloseReason): void {
    state = 'closed';
    phaseTimer?.cancel();
    keepAlive.stop();
    failWaiting();
    inFlight.loseAll(connection.handed);
    options.onClosed?.(reason, bindStatus);
  }

  /** Closes after what waits was written. */
  function end(reason: CloseReason): void {
    if (state === 'closed') return;
    connection.end();
    finish(reason);
  }

  function destroy(reason: CloseReason): void {
    if (state === 'closed') return;
    connection.destroy();
    finish(reason);
  }

  return {
    get state() {
      return state;
    },
    get boundAs() {
      return boundAs;
    },
    get windowUsed() {
      return inFlight.windowUsed;
    },
    get waiting() {
      return waiting.length;
    },
    get lastEnquireLink() {
      return lastEnquireLink;
    },
    counters,
    bind(type, fields) {
      return new Promise((resolve, reject) => {
        if (state !== 'open' || isBinding) return reject(notBound('The session cannot bind now.'));
        isBinding = true;
        putRequest(`bind_${type}`, fields, false, (outcome) => {
          isBinding = false;
          if ('failure' in outcome) {
            bindStatus = outcome.failure.statusName;
            reject(outcome.failure);
            return destroy(outcome.failure.code === 'SMPP.RESPONSE_TIMEOUT' ? 'bind-timeout' : 'bind-refused');
          }
          becomeBound(type);
          resolve();
        });
        connection.flush();
      });
    },
    request(command, fields) {
      return new Promise((resolve, reject) => {
        if (state !== 'bound' || closing !== undefined) return reject(notBound('The link is not bound.'));
        if (!mayRequest(command, role, boundAs)) return reject(notBound(`The bind does not carry ${command} in this direction.`));
        const settle = (outcome: Settled) =>
          'failure' in outcome ? reject(outcome.failure) : resolve(outcome.response as ResponsePdu<typeof command>);
        const start = () => {
          keepAlive.used();
          putRequest(command, fields, true, settle);
        };
        if (inFlight.windowUsed < bounds.windowSizeMax) start();
        else if (waiting.length < bounds.waitingMax) waiting.push({ start, fail: reject });
        else reject(new SmppError('UNAVAILABLE', 'never-sent', 'Too many requests wait for the window of the link.'));
      });
    },
    close() {
      startClosing('closed-by-us');
      return connection.gone;
    },
    destroy,
  };
}

const bindTypeOf = (command: BindName): BindType => command.slice('bind_'.length) as BindType;
const notBound = (detail: string): SmppError => new SmppError('SMPP.NOT_BOUND', 'never-sent', detail);
const errorName = (failure: unknown): string => (failure instanceof Error ? failure.name : typeof failure);
