import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import { bindRefusal, plainAddress } from './bind-guard.js';
import type { ResponsePdu } from './in-flight.js';
import { accountHandlers, type EsmeBind, type ListenerAccount } from './listener-account.js';
import type { GivenFields, MessageFields } from './pdu.js';
import { openSession, type Session } from './session.js';
import type { BindType, SessionBounds } from './session-options.js';
import { notBound } from './smpp-error.js';
import { STATUS } from './statuses.js';

export interface ListenerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Certificate and key; with `ca` and `requestCert`, client certificates are asked for. Absent: plain TCP. */
  readonly tls?: Pick<TlsOptions, 'cert' | 'key' | 'ca' | 'requestCert' | 'handshakeTimeout'>;
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
      handlers: accountHandlers(() => mine),
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
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
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
      // Whoever is still in its TLS handshake has no session.
      for (const socket of connections) socket.destroy();
      await closed;
    },
  };
}

const canReceive = ({ state, boundAs }: Session): boolean => state === 'bound' && boundAs !== 'transmitter';
const loadOf = ({ windowUsed, waiting }: Session): number => windowUsed + waiting;

function listen(server: Server, { host, port }: Pick<ListenerOptions, 'host' | 'port'>): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
