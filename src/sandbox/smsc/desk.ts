import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../kernel/clock.js';
import type { Closable } from '../../kernel/closing-stack.js';
import { GatewayError } from '../../kernel/errors.js';
import type { MobileOriginated, Page, SandboxSmsc } from './types.js';

/** Where other nodes of the machine ask the simulated SMSC for what is not SMPP. */
export interface SmscDesk extends Closable {
  readonly port: number;
  /** One message of a handset for each id, however often it is asked for. */
  sendMo(id: string, message: MobileOriginated): Promise<void>;
  close(): Promise<void>;
}

const BODY_MAX = 65_536;
/** How long a repeat of a request may come after it. */
const REMEMBER_MS = 72 * 3_600_000;

export async function openSmscDesk(given: { host: string; secret: string; smsc: SandboxSmsc; clock: Clock }): Promise<SmscDesk> {
  const { host, secret, smsc, clock } = given;
  const expected = Buffer.from(`Bearer ${secret}`);
  const sent = new Map<string, Promise<void>>();

  function sendMo(id: string, message: MobileOriginated): Promise<void> {
    const known = sent.get(id);
    if (known) return known;
    const sending = smsc.sendMo(message);
    sent.set(id, sending);
    sending.catch(() => sent.delete(id));
    clock.setTimer(REMEMBER_MS, () => sent.delete(id));
    return sending;
  }

  async function answer(path: string, body: unknown): Promise<unknown> {
    if (path === '/received') return smsc.received(body as Page);
    if (path !== '/mo') throw new GatewayError('NOT_FOUND', { detail: 'There is no such question.' });
    const { id, message } = body as { id: string; message: MobileOriginated };
    await sendMo(id, message);
    return {};
  }

  const server = createServer((request, response) => {
    const say = (status: number, body: unknown) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
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
    sendMo,
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
