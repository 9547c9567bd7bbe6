import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What happens to the next COMMIT that a client sends; its connection does not live longer in any case. */
export type CommitFate =
  /** It never arrives, and the server sees the connection end. */
  | 'lost on the way'
  /** It never arrives, and the server does not notice that the client is gone. */
  | 'lost, half open'
  /** It is done, and the answer is lost. */
  | 'answer lost'
  /** It is done, the answer is lost, and from then on connections are refused until `start()`. */
  | 'answer lost, and the server stays away';

/** Stands between the gateway and PostgreSQL, as the network does. */
export interface DatabaseProxy {
  /** The database's URL by way of the proxy. */
  readonly url: string;
  /** Ends all connections. */
  cut(): void;
  /** Ends all connections and refuses others, as a server does that is being restarted. */
  stop(): Promise<void>;
  /** Accepts connections again. */
  start(): Promise<void>;
  /** Connections are accepted and never answered while this is on. */
  swallow(isOn: boolean): void;
  /** @returns how often it happened so far. */
  onCommit(fate: CommitFate, times?: number): () => number;
  close(): Promise<void>;
}

export async function openDatabaseProxy(databaseUrl: string): Promise<DatabaseProxy> {
  const target = new URL(databaseUrl);
  const open = new Set<Socket>();
  let swallows = false;
  let refuses = false;
  let planned: { fate: CommitFate; left: number; happened: number } | undefined;

  const keep = (socket: Socket, onEnd: () => void): void => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      open.delete(socket);
      onEnd();
    });
  };

  function carry(client: Socket): void {
    if (refuses) return void client.on('error', () => undefined).destroy();
    if (swallows) {
      keep(client, () => undefined);
      return;
    }
    const server = connect({ host: target.hostname, port: Number(target.port || 5432) });
    let fate: CommitFate | undefined;
    keep(client, () => fate !== 'lost, half open' && server.destroy());
    keep(server, () => client.destroy());
    client.on('data', (data: Buffer) => {
      if (planned && planned.left > 0 && data.includes('COMMIT\0')) {
        planned.left--;
        planned.happened++;
        fate = planned.fate;
        if (fate === 'answer lost, and the server stays away') {
          refuses = true;
          for (const socket of open) if (socket !== client && socket !== server) socket.destroy();
        } else if (fate !== 'answer lost') return void client.destroy();
      }
      server.write(data);
    });
    server.on('data', (data: Buffer) => {
      if (fate?.startsWith('answer lost')) client.destroy();
      else client.write(data);
    });
  }

  const proxy = createServer(carry);
  const listen = async (port: number): Promise<void> => void (await once(proxy.listen(port, '127.0.0.1'), 'listening'));
  await listen(0);
  const { port } = proxy.address() as AddressInfo;
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String(port);

  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  async function stop(): Promise<void> {
    const stopped = proxy.listening ? once(proxy.close(), 'close') : undefined;
    cut();
    await stopped;
  }
  return {
    url: url.href,
    cut,
    stop,
    async start() {
      refuses = false;
      if (!proxy.listening) await listen(port);
    },
    swallow(isOn) {
      swallows = isOn;
    },
    onCommit(fate, times = 1) {
      const plan = { fate, left: times, happened: 0 };
      planned = plan;
      return () => plan.happened;
    },
    close: stop,
  };
}
