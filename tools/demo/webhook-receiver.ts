import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { verifyWebhook } from '../../sdks/typescript/index.js';

/** A webhook as it came, its signature verified. */
export interface ReceivedWebhook {
  id: string;
  type: string;
  subject: string;
  subscriptionId: string | undefined;
  resource: Record<string, unknown>;
}

export interface WebhookReceiverOptions {
  /** Answers 503 to what it says no to, and does not keep it. */
  accepts?(webhook: ReceivedWebhook): boolean;
  /** Told when it has answered a webhook with 204. */
  onAnswered?(): void;
}

export interface WebhookReceiver {
  readonly url: string;
  /** The secret that the event subscription's answer gave; requests before that are refused, and come again. */
  useSecret(secret: string): void;
  received(): readonly ReceivedWebhook[];
  /** Requests whose signature did not fit. */
  refused(): number;
  close(): Promise<void>;
}

/** A partner's endpoint: verifies each webhook with the SDK and keeps it. */
export async function startWebhookReceiver({ accepts = () => true, onAnswered }: WebhookReceiverOptions = {}): Promise<WebhookReceiver> {
  const received: ReceivedWebhook[] = [];
  let secret: string | undefined;
  let refused = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      try {
        if (secret === undefined) throw new Error('no secret yet');
        const event = verifyWebhook(secret, request.headers as Record<string, string>, Buffer.concat(chunks)) as {
          id: string;
          type: string;
          subject: string;
          data: { subscriptionId?: string; resource: Record<string, unknown> };
        };
        const webhook = {
          id: event.id,
          type: event.type,
          subject: event.subject,
          subscriptionId: event.data.subscriptionId,
          resource: event.data.resource,
        };
        if (!accepts(webhook)) return void response.writeHead(503).end();
        received.push(webhook);
        response.writeHead(204).end(onAnswered);
      } catch {
        if (secret !== undefined) refused++;
        response.writeHead(400).end();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`,
    useSecret(given) {
      secret = given;
    },
    received: () => received,
    refused: () => refused,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
