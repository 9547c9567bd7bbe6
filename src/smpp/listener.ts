import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import { type BindRights, bindRefusal, plainAddress } from './bind-guard.js';
import type { ResponsePdu } from './in-flight.js';
import type { DataName, GivenFields, MessageFields, PduOf } from './pdu.js';
import { openSession, type Session } from './session.js';
import type { AnswerTo, BindType, Handler, Handlers, SessionBounds } from './session-options.js';
import { isSubmission } from './session-rules.js';
import { notBound, RefusedWith } from './smpp-error.js';
import { STATUS } from './statuses.js';
import { submittedSegments } from './submitted-segments.js';

/** What an ESME may ask of us. */
export type EsmeRequest = Exclude<DataName, 'deliver_sm'>;

/** One bind of an account. */
export interface EsmeBind {
  readonly systemId: string;
  readonly boundAs: BindType;
  readonly remoteAddress: string;
  /** What the ESME speaks: 0x34 is SMPP 3.4. One below that gets no TLVs (3.4 §5.2.4). */
  readonly interfaceVersion: number;
  /** Requests of ours that it has not answered. */
  readonly windowUsed: number;
}

/** Who may bind, and what happens with what it asks for. */
export interface ListenerAccount extends BindRights {
  /**
   * By command: `submit_sm: async (pdu, from) => ({ messageId })`. Status 0 is answered only after it resolved;
   * `RefusedWith` chooses a status, any other failure answers ESME_RSYSERR. One without a handler is answered
   * ESME_RINVCMDID. The PDU is well-formed, and its buffers are views: copy what is kept.
   */
  readonly handlers: { readonly [C in EsmeRequest]?: (pdu: PduOf<C>, from: EsmeBind) => Promise<AnswerTo<C>> };
  /**
   * Asked before the handler of submit_sm, submit_multi and data_sm, with the SMS that it asks for; on false it is answered
   * ESME_RTHROTTLED and the handler does not see it.
   */
  readonly take?: (segments: number) => boolean | Promise<boolean>;
  /**
   * Asked for a bind that is welcome but for the account's binds elsewhere: undefined answers it ESME_RALYBND. What it
   * resolves with is called once, when the bind has ended.
   */
  readonly admit?: (bind: EsmeBind) => Promise<(() => void) | undefined>;
  /** A bind of the account is up: what was kept for it can be sent. */
  readonly onBound?: (bind: EsmeBind) => void;
}

export interface ListenerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Certificate and key; with `ca` and `requestCert`, client certificates are asked for. Absent: plain TCP. */
  readonly tls?: Pick<TlsOptions, 'cert' | 'key' | 'ca' | 'requestCert' | 'rejectUnauthorized'>;
  /** Our own system_id, told to whoever binds. */
  readonly systemId: string;
  /** Looked up at each bind, so that accounts can change while we listen. */
  readonly findAccount: (systemId: string) => ListenerAccount | undefined;
  readonly bounds?: Partial<SessionBounds>;
  /** Connections at the same time, bound or not; 1,000. One more is dropped. */
  readonly connectionsMax?: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** An SMSC's face: operators' ESMEs bind here. */
export interface Listener {
  readonly port: number;
  readonly binds: readonly EsmeBind[];
  /**
   * Sends a deliver_sm on one of the account's receiving binds, the least busy one; resolves when the ESME took it.
   * @param message a function is asked what that bind is to get.
   * @throws SmppError `SMPP.NOT_BOUND` when it has none.
   */
  deliver(systemId: string, message: MessageFields | ((bind: EsmeBind) => MessageFields)): Promise<void>;
  /** The same with a data_sm. */
  deliverData(systemId: string, fields: GivenFields<'data_sm'>): Promise<ResponsePdu<'data_sm'>>;
  /** Tells each receiving bind that a handset can be reached again (§4.12); nothing answers it. */
  alert(systemId: string, fields: GivenFields<'alert_notification'>): void;
  /** Takes no connections any more, unbinds every session and closes. */
  close(): Promise<void>;
}

interface Bound {
  readonly session: Session;
  readonly account: ListenerAccount;
  readonly bind: EsmeBind;
  /** What `admit` gave for it. */
  readonly release: (() => void) | undefined;
}

