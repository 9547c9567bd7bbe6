import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Closable } from '../../kernel/closing-stack.js';
import { GatewayError } from '../../kernel/errors.js';
import type { MobileOriginated, Page, SandboxSmsc } from './types.js';

/** Where other nodes of the machine ask the simulated SMSC for what is not SMPP. */
export interface SmscDesk extends Closable {
  readonly port: number;
  close(): Promise<void>;
}

const BODY_MAX = 65_536;

export async function openSmscDesk(given: { host: string; secret: string; smsc: SandboxSmsc }): Promise<SmscDesk> {
  const { host, secret, smsc } = given;
  const expected = Buffer.from(`Bearer ${secret}`);

  async function answer(path: string, body: unknown): Promise<unknown> {
    if (path === '/received') return smsc.received(body as Page);
    if (path !== '/mo') throw new GatewayError('NOT_FOUND', { detail: 'There is no such question.' });
    await smsc.sendMo(body as MobileOriginated);
    return {};
  }

  const server = createServer((request, response) => {
    const say = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const asked = Buffer.from(request.headers.authorization ?? '');
    if (asked.length !== expected.length || !timingSafeEqual(asked, expected)) return void say(401, {});
    readBody(request)
      .then((body) => answer(request.url ?? '', body))
      .then(
        (body) => say(200, body),
        (failure: unknown) => say(failure instanceof GatewayError ? failure.status : 500, {}),
      );
  });
  server.listen(0, host);
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_MAX) throw new GatewayError('PAYLOAD_TOO_LARGE', { detail: 'The question is too long.' });
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}
