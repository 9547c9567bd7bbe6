import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { isGatewayError } from '../../kernel/errors.js';
import { connectedBody, deviceSubject } from '../device-subject.js';
import type { DeviceIdentity, DeviceTokens } from '../hooks.js';
import { addressKey, createLimiter, type Limit } from '../limits.js';
import { type Connection, type StreamParts, serveConnection } from './connection.js';
import { CLOSE, FRAME_MAX_BYTES } from './frames.js';

export const STREAM_PATH = '/messaging/v1/stream';

const SUBPROTOCOL = 'causeway.v1';
const BEARER = /^Bearer ([A-Za-z0-9._~+/=-]{1,8192})$/i;

/** Frames past our own bound are closed with 4413; past this one the WebSocket layer itself closes, with 1009. */
const PAYLOAD_MAX_BYTES = 4 * FRAME_MAX_BYTES;

export interface Stream {
  /**
   * For the HTTP server's `upgrade` event. Takes the request when its path is the stream's, and then owns the socket.
   *
   * @returns false when it is somebody else's; the socket was not touched.
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  /** Streams that are open. */
  open(): number;
  /** Closes every stream with 1001 and resolves when they are closed. */
  close(): Promise<void>;
}

export interface StreamOptions extends Omit<StreamParts, 'callLimiter'> {
  tokens: DeviceTokens;
  limits: { streams: Limit; streamCalls: Limit };
  /** More are refused with 503. */
  streamsMax: number;
  /** The client's address, where a proxy stands in between. */
  addressOf?: ((request: IncomingMessage) => string | undefined) | undefined;
}

export function createStream({ tokens, limits, streamsMax, addressOf, ...parts }: StreamOptions): Stream {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: PAYLOAD_MAX_BYTES,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  const openings = createLimiter(limits.streams);
  const served = { ...parts, callLimiter: createLimiter(limits.streamCalls) };
  const sockets = new Map<WebSocket, Connection>();
  const node = randomBytes(4).toString('hex');
  let opened = 0;
  let isClosed = false;

  /** Sorts by the time of opening, then by the order within this process. */
  const nextOrder = (): string => `${String(parts.clock.now()).padStart(15, '0')}.${String(++opened).padStart(12, '0')}.${node}`;

  async function whoOpens(request: IncomingMessage): Promise<DeviceIdentity | undefined> {
    const token = tokenOf(request);
    if (token === undefined) return undefined;
    try {
      const device = await tokens.verify(token);
      return (await parts.devices.isCurrent(device)) ? device : undefined;
    } catch (failure) {
      if (isGatewayError(failure, 'UNAUTHENTICATED')) return undefined;
      throw failure;
    }
  }

  function serve(socket: WebSocket, device: DeviceIdentity | undefined): void {
    if (!device || isClosed) {
      socket.on('error', () => socket.terminate());
      socket.close(device ? CLOSE.goingAway : CLOSE.unauthenticated, device ? 'going away' : 'no valid device token');
      // Nothing of ours waits for the peer to answer.
      parts.clock.setTimer(1_000, () => socket.terminate());
      return;
    }
    const order = nextOrder();
    const connection = serveConnection(served, socket, device, order);
    sockets.set(socket, connection);
    socket.on('close', () => sockets.delete(socket));
    parts.bus.publish(deviceSubject(device.deviceId), connectedBody(order));
  }

  async function open(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (isClosed || sockets.size >= streamsMax) return refuse(socket, '503 Service Unavailable', 5);
    try {
      await openings.take(addressKey(addressOf ? addressOf(request) : request.socket.remoteAddress));
    } catch {
      return refuse(socket, '429 Too Many Requests', 60);
    }
    const device = await whoOpens(request);
    server.handleUpgrade(request, socket, head, (webSocket) => serve(webSocket, device));
  }

  return {
    handleUpgrade(request, socket, head) {
      const path = (request.url ?? '').split('?', 1)[0];
      if (path !== STREAM_PATH) return false;
      // Until the WebSocket layer takes it over, nobody else listens for its errors.
      socket.on('error', () => socket.destroy());
      open(request, socket, head).catch((failure: unknown) => {
        parts.log.error({ failure: failure instanceof Error ? failure.name : 'unknown' }, 'stream could not be opened');
        refuse(socket, '500 Internal Server Error', 5);
      });
      return true;
    },

    open: () => sockets.size,

    async close() {
      isClosed = true;
      const closed = [...sockets].map(
        ([socket, connection]) =>
          new Promise<void>((resolve) => {
            socket.on('close', () => resolve());
            connection.close(CLOSE.goingAway, 'going away');
            // Whoever does not even read will not read the goodbye.
            if (socket.bufferedAmount > FRAME_MAX_BYTES) socket.terminate();
          }),
      );
      await Promise.all(closed);
      server.close();
    },
  };
}

function tokenOf(request: IncomingMessage): string | undefined {
  const header = request.headers.authorization;
  if (header !== undefined) return BEARER.exec(header)?.[1];
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());
  return offered.find((protocol) => protocol.startsWith('bearer.'))?.slice('bearer.'.length);
}

function refuse(socket: Duplex, status: string, retryAfterSeconds: number): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\nRetry-After: ${retryAfterSeconds}\r\n\r\n`, () =>
    socket.destroy(),
  );
}
