import {
  createMessagingClient,
  type IncomingMessage,
  type MessagingClientOptions,
  type MessagingEvents,
} from '../../../sdks/messaging/index.js';
import { createFakeClock, type FakeClock } from '../../fakes/clock.js';
import { createFakeServer, type FakeServer } from './fake-server.js';

/** Bytes that repeat from run to run, and differ from call to call. */
export function countingRandom(start = 1): (length: number) => Uint8Array {
  let next = start;
  return (length) => Uint8Array.from({ length }, () => (next = (next * 73 + 41) % 251));
}

export interface World {
  clock: FakeClock;
  server: FakeServer;
  /** A registered client with keys published and every event recorded. */
  join(msisdn: string, more?: Partial<MessagingClientOptions>): Promise<Peer>;
  close(): Promise<void>;
}

export type Peer = Awaited<ReturnType<typeof joinWorld>>;

let seed = 1;

async function joinWorld(clock: FakeClock, server: FakeServer, msisdn: string, more: Partial<MessagingClientOptions>) {
  const random = countingRandom(seed++);
  const client = createMessagingClient({ url: 'http://gateway.invalid', fetch: server.fetch, clock, random, ...more });
  const messages: IncomingMessage[] = [];
  const others: { [K in Exclude<keyof MessagingEvents, 'message'>]: MessagingEvents[K][] } = {
    status: [],
    smsReply: [],
    collapsed: [],
    undecryptable: [],
    state: [],
    error: [],
  };
  client.on('message', (message) => void messages.push(message));
  client.on('status', (event) => void others.status.push(event));
  client.on('smsReply', (event) => void others.smsReply.push(event));
  client.on('collapsed', (event) => void others.collapsed.push(event));
  client.on('undecryptable', (event) => void others.undecryptable.push(event));
  client.on('state', (event) => void others.state.push(event));
  client.on('error', (event) => void others.error.push(event));
  const registration = { msisdn, verificationToken: 'vt', deviceName: 'test', platform: 'bot', language: 'en' } as const;
  const credentials = await client.register(registration);
  await client.uploadKeys();
  const texts = () => messages.map((message) => message.text);
  const row = () => server.device(credentials.deviceId);
  return { client, credentials, messages, others, texts, row };
}

export function createWorld(): World {
  const clock = createFakeClock();
  const server = createFakeServer(clock);
  const peers: Peer[] = [];
  return {
    clock,
    server,
    async join(msisdn, more = {}) {
      const peer = await joinWorld(clock, server, msisdn, more);
      peers.push(peer);
      return peer;
    },
    async close() {
      for (const peer of peers) await peer.client.close();
    },
  };
}
