import { connect, createServer, type Socket } from 'node:net';

export interface Door {
  readonly url: string;
  close(): Promise<void>;
}

/** A port that leads to the first of these that answers, as a load balancer would. */
export async function openDoor(urls: readonly string[]): Promise<Door> {
  const open = new Set<Socket>();
  const server = createServer((client) => lead(client, urls));
  function lead(client: Socket, [first, ...others]: readonly string[]): void {
    if (first === undefined) return void client.destroy();
    const { hostname, port } = new URL(first);
    const node = connect({ host: hostname, port: Number(port) });
    const next = () => lead(client, others);
    node.once('error', next);
    node.once('connect', () => {
      node.off('error', next);
      for (const [from, to] of [
        [client, node],
        [node, client],
      ] as const) {
        open.add(from);
        from.on('error', () => to.destroy());
        from.on('close', () => {
          open.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
    });
  }
  server.on('connection', (client) => client.on('error', () => client.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
