import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Delivery {
  headers: IncomingHttpHeaders;
  /** The body's bytes, as signed. */
  body: string;
}

/** A partner's endpoint that keeps what it gets and answers 204. */
export interface Receiver {
  readonly url: string;
  /** The event types that the story brings. */
  readonly types: readonly string[];
  deliveries(): readonly Delivery[];
  close(): Promise<void>;
}

const TYPES = ['order.completed', 'task.confirmed', 'subscription.active', 'fallback.armed', 'sms.delivered', 'line.changed'];

export async function startReceiver(): Promise<Receiver> {
  const deliveries: Delivery[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      deliveries.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/causeway`,
    types: TYPES.map((type) => `com.causeway.v1.${type}`),
    deliveries: () => deliveries,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
