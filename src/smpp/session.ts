import type { Timer } from '../kernel/clock.js';
import { createBinding } from './binding.js';
import { COMMANDS, isResponseId } from './commands.js';
import { createConnection } from './connection.js';
import type { Decoded } from './decoder.js';
import type { ResponsePdu } from './in-flight.js';
import { createInbound } from './inbound.js';
import { createKeepAlive } from './keep-alive.js';
import {
  type AnyFields, type BindName, type DataName, type GivenFields, isResponse, type NoticeName, type Pdu, type PduOf, type RequestName, responseName,
} from './pdu.js'; // biome-ignore format: one list
import { createRequests } from './requests.js';
import {
  type BindType,
  type CloseReason,
  SESSION_BOUNDS,
  type SessionCounters,
  type SessionOptions,
  type SessionState,
} from './session-options.js';
import { mayReceive, mayRequest } from './session-rules.js';
import { notBound, SmppError } from './smpp-error.js';
import { STATUS } from './statuses.js';
import { TLVS } from './tlvs.js';

/** One SMPP session over one connection, of either side. */
export interface Session {
  readonly state: SessionState;
  readonly boundAs: BindType | undefined;
  /** Requests written and not answered, and requests that wait for room. */
  readonly windowUsed: number;
  readonly waiting: number;
  readonly lastEnquireLink: { readonly at: number; readonly roundTripMs: number } | undefined;
  readonly counters: Readonly<SessionCounters>;
  /** As ESME: binds. @throws SmppError; the connection is then closed. */
  bind(type: BindType, fields: GivenFields<BindName>): Promise<void>;
  /**
   * Sends a request when the window has room and waits for its answer, which has status 0.
   * @throws SmppError, whose `outcome` says whether the peer may have it.
   */
  request<C extends DataName>(command: C, fields: GivenFields<C>): Promise<ResponsePdu<C>>;
  /** As SMSC: says that a handset can be reached again. Nothing answers it. @throws SmppError, never sent. */
  alert(fields: GivenFields<'alert_notification'>): void;
  /** Takes no new requests, waits for those in flight, unbinds, closes. Resolves when the socket is gone. */
  close(): Promise<void>;
  /** Ends the connection now. Requests in flight are settled as lost. */
  destroy(reason: CloseReason): void;
}

/**
 * Runs a session over `socket` (SMPP 3.4 §2): nothing before bind, commands only from the side and in the state of
 * table 2-1, a bad body answered and skipped, a bad length answered and closed, every request settled exactly once.
 * Nothing that the peer sends makes it throw.
 */
