import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Closable } from '../kernel/closing-stack.js';
import { GatewayError } from '../kernel/errors.js';
import type { Log } from '../kernel/log.js';
import { BUS_RESUMED, type Bus } from './bus.js';
import { createInProcessBus } from './in-process.js';
import { natsSubject } from './subject.js';

export interface NatsBusOptions {
  /** `nats://host:4222` or `tls://…`, with `user:password@` or `token@` where the server asks for it. */
  url: string;
  log: Log;
  onError: (failure: unknown) => void;
  /** How long the first connection may take; 5 s. */
  connectMs?: number;
  /** Between two tries to connect again; 250 ms, and up to as much again. */
  reconnectMs?: number;
}

export interface NatsBus extends Bus, Closable {
  isConnected(): boolean;
  /** Frames that were dropped since the start, because the server was away or behind. */
  dropped(): number;
  /** Resolves when the server has taken what was published before. */
  flush(): Promise<void>;
  /** Lets what was published reach the server, then leaves. */
  close(): Promise<void>;
}

const CONNECT_MS = 5_000;
const RECONNECT_MS = 250;
/** A dead peer is noticed after two of these. */
const PING_MS = 5_000;
/** Octets that may be on their way to the server; what comes beyond is dropped, since every frame is a hint. */
const UNFLUSHED_MAX = 8 * 1024 * 1024;
/** After so many octets the server is asked whether it has them. */
const FLUSH_EVERY = 256 * 1024;
/** A longer frame is no hint. */
const BODY_MAX = 65_536;

/**
 * The bus between nodes, on NATS core. Listeners of this process hear a frame without the server, so that a NATS which is
 * away only delays what other nodes hear until their sweeps; after it is back every listener of BUS_RESUMED is told.
 *
 * @throws GatewayError `CONFIG.INVALID` when the server cannot be reached at the start.
 */
export async function openNatsBus(options: NatsBusOptions): Promise<NatsBus> {
  const { url, log, onError } = options;
  const local = createInProcessBus(onError);
  const connection = await connectTo(url, options);
  const remote = new Map<string, { listeners: number; stop(): void }>();
  let isUp = true;
  let isClosed = false;
  let unflushed = 0;
  let sinceFlush = 0;
  let dropped = 0;
  let flushing: Promise<void> | undefined;

  const ended = watch(connection, (status) => {
    if (status === 'disconnect' || status === 'staleConnection') {
      if (isUp && !isClosed) log.warn('the bus lost its NATS server');
      isUp = false;
    } else if (status === 'reconnect') {
      isUp = true;
      unflushed = 0;
      log.info({ dropped }, 'the bus has its NATS server again');
      local.publish(BUS_RESUMED, '');
    }
  });

  /** What is unflushed when the answer comes is at most what was published since it was asked for. */
  function flush(): Promise<void> {
    flushing ??= (async () => {
      const asked = unflushed;
      sinceFlush = 0;
      try {
        await connection.flush();
        unflushed = Math.max(0, unflushed - asked);
      } catch {
        // The connection broke: the next one begins with nothing on its way.
      } finally {
        flushing = undefined;
      }
    })();
    return flushing;
  }

  function send(subject: string, body: string): void {
    const size = Buffer.byteLength(body) + subject.length;
    if (!isUp || isClosed || size > BODY_MAX || unflushed + size > UNFLUSHED_MAX) {
      dropped++;
      return;
    }
    try {
      connection.publish(natsSubject(subject), body);
      unflushed += size;
      sinceFlush += size;
      if (sinceFlush > FLUSH_EVERY) void flush();
    } catch (failure) {
      dropped++;
      onError(failure);
    }
  }

  /** One subscription at the server for all listeners of a subject. */
  function listen(subject: string): { listeners: number; stop(): void } {
    const subscription = connection.subscribe(natsSubject(subject), {
      callback(failure, message) {
        if (failure) onError(failure);
        else if (message.data.length <= BODY_MAX) local.publish(subject, message.string());
      },
    });
    return { listeners: 0, stop: () => subscription.unsubscribe() };
  }

  return {
    publish(subject, body) {
      local.publish(subject, body);
      send(subject, body);
    },
    subscribe(subject, listener) {
      const stopLocal = local.subscribe(subject, listener);
      if (subject === BUS_RESUMED || isClosed) return stopLocal;
      const shared = remote.get(subject) ?? listen(subject);
      remote.set(subject, shared);
      shared.listeners++;
      let isOn = true;
      return () => {
        stopLocal();
        if (!isOn) return;
        isOn = false;
        if (--shared.listeners > 0) return;
        remote.delete(subject);
        if (!isClosed) shared.stop();
      };
    },
    isConnected: () => isUp && !isClosed,
    dropped: () => dropped,
    async flush() {
      if (flushing) await flushing;
      await flush();
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      // A drain waits for the server: one that is away would keep us for ever.
      await (isUp ? connection.drain() : connection.close()).catch(() => undefined);
      isUp = false;
      await ended;
    },
  };
}

async function connectTo(url: string, { connectMs = CONNECT_MS, reconnectMs = RECONNECT_MS }: NatsBusOptions): Promise<NatsConnection> {
  const { protocol, host, username, password } = new URL(url);
  const [user, pass] = [username, password].map(decodeURIComponent);
  try {
    return await connect({
      servers: host,
      name: 'causeway',
      // What this process publishes its own listeners have heard already.
      noEcho: true,
      timeout: connectMs,
      maxReconnectAttempts: -1,
      reconnectTimeWait: reconnectMs,
      reconnectJitter: reconnectMs,
      pingInterval: PING_MS,
      maxPingOut: 2,
      // A server that is being set up may refuse us for a while: we keep trying.
      ignoreAuthErrorAbort: true,
      ...(user && pass && { user, pass }),
      ...(user && !pass && { token: user }),
      ...(protocol === 'tls:' && { tls: {} }),
    });
  } catch (cause) {
    throw new GatewayError('CONFIG.INVALID', {
      detail: `The NATS server at ${host} cannot be reached.`,
      hint: 'Start it, or correct CAUSEWAY_NATS_URL; without that variable one gateway works with the bus inside its process.',
      cause,
    });
  }
}

/** Tells each change of the connection. Resolves when the connection has ended. */
async function watch(connection: NatsConnection, tell: (status: string) => void): Promise<void> {
  for await (const { type } of connection.status()) tell(type);
}
