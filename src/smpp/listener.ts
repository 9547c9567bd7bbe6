import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList, createServer, isIPv6, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import type { BindPdu, MessageFields, SubmitSm } from './pdu.js';
import { openSession, type Session } from './session.js';
import type { BindAnswer, BindType, MessageAnswer, SessionBounds } from './session-options.js';
import { RefusedWith, SmppError } from './smpp-error.js';
import { STATUS } from './statuses.js';

/** Who may bind, from where and how often. */
export interface ListenerAccount {
  /** At most 15 and 8 characters (SMPP 3.4 §4.1.1). */
  readonly systemId: string;
  readonly password: string;
  readonly bindTypes: readonly BindType[];
  /** Binds at the same time. */
  readonly bindsMax: number;
  /** Addresses (`192.0.2.7`) and networks (`192.0.2.0/24`, IPv6 too). Empty: none may. */
  readonly allowedAddresses: readonly string[];
  /** Takes a submit_sm; status 0 with its message id is answered only after it resolved. `RefusedWith` chooses a status. */
  readonly onSubmit: (pdu: SubmitSm, from: { readonly systemId: string; readonly remoteAddress: string }) => Promise<MessageAnswer>;
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

export interface ListenerSession {
  readonly systemId: string;
  readonly boundAs: BindType;
  readonly remoteAddress: string;
  readonly windowUsed: number;
}

/** An SMSC's face: operators' ESMEs bind here. */
export interface Listener {
  readonly port: number;
  readonly sessions: readonly ListenerSession[];
  /**
   * Sends a deliver_sm on one of the account's receiving binds, the least busy one; resolves when the ESME took it.
   * @throws SmppError `SMPP.NOT_BOUND` when it has none.
   */
  deliver(systemId: string, message: MessageFields): Promise<void>;
  /** Takes no connections any more, unbinds every session and closes. */
  close(): Promise<void>;
}

interface Bound {
  readonly session: Session;
  readonly account: ListenerAccount;
  readonly remoteAddress: string;
}

/** Listens. @throws the socket's error when the address cannot be bound. */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const { clock, log } = options;
  const bound = new Set<Bound>();
  const sessions = new Set<Session>();

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
      onBind(pdu): BindAnswer {
        const account = options.findAccount(pdu.systemId);
        const refusal = refusalOf(pdu, account, remoteAddress, bound);
        if (refusal !== undefined || !account) {
          log.warn({ systemId: pdu.systemId, commandStatus: refusal }, 'smpp bind refused');
          return { commandStatus: refusal ?? STATUS.ESME_RBINDFAIL };
        }
        mine = { session, account, remoteAddress };
        bound.add(mine);
        log.info({ systemId: account.systemId, command: pdu.command }, 'smpp bind accepted');
        return { commandStatus: STATUS.ESME_ROK, systemId: options.systemId };
      },
      async onMessage(pdu) {
        if (!mine || pdu.command !== 'submit_sm') throw new RefusedWith(STATUS.ESME_RINVBNDSTS);
        return mine.account.onSubmit(pdu, { systemId: mine.account.systemId, remoteAddress });
      },
      onClosed() {
        sessions.delete(session);
        if (mine) bound.delete(mine);
      },
    });
    sessions.add(session);
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
    get sessions() {
      return [...bound].flatMap(({ session, account, remoteAddress }) =>
        session.boundAs ? [{ systemId: account.systemId, boundAs: session.boundAs, remoteAddress, windowUsed: session.windowUsed }] : [],
      );
    },
    async deliver(systemId, message) {
      const receiving = [...bound].filter(({ session, account }) => account.systemId === systemId && canReceive(session));
      const [idlest] = receiving.sort((a, b) => loadOf(a.session) - loadOf(b.session));
      if (!idlest) throw new SmppError('SMPP.NOT_BOUND', 'never-sent', 'The account has no receiving bind.');
      await idlest.session.request('deliver_sm', message);
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

/**
 * Why a bind is refused, or undefined. An unknown system_id, a wrong password and a foreign address answer alike and in
 * the same time, so that nobody learns which accounts exist.
 */
function refusalOf(
  pdu: BindPdu,
  account: ListenerAccount | undefined,
  remoteAddress: string,
  bound: ReadonlySet<Bound>,
): number | undefined {
  const isPasswordRight = isSame(pdu.password, account?.password ?? '');
  if (!account || account.password === '' || !isPasswordRight || !isAllowed(account.allowedAddresses, remoteAddress)) {
    return STATUS.ESME_RINVPASWD;
  }
  if (!account.bindTypes.includes(pdu.command.slice('bind_'.length) as BindType)) return STATUS.ESME_RBINDFAIL;
  const held = [...bound].filter((other) => other.account.systemId === account.systemId).length;
  return held >= account.bindsMax ? STATUS.ESME_RALYBND : undefined;
}

/** Compares digests, so that neither the length nor the first wrong character shows in the time. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text, 'latin1').digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function isAllowed(allowed: readonly string[], remoteAddress: string): boolean {
  const list = new BlockList();
  for (const entry of allowed) {
    const [network = '', prefix] = entry.split('/');
    const family = isIPv6(network) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(network, family);
    else list.addSubnet(network, Number(prefix), family);
  }
  return list.check(remoteAddress, isIPv6(remoteAddress) ? 'ipv6' : 'ipv4');
}

/** `::ffff:192.0.2.7`, as a dual-stack socket reports an IPv4 peer, is 192.0.2.7. */
const plainAddress = (address: string): string => (address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address);

function listen(server: Server, { host, port }: Pick<ListenerOptions, 'host' | 'port'>): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
