import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions as TlsOptions } from 'node:tls';
import type { Clock, Timer } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import { type Backoff, backoffMs } from '../kernel/retry.js';
import type { ResponsePdu } from './in-flight.js';
import type { DataName, DataSm, DeliverSm, GivenFields, MessageFields, PduOf } from './pdu.js';
import { openSession, type Session } from './session.js';
import type { BindType, CloseReason, SessionBounds } from './session-options.js';
import { notBound } from './smpp-error.js';

/** Where a link stands, and why it is not bound: `ESME_RINVPASWD`, `socket-failed`, `unbound-by-peer` and so on. */
export interface LinkState {
  readonly state: 'bound' | 'unbound' | 'closed';
  readonly reason: 'connecting' | 'connect-timeout' | CloseReason | (string & {}) | undefined;
  /** When it came to this state, and when the next try is due while unbound. */
  readonly since: number;
  readonly nextTryAt: number | undefined;
}

/**
 * What the SMSC answered: its id of the message as written, empty where it gave none, and its TLVs. `congestion_state` among
 * them says how busy it is, 0 idle to 99 congested (SMPP 5.0 §4.8.4.18); the `SmppError` of a refusal has that, too.
 */
export type SubmitResult = ResponsePdu<'submit_sm'>;

export interface LinkOptions {
  readonly host: string;
  /** Read before each try, so that a sandbox's SMSC may move. */
  readonly port: number | (() => number);
  /** At most 15 and 8 characters (SMPP 3.4 §4.1.1). */
  readonly systemId: string;
  readonly password: string;
  readonly systemType?: string;
  readonly bindType?: BindType;
  readonly interfaceVersion?: number;
  readonly addressRange?: string;
  /** TLS 1.2 or later, verified against `ca`; `cert` and `key` for a client certificate. Absent: plain TCP. */
  readonly tls?: Pick<TlsOptions, 'ca' | 'cert' | 'key' | 'servername'>;
  readonly windowSizeMax?: number;
  readonly enquireLinkMs?: number;
  readonly responseTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
  /** Other bounds of the session. */
  readonly bounds?: Partial<SessionBounds>;
  /** Before each new try; 1 s to 60 s unless told otherwise. */
  readonly backoff?: Backoff;
  readonly random?: () => number;
  readonly clock: Clock;
  readonly log: Log;
  /**
   * Takes a deliver_sm: a receipt or an MO. It is answered with status 0 only after this resolved; `RefusedWith` chooses
   * another status, any other failure answers ESME_RX_T_APPN, so that the SMSC delivers it again.
   */
  readonly onDeliver: (pdu: DeliverSm) => Promise<void>;
  /** Takes a data_sm like `onDeliver`; without it one is answered ESME_RINVCMDID. */
  readonly onData?: (pdu: DataSm) => Promise<void>;
  /** A handset can be reached again (§4.12). Nothing answers it. */
  readonly onAlert?: (pdu: PduOf<'alert_notification'>) => void;
  readonly onStateChange?: (state: LinkState) => void;
}

/** One bind as ESME to an SMSC that is kept up until it is closed. */
export interface Link {
  readonly state: LinkState;
  readonly windowUsed: number;
  readonly windowSizeMax: number;
  /** Requests that wait for the window. */
  readonly waiting: number;
  readonly lastEnquireLink: Session['lastEnquireLink'];
  /**
   * Submits one message; resolves when the SMSC took it.
   * @throws SmppError: `outcome` is `never-sent`, `refused` (with `commandStatus`, `statusName`) or `unknown`.
   */
  submit(message: MessageFields): Promise<SubmitResult>;
  /** The same for other requests; each resolves to its response, whose status is 0. `unsuccessSmes` of submit_multi_resp did not get it. */
  submitMulti(fields: GivenFields<'submit_multi'>): Promise<ResponsePdu<'submit_multi'>>;
  dataSm(fields: GivenFields<'data_sm'>): Promise<ResponsePdu<'data_sm'>>;
  querySm(fields: GivenFields<'query_sm'>): Promise<ResponsePdu<'query_sm'>>;
  cancelSm(fields: GivenFields<'cancel_sm'>): Promise<ResponsePdu<'cancel_sm'>>;
  replaceSm(fields: GivenFields<'replace_sm'>): Promise<ResponsePdu<'replace_sm'>>;
  /** Waits for what is in flight, unbinds, closes, and does not come back. */
  close(): Promise<void>;
}

const DEFAULTS = { windowSizeMax: 10, enquireLinkMs: 30_000, responseTimeoutMs: 10_000, connectTimeoutMs: 10_000 };
const BACKOFF: Backoff = { firstMs: 1_000, maxMs: 60_000 };
/** A bind that held this long counts as good: the next failure starts the backoff anew. A flapping one does not. */
const STABLE_MS = 10_000;