export function openSession(options: SessionOptions): Session {
  const { role, clock, log } = options;
  const bounds = { ...SESSION_BOUNDS, ...options.bounds };
  const counters: SessionCounters = { badPdus: 0, strayResponses: 0, timeouts: 0, throttled: 0 };
  let state: SessionState = 'open';
  let boundAs: BindType | undefined;
  let closing: CloseReason | undefined;
  let lastEnquireLink: Session['lastEnquireLink'];
  let phaseTimer: Timer | undefined;

  const connection = createConnection({
    socket: options.socket,
    clock,
    bounds,
    isImmediate: () => (role === 'esme' ? bounds.windowSizeMax === 1 : inbound.active <= 1 && connection.framesInTurn <= 1),
    onPdu: take,
    onBadLength: refuseLength,
    onFailure: (reason, errno) => {
      log.info({ reason, errno }, 'smpp connection failed');
      destroy(reason);
    },
  });
  const requests = createRequests({
    connection, clock, log, bounds, counters, firstSequence: options.firstSequence ?? 1,
    isBound: () => state === 'bound',
    isClosed: () => state === 'closed',
    onUse: () => keepAlive.used(),
    onSettled: unbindWhenDrained,
  }); // biome-ignore format: what is handed on, then what is not
  const inbound = createInbound({
    role,
    handlers: options.handlers ?? {},
    connection,
    bounds,
    counters,
    log,
    onAnswered: unbindWhenDrained,
  });
  const binding = createBinding({
    connection, requests, onBind: options.onBind, log, onBound: becomeBound, destroy, end,
    isOpen: () => state === 'open',
  }); // biome-ignore format: what is handed on, then what is not
  const keepAlive = createKeepAlive({
    clock,
    enquireLinkMs: bounds.enquireLinkMs,
    inactivityMs: bounds.inactivityMs,
    lastHeardMs: () => connection.lastHeardMs,
    enquire,
    onIdle: () => startClosing('inactive'),
  });
  if (role === 'smsc') phaseTimer = clock.setTimer(bounds.bindTimeoutMs, () => destroy('bind-timeout'));

  // What the peer sends

  function take(decoded: Decoded): void {
    if (decoded.kind === 'pdu') takePdu(decoded.pdu);
    else takeMalformed(decoded);
  }

  function takeMalformed(decoded: Exclude<Decoded, { kind: 'pdu' }>): void {
    counters.badPdus++;
    if (decoded.kind === 'bad-length') {
      refuseLength(decoded.sequence);
      return;
    }
    if (decoded.kind === 'unknown-command') {
      if (!isResponseId(decoded.commandId)) nack(decoded.sequence, STATUS.ESME_RINVCMDID);
      return;
    }
    const { command, sequence, commandStatus, headerStatus } = decoded;
    log.info({ command, sequence, commandStatus }, 'smpp body malformed');
    if (!isResponseId(COMMANDS[command].id)) answer(command as RequestName | NoticeName, sequence, commandStatus);
    else if (!requests.answers.answerBadBody(command, sequence, headerStatus)) counters.strayResponses++;
  }

  function takePdu(pdu: Pdu): void {
    if (isResponse(pdu)) {
      if (!requests.answers.answer(pdu)) counters.strayResponses++;
      return;
    }
    const refusal = mayReceive(pdu.command, { role, state, boundAs, isBinding: binding.isPending });
    if (refusal === undefined) takeRequest(pdu);
    else answer(pdu.command, pdu.sequence, refusal);
  }

  function takeRequest(pdu: PduOf<RequestName | NoticeName>): void {
    switch (pdu.command) {
      case 'enquire_link':
        answer(pdu.command, pdu.sequence, STATUS.ESME_ROK);
        break;
      case 'unbind':
        answer(pdu.command, pdu.sequence, STATUS.ESME_ROK);
        end('unbound-by-peer');
        break;
      case 'alert_notification':
        options.onAlert?.(pdu);
        break;
      case 'outbind':
        // It asks an ESME to bind; ours has dialled to do that.
        break;
      case 'bind_receiver':
      case 'bind_transmitter':
      case 'bind_transceiver':
        void binding.take(pdu);
        break;
      default:
        keepAlive.used();
        inbound.take(pdu);
    }
  }

  function refuseLength(sequence: number): void {
    nack(sequence, STATUS.ESME_RINVCMDLEN);
    end('bad-command-length');
  }

  function answer(command: RequestName | NoticeName, sequence: number, commandStatus: number): void {
    if (command === 'outbind' || command === 'alert_notification') nack(sequence, commandStatus);
    else connection.put(responseName(command), sequence, commandStatus, {});
  }

  function nack(sequence: number, commandStatus: number): void {
    connection.put('generic_nack', sequence, commandStatus, {});
  }

  function becomeBound(type: BindType): void {
    state = 'bound';
    boundAs = type;
    phaseTimer?.cancel();
    keepAlive.start();
    options.onBound?.(type);
  }

  function enquire(): void {
    const at = clock.now();
    const startedMs = clock.monotonicMs();
    requests.send('enquire_link', {}, {
      resolve() {
        lastEnquireLink = { at, roundTripMs: clock.monotonicMs() - startedMs };
      },
      reject({ code }) {
        if (code === 'SMPP.RESPONSE_TIMEOUT' && connection.lastHeardMs <= startedMs) destroy('no-answer-to-enquire-link');
      },
    }); // biome-ignore format: the two ways it ends
    connection.flush();
  }

  // The end

  function startClosing(reason: CloseReason): void {
    if (closing !== undefined || state === 'closed') return;
    if (state !== 'bound') {
      destroy(reason);
      return;
    }
    closing = reason;
    requests.failWaiting();
    phaseTimer = clock.setTimer(bounds.responseTimeoutMs, sendUnbind);
    unbindWhenDrained();
  }

  function unbindWhenDrained(): void {
    if (closing !== undefined && requests.windowUsed === 0 && inbound.active === 0) sendUnbind();
  }

  function sendUnbind(): void {
    if (state !== 'bound') return;
    phaseTimer?.cancel();
    keepAlive.stop();
    state = 'unbinding';
    const done = () => end(closing ?? 'closed-by-us');
    requests.send('unbind', {}, { resolve: done, reject: done });
    connection.flush();
  }

  /** After this nothing is in flight and no timer of the session runs. */
  function finish(reason: CloseReason): void {
    state = 'closed';
    phaseTimer?.cancel();
    keepAlive.stop();
    requests.failWaiting();
    requests.loseAll();
    options.onClosed?.(reason, binding.refusedWith);
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

  /** Why this may not be sent now. */
  function refusalToSend(command: DataName | NoticeName): string | undefined {
    if (state !== 'bound' || closing !== undefined) return 'The link is not bound.';
    return mayRequest(command, role, boundAs) ? undefined : `The bind does not carry ${command} in this direction.`;
  }

  return {
    get state() {
      return state;
    },
    get boundAs() {
      return boundAs;
    },
    get windowUsed() {
      return requests.windowUsed;
    },
    get waiting() {
      return requests.waiting;
    },
    get lastEnquireLink() {
      return lastEnquireLink;
    },
    counters,
    bind(type, fields) {
      if (state !== 'open' || binding.isPending) return Promise.reject(notBound('The session cannot bind now.'));
      return binding.ask(type, fields);
    },
    request(command, fields) {
      const refusal = refusalToSend(command);
      if (refusal !== undefined) return Promise.reject(notBound(refusal));
      return connection.hasTlvs || !hasPayload(fields) ? requests.request(command, fields) : Promise.reject(needsTlvs());
    },
    alert(fields) {
      const refusal = refusalToSend('alert_notification');
      if (refusal !== undefined) throw notBound(refusal);
      requests.notify('alert_notification', fields);
    },
    close() {
      startClosing('closed-by-us');
      return connection.gone;
    },
    destroy,
  };
}

const hasPayload = ({ tlvs = [] }: AnyFields): boolean => tlvs.some(({ tag }) => tag === TLVS.message_payload.tag);
const needsTlvs = (): SmppError =>
  new SmppError('SMPP.BAD_PDU', 'never-sent', 'message_payload does not fit: the peer speaks SMPP 3.3, which has no TLVs.');
