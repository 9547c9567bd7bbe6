import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { FakeServer } from './fake-server.js';

/** The stream of the fake server on 127.0.0.1, port 0. It pushes the queue of whoever connects, and deletes on 200. */
export async function startStreamServer(server: FakeServer) {
  const sockets: WebSocket[] = [];
  const acks: { envelopeId: string; status: number }[] = [];
  const requests: string[] = [];
  const waiters: (() => void)[] = [];
  let connections = 0;
  let emptied = 0;
  let answering = true;
  const changed = () => {
    for (const waiter of waiters.splice(0)) waiter();
  };
  const wss = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    handleProtocols: (offered) => (offered.has('causeway.v1') ? 'causeway.v1' : false),
    verifyClient: ({ req }: { req: { headers: Record<string, string | string[] | undefined> } }) => bearerOf(req) !== undefined,
  });
  const bearerOf = (req: { headers: Record<string, string | string[] | undefined> }) =>
    server.deviceOf(/bearer\.([^,\s]+)/.exec(String(req.headers['sec-websocket-protocol']))?.[1]);

  wss.on('connection', (socket, request) => {
    const device = bearerOf(request);
    if (!device) return socket.close(4401);
    connections += 1;
    sockets.push(socket);
    const pushed = new Map<string, string>();
    let n = 0;
    const push = () => {
      for (const envelope of device.queue) {
        if ([...pushed.values()].includes(envelope.envelopeId)) continue;
        const id = `s${n++}`;
        pushed.set(id, envelope.envelopeId);
        socket.send(JSON.stringify({ id, t: 'req', verb: 'PUT', path: '/message', body: envelope }));
      }
      socket.send(JSON.stringify({ id: `e${n++}`, t: 'req', verb: 'PUT', path: '/queue/empty' }));
    };
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as { id: string; t: string; verb: string; path: string; status: number; body?: unknown };
      if (frame.t === 'res') {
        const envelopeId = pushed.get(frame.id);
        if (frame.id.startsWith('e')) emptied += 1;
        if (envelopeId) acks.push({ envelopeId, status: frame.status });
        if (frame.status === 200) device.queue = device.queue.filter((envelope) => envelope.envelopeId !== envelopeId);
      } else {
        requests.push(`${frame.verb} ${frame.path.replace(/acc_.*/, '{}')}`);
        const answer = server.handle(device, frame.verb, frame.path, frame.body);
        if (answering) socket.send(JSON.stringify({ id: frame.id, t: 'res', ...answer }));
      }
      changed();
    });
    socket.on('close', changed);
    push();
    changed();
  });
  await once(wss, 'listening');

  return {
    url: `http://127.0.0.1:${(wss.address() as AddressInfo).port}`,
    acks,
    requests,
    connections: () => connections,
    /** How often a client has taken note of the end of its queue. */
    emptied: () => emptied,
    socket(index = -1): WebSocket {
      const socket = sockets.at(index);
      if (!socket) throw new Error('nobody is connected');
      return socket;
    },
    /** Calls of the client are carried out but no answer is sent. */
    fallSilent: () => {
      answering = false;
    },
    /** Resolves when `isSo`, looked at after each frame and connection. */
    async until(isSo: () => boolean): Promise<void> {
      while (!isSo()) await new Promise<void>((resolve) => waiters.push(resolve));
    },
    /** Resolves when the client has read everything that was sent to it so far. */
    async roundTrip(): Promise<void> {
      const before = emptied;
      sockets.at(-1)?.send(JSON.stringify({ id: 'e-again', t: 'req', verb: 'PUT', path: '/queue/empty' }));
      await this.until(() => emptied > before);
    },
    /** Looked at again after something that happened elsewhere. */
    changed,
    async close() {
      for (const socket of wss.clients) socket.terminate();
      await new Promise((resolve) => wss.close(resolve));
    },
  };
}