/** Listens. @throws the socket's error when the address cannot be bound. */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const { clock, log } = options;
  const bound = new Set<Bound>();
  const sessions = new Set<Session>();
  const bindsOf = (systemId: string): Bound[] => [...bound].filter(({ account }) => account.systemId === systemId);

  function accept(socket: Socket): void {
    const remoteAddress = plainAddress(socket.remoteAddress ?? '');
    socket.setNoDelay(true);
    let mine: Bound | undefined;
    const session = openSession({
      socket,
      role: 'smsc',
      clock,
      log,
      bounds: options.bounds ?? {},
      async onBind(pdu) {
        const account = options.findAccount(pdu.systemId);
        const refusal = bindRefusal(pdu, account, remoteAddress, bindsOf(pdu.systemId).length);
        if (refusal !== undefined || !account) {
          log.warn({ systemId: pdu.systemId, commandStatus: refusal }, 'smpp bind refused');
          return { commandStatus: refusal ?? STATUS.ESME_RBINDFAIL };
        }
        const boundAs = pdu.command.slice('bind_'.length) as BindType;
        const { systemId } = account;
        const bind: EsmeBind = {
          systemId, boundAs, remoteAddress, interfaceVersion: pdu.interfaceVersion,
          get windowUsed() {
            return session.windowUsed;
          },
        }; // biome-ignore format: what it is, then how it stands
        const release = account.admit && (await account.admit(bind));
        if (account.admit && !release) {
          log.warn({ systemId, commandStatus: STATUS.ESME_RALYBND }, 'smpp bind refused');
          return { commandStatus: STATUS.ESME_RALYBND };
        }
        if (session.state === 'closed') {
          release?.();
          return { commandStatus: STATUS.ESME_RBINDFAIL };
        }
        mine = { session, account, bind, release };
        bound.add(mine);
        log.info({ systemId, command: pdu.command }, 'smpp bind accepted');
        return { commandStatus: STATUS.ESME_ROK, systemId: options.systemId };
      },
      handlers: handlersFor(() => mine),
      onBound: () => mine?.account.onBound?.(mine.bind),
      onClosed() {
        sessions.delete(session);
        if (!mine) return;
        bound.delete(mine);
        mine.release?.();
      },
    });
    sessions.add(session);
  }

  function receiving(systemId: string): Bound[] {
    return bindsOf(systemId)
      .filter(({ session }) => canReceive(session))
      .sort((a, b) => loadOf(a.session) - loadOf(b.session));
  }

  function idlest(systemId: string): Bound {
    const [first] = receiving(systemId);
    if (!first) throw notBound('The account has no receiving bind.');
    return first;
  }

  const server: Server = options.tls
    ? createTlsServer({ minVersion: 'TLSv1.2', handshakeTimeout: 10_000, ...options.tls }, accept)
    : createServer(accept);
  server.maxConnections = options.connectionsMax ?? 1_000;
  // A TLS probe that fails its handshake is reported here; the connection is gone already.
  server.on('tlsClientError', () => log.info('smpp tls handshake failed'));
  await listen(server, options);
  // Out of file descriptors, for instance: the connection is not accepted, the others live on.
  server.on('error', (failure: NodeJS.ErrnoException) => log.error({ errno: failure.code }, 'smpp listener failed to accept'));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : options.port;

  return {
    port,
    get binds() {
      return [...bound].flatMap(({ session, bind }) => (session.state === 'bound' ? [bind] : []));
    },
    async deliver(systemId, message) {
      const { session, bind } = idlest(systemId);
      await session.request('deliver_sm', typeof message === 'function' ? message(bind) : message);
    },
    async deliverData(systemId, fields) {
      return idlest(systemId).session.request('data_sm', fields);
    },
    alert(systemId, fields) {
      for (const { session } of receiving(systemId)) session.alert(fields);
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all([...sessions].map((session) => session.close()));
      await closed;
    },
  };
}

const canReceive = ({ state, boundAs }: Session): boolean => state === 'bound' && boundAs !== 'transmitter';
const loadOf = ({ windowUsed, waiting }: Session): number => windowUsed + waiting;

const ESME_REQUESTS: readonly EsmeRequest[] = ['submit_sm', 'submit_multi', 'data_sm', 'query_sm', 'cancel_sm', 'replace_sm'];

/** Hands each request to the handler of whoever is bound, within what the account may submit. */
function handlersFor(bound: () => Bound | undefined): Handlers {
  const handlers: Partial<Record<EsmeRequest, Handler<EsmeRequest>>> = {};
  for (const command of ESME_REQUESTS) {
    handlers[command] = async (pdu) => {
      const mine = bound();
      const handle = mine?.account.handlers[command] as
        | ((pdu: PduOf<EsmeRequest>, from: EsmeBind) => Promise<AnswerTo<EsmeRequest>>)
        | undefined;
      if (!mine || !handle) throw new RefusedWith(STATUS.ESME_RINVCMDID);
      const { take } = mine.account;
      if (take && isSubmission(pdu.command) && !(await take(submittedSegments(pdu as PduOf<'submit_sm'>)))) {
        throw new RefusedWith(STATUS.ESME_RTHROTTLED);
      }
      return handle(pdu, mine.bind);
    };
  }
  return handlers as Handlers;
}

function listen(server: Server, { host, port }: Pick<ListenerOptions, 'host' | 'port'>): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
