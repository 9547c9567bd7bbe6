import type { Duplex } from 'node:stream';
import type { Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import type { BindPdu, DataName, GivenFields, PduOf, ResponseTo } from './pdu.js';

/** Our side. */
export type Role = 'esme' | 'smsc';
/** §2.2: open until bound; unbinding from the moment that unbind is sent; closed for ever. */
export type SessionState = 'open' | 'bound' | 'unbinding' | 'closed';
export type BindType = 'transmitter' | 'receiver' | 'transceiver';

/** Why a session ended. */
export type CloseReason =
  | 'closed-by-us'
  | 'unbound-by-peer'
  | 'peer-closed'
  | 'socket-failed'
  | 'bind-refused'
  | 'bind-timeout'
  | 'no-answer-to-enquire-link'
  | 'inactive'
  | 'pdu-read-timeout'
  | 'bad-command-length'
  | 'peer-not-reading';

/** What answers a request: its response's own fields, and a status that is 0 unless given. */
export type AnswerTo<C extends DataName> = GivenFields<ResponseTo<C>> & { readonly commandStatus?: number };

/**
 * Takes an inbound request. Status 0 is answered only after it resolved; it rejects with `RefusedWith` for a status of its
 * choice, with anything else for a temporary error. Buffers of the PDU are views: copy what is kept.
 */
export type Handler<C extends DataName> = (pdu: PduOf<C>) => Promise<AnswerTo<C>>;

/** By command; one without a handler is answered ESME_RINVCMDID. */
export type Handlers = { readonly [C in DataName]?: Handler<C> };

export interface BindAnswer {
  readonly commandStatus: number;
  /** Our own system_id, for the response. */
  readonly systemId?: string;
}

export interface SessionCounters {
  badPdus: number;
  /** Responses that nobody waited for. */
  strayResponses: number;
  timeouts: number;
  /** Requests that were answered ESME_RTHROTTLED, since too many were being worked on. */
  throttled: number;
}

export interface SessionBounds {
  /** From connection to a finished bind, as SMSC; 10 s. */
  readonly bindTimeoutMs: number;
  /** From a request to its answer; 10 s. */
  readonly responseTimeoutMs: number;
  /** Silence after which enquire_link is sent, 0 never; 30 s. */
  readonly enquireLinkMs: number;
  /** Without a message either way the session is unbound after this, 0 never; 0. */
  readonly inactivityMs: number;
  /** From the first octet of a PDU to its last; 10 s. */
  readonly pduReadTimeoutMs: number;
  /** Messages written and not answered; 10. */
  readonly windowSizeMax: number;
  /** Messages that may wait in memory for the window; 1,000. */
  readonly waitingMax: number;
  /** Inbound messages that handlers may work on; one more is answered ESME_RTHROTTLED; 1,000. */
  readonly inboundMax: number;
  /** Octets that the peer has not taken: past the first we stop reading, past the second we close; 256 KiB and 4 MiB. */
  readonly unsentPauseOctets: number;
  readonly unsentCloseOctets: number;
}

export const SESSION_BOUNDS: SessionBounds = {
  bindTimeoutMs: 10_000,
  responseTimeoutMs: 10_000,
  enquireLinkMs: 30_000,
  inactivityMs: 0,
  pduReadTimeoutMs: 10_000,
  windowSizeMax: 10,
  waitingMax: 1_000,
  inboundMax: 1_000,
  unsentPauseOctets: 262_144,
  unsentCloseOctets: 4_194_304,
};

export interface SessionOptions {
  /** Connected: a TCP or TLS socket. The session owns it from here on. */
  readonly socket: Duplex;
  readonly role: Role;
  readonly clock: Clock;
  readonly log: Log;
  readonly bounds?: Partial<SessionBounds>;
  /** As SMSC: decides a bind. */
  readonly onBind?: (pdu: BindPdu) => BindAnswer | Promise<BindAnswer>;
  readonly handlers?: Handlers;
  /** As ESME: a handset can be reached again (§4.12). Nothing answers it. */
  readonly onAlert?: (pdu: PduOf<'alert_notification'>) => void;
  readonly onBound?: (bindType: BindType) => void;
  /** Called once, after every request in flight was settled; with the name of the status where the SMSC refused our bind. */
  readonly onClosed?: (reason: CloseReason, bindStatus?: string) => void;
  /** The first sequence number; 1 unless told otherwise. */
  readonly firstSequence?: number;
}
