import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Clock } from '../kernel/clock.js';
import type { Closable } from '../kernel/closing-stack.js';
import { GatewayError } from '../kernel/errors.js';

export interface ServerLimits {
  /** How long a client may take to send its headers. */
  headersTimeoutMs: number;
  /** How long a client may take to send a whole request. */
  requestTimeoutMs: number;
  /** How long an idle connection stays open. */
  keepAliveTimeoutMs: number;
  /** Connections at once; more are dropped. */
  connectionsMax: number;
  /** How long `close` lets requests finish. */
  drainMs: number;
}

export const SERVER_LIMITS: ServerLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  keepAliveTimeoutMs: 65_000,
  connectionsMax: 10_000,
  drainMs: 10_000,
};

export interface HttpServer extends Closable {
  /** For those who take an `upgrade`. */
  readonly server: Server;
  /** True once `close` was called: answers then ask clients to go. */
  readonly draining: boolean;
  /** @throws GatewayError `CONFIG.INVALID` when the address cannot be had. */
  listen(host: string, port: number): Promise<{ port: number; server: Server }>;
  /** Stops accepting, lets running requests finish up to the bound, then closes every connection. */
  close(): Promise<void>;
}

/** An HTTP server that slow clients cannot hold and that closes cleanly. */
export function createHttpServer(listener: RequestListener, clock: Clock, limits: ServerLimits = SERVER_LIMITS): HttpServer {
  const server = createServer({ maxHeaderSize: 16_384, connectionsCheckingInterval: 5_000, keepAlive: true }, listener);
  server.headersTimeout = limits.headersTimeoutMs;
  server.requestTimeout = limits.requestTimeoutMs;
  server.keepAliveTimeout = limits.keepAliveTimeoutMs;
  server.maxHeadersCount = 100;
  server.maxConnections = limits.connectionsMax;
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  let closing: Promise<void> | undefined;
  const answering = new Set<ServerResponse>();
  // A connection whose request was running when the drain began is idle only now, and nobody else would close it.
  server.on('request', (_request, response) => {
    answering.add(response);
    response.once('close', () => {
      answering.delete(response);
      if (closing) setImmediate(() => server.closeIdleConnections());
    });
  });

  async function drain(): Promise<void> {
    if (!server.listening) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    for (const response of answering) if (!response.headersSent) response.setHeader('Connection', 'close');
    const bound = clock.setTimer(limits.drainMs, () => {
      for (const socket of sockets) socket.destroy();
    });
    await closed;
    bound.cancel();
  }

  return {
    server,
    get draining() {
      return closing !== undefined;
    },
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        const refused = (cause: NodeJS.ErrnoException) =>
          reject(
            new GatewayError('CONFIG.INVALID', {
              detail:
                cause.code === 'EADDRINUSE'
                  ? `Port ${port} on ${host} is in use by another program.`
                  : `Cannot listen on ${host} port ${port} (${cause.code ?? 'unknown'}).`,
              cause,
            }),
          );
        server.once('error', refused);
        server.listen(port, host, () => {
          server.off('error', refused);
          const address: AddressInfo | string | null = server.address();
          resolve({ port: typeof address === 'object' && address ? address.port : port, server });
        });
      }),
    close: () => (closing ??= drain()),
  };
}