/** Opens a link; it connects, binds, and after any loss comes back with jittered backoff, for ever. It never throws. */
export function openLink(options: LinkOptions): Link {
  const { clock, log, onData, backoff = BACKOFF, random = Math.random } = options;
  const { windowSizeMax, enquireLinkMs, responseTimeoutMs, connectTimeoutMs } = { ...DEFAULTS, ...options };
  let state: LinkState = { state: 'unbound', reason: 'connecting', since: clock.now(), nextTryAt: undefined };
  let attempt = 0;
  let isClosing = false;
  let session: Session | undefined;
  let socket: Socket | undefined;
  let timer: Timer | undefined;
  let boundAtMs = 0;
  let closed: Promise<void> | undefined;

  function change(next: LinkState['state'], reason: LinkState['reason'], nextTryAt?: number): void {
    const since = next === state.state ? state.since : clock.now();
    state = { state: next, reason, since, nextTryAt };
    log.info({ state: next, reason }, 'smpp link changed');
    options.onStateChange?.(state);
  }

  function tryAgain(reason: LinkState['reason']): void {
    timer?.cancel();
    session = undefined;
    socket = undefined;
    if (isClosing) {
      change('closed', 'closed-by-us');
      return;
    }
    if (state.state === 'bound' && clock.monotonicMs() - boundAtMs >= STABLE_MS) attempt = 0;
    const delayMs = backoffMs(backoff, ++attempt, random());
    change('unbound', reason, clock.now() + delayMs);
    timer = clock.setTimer(delayMs, dial);
  }

  function dial(): void {
    const port = typeof options.port === 'function' ? options.port() : options.port;
    const where = { host: options.host, port, noDelay: true };
    let dialled: Socket;
    try {
      dialled = options.tls ? connectTls({ ...where, minVersion: 'TLSv1.2', ...options.tls }) : connect(where);
    } catch {
      // A port out of range, a certificate that cannot be read.
      tryAgain('socket-failed');
      return;
    }
    socket = dialled;
    const done = options.tls ? 'secureConnect' : 'connect';
    const ready = () => {
      forget();
      bindOver(dialled);
    };
    const fail = (reason: LinkState['reason']) => {
      forget();
      // A socket that is destroyed may still report one failure; without a listener that would end the process.
      dialled.on('error', () => undefined);
      dialled.destroy();
      tryAgain(reason);
    };
    const failed = () => fail('socket-failed');
    const forget = () => {
      timer?.cancel();
      dialled.off('error', failed).off('close', failed).off(done, ready);
    };
    timer = clock.setTimer(connectTimeoutMs, () => fail('connect-timeout'));
    dialled.on('error', failed).on('close', failed).on(done, ready);
  }

  function bindOver(connected: Socket): void {
    const opened = openSession({
      socket: connected,
      role: 'esme',
      clock,
      log,
      bounds: { ...options.bounds, windowSizeMax, enquireLinkMs, responseTimeoutMs },
      handlers: {
        async deliver_sm(pdu) {
          await options.onDeliver(pdu);
          return {};
        },
        ...(onData && {
          async data_sm(pdu: DataSm) {
            await onData(pdu);
            return {};
          },
        }),
      },
      ...(options.onAlert && { onAlert: options.onAlert }),
      onBound: () => {
        boundAtMs = clock.monotonicMs();
        change('bound', undefined);
      },
      onClosed: (reason, status) => tryAgain(status ?? reason),
    });
    session = opened;
    const { systemId, password, systemType = '', interfaceVersion = 0x34, addressRange = '' } = options;
    const bound = opened.bind(options.bindType ?? 'transceiver', { systemId, password, systemType, interfaceVersion, addressRange });
    // A failed bind ends the session, which `onClosed` reports with its reason.
    bound.catch(() => undefined);
  }

  async function closeNow(): Promise<void> {
    isClosing = true;
    timer?.cancel();
    if (session) return session.close();
    if (!socket) return change('closed', 'closed-by-us');
    const gone = once(socket, 'close');
    socket.destroy();
    await gone;
  }

  const request = <C extends DataName>(command: C, fields: GivenFields<C>): Promise<ResponsePdu<C>> =>
    session ? session.request(command, fields) : Promise.reject(notBound('The link is not bound.'));

  dial();

  return {
    get state() {
      return state;
    },
    get windowUsed() {
      return session?.windowUsed ?? 0;
    },
    windowSizeMax,
    get waiting() {
      return session?.waiting ?? 0;
    },
    get lastEnquireLink() {
      return session?.lastEnquireLink;
    },
    submit: (message) => request('submit_sm', message),
    submitMulti: (fields) => request('submit_multi', fields),
    dataSm: (fields) => request('data_sm', fields),
    querySm: (fields) => request('query_sm', fields),
    cancelSm: (fields) => request('cancel_sm', fields),
    replaceSm: (fields) => request('replace_sm', fields),
    close() {
      closed ??= closeNow();
      return closed;
    },
  };
}
