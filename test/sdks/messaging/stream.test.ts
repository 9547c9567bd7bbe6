import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { StreamSocketConstructor } from '../../../sdks/messaging/index.js';
import { createWorld, type Peer, type World } from './peers.js';
import { startStreamServer } from './stream-server.js';

const ANNA = '+17215550101';
const BEN = '+17215550102';

let world: World;
let streams: Awaited<ReturnType<typeof startStreamServer>>;
let anna: Peer;
let ben: Peer;

beforeEach(async () => {
  world = createWorld();
  streams = await startStreamServer(world.server);
  anna = await world.join(ANNA);
  ben = await world.join(BEN, { url: streams.url });
  for (const event of ['message', 'state', 'error'] as const) ben.client.on(event, () => streams.changed());
});
afterEach(async () => {
  await world.close();
  await streams.close();
});

const states = () => ben.others.state.map(({ state }) => state);
const isOpen = () => states().at(-1) === 'open';

/** A third device, connected and at the end of its queue. */
async function joinWith(webSocket: StreamSocketConstructor): Promise<Peer> {
  const cleo = await world.join('+17215550103', { url: streams.url, webSocket });
  await cleo.client.connect();
  await streams.until(() => streams.emptied() === 1);
  return cleo;
}

/** Lets the first back-off run out, which is at most 0.5 s. */
async function reconnect(): Promise<void> {
  const before = streams.connections();
  await streams.until(() => states().at(-1) === 'waiting');
  await world.clock.advance(500);
  await streams.until(() => streams.connections() > before && isOpen());
}

test('what was queued arrives in order, and each is acknowledged after its handler has resolved', async () => {
  const order: string[] = [];
  ben.client.on('message', async ({ text }) => {
    await new Promise((resolve) => setImmediate(resolve));
    order.push(`${text}:${streams.acks.length}`);
  });
  for (const text of ['a', 'b', 'c']) await anna.client.send({ to: BEN, text });
  await ben.client.connect();
  await streams.until(() => streams.acks.length === 3);
  expect(order.map((entry) => entry[0])).toEqual(['a', 'b', 'c']);
  expect(Number(order[0]?.slice(2))).toBe(0);
  expect(ben.row().queue).toEqual([]);
});

test('calls go over the stream while it is open', async () => {
  await ben.client.connect();
  await streams.until(isOpen);
  await ben.client.send({ to: ANNA, text: 'hi' });
  expect(streams.requests).toEqual(['POST /contacts/search', 'POST /keys/query', 'POST /keys/claim', 'PUT /messages/{}']);
  await anna.client.drainQueue();
  expect(anna.texts()).toEqual(['hi']);
});

test('a refusal over the stream is the same typed error', async () => {
  await ben.client.connect();
  await streams.until(isOpen);
  world.server.refuseEvery('PUT /messages/', 413, 'MESSAGING.TOO_LARGE');
  await expect(ben.client.send({ to: ANNA, text: 'x' })).rejects.toMatchObject({ status: 413, code: 'MESSAGING.TOO_LARGE' });
});

test('a cut connection comes back by itself and goes on where it was', async () => {
  await ben.client.connect();
  await streams.until(isOpen);
  streams.socket().terminate();
  await anna.client.send({ to: BEN, text: 'while away' });
  await reconnect();
  await streams.until(() => streams.acks.length === 1);
  expect(ben.texts()).toEqual(['while away']);
});

// The server stored the message, but its answer was lost with the socket.
test('a send whose answer was lost with the socket is repeated over REST and stored once', async () => {
  await ben.client.connect();
  await streams.until(isOpen);
  await ben.client.send({ to: ANNA, text: 'first' });
  const before = streams.requests.length;
  const sending = ben.client.send({ to: anna.credentials.accountId, text: 'second' });
  streams.fallSilent();
  await streams.until(() => streams.requests.length > before);
  streams.socket().terminate();
  expect(await sending).toMatchObject({ replayed: true });
  await anna.client.drainQueue();
  expect(anna.texts()).toEqual(['first', 'second']);
});

test('a handler that fails gets the same message again, first, and nothing overtakes it', async () => {
  let failures = 1;
  const handled: string[] = [];
  ben.client.on('message', ({ text }) => {
    if (failures-- > 0) throw new Error('disk full');
    handled.push(text);
  });
  for (const text of ['a', 'b']) await anna.client.send({ to: BEN, text });
  await ben.client.connect();
  await reconnect();
  await streams.until(() => ben.row().queue.length === 0);
  expect(handled).toEqual(['a', 'b']);
  expect(streams.acks.map((ack) => ack.status).filter((status) => status === 200)).toHaveLength(2);
  expect(ben.others.error).toHaveLength(1);
});

test('after 4401 the next connection brings a new token', async () => {
  await ben.client.connect();
  await streams.until(isOpen);
  const before = world.server.calls.filter((call) => call.path === '/token').length;
  world.server.revokeTokens();
  streams.socket().close(4401);
  await reconnect();
  expect(world.server.calls.filter((call) => call.path === '/token').length).toBe(before + 1);
});

test('a handshake that is refused for its token brings a new one the next time', async () => {
  world.server.revokeTokens();
  await ben.client.connect();
  await reconnect();
  expect(states()).toEqual(['connecting', 'waiting', 'connecting', 'open']);
});

test('a device that is connected elsewhere does not fight for the stream', async () => {
  await ben.client.connect();
  await streams.until(isOpen);
  streams.socket().close(4409);
  await streams.until(() => states().at(-1) === 'elsewhere');
  await world.clock.advance(600_000);
  expect(streams.connections()).toBe(1);
});

test('where the stream cannot be opened, messages come over REST', async () => {
  await streams.close();
  await anna.client.send({ to: BEN, text: 'by REST' });
  await ben.client.connect();
  await streams.until(() => states().filter((state) => state === 'waiting').length === 1);
  await world.clock.advance(500);
  await streams.until(() => ben.messages.length === 1);
  expect(ben.texts()).toEqual(['by REST']);
});

const native: StreamSocketConstructor = class {
  // What the browser's WebSocket offers and no more: no pings, no terminate.
  readonly #socket: WebSocket;
  constructor(url: string, protocols: string[]) {
    this.#socket = new WebSocket(url, protocols);
  }
  send = (text: string) => this.#socket.send(text);
  close = (code?: number, reason?: string) => this.#socket.close(code, reason);
  addEventListener = (type: string, listener: (event: never) => void) =>
    this.#socket.addEventListener(type as 'open', listener as () => void);
};

test('a server that sends nothing, not even pings, is left after 75 s', async () => {
  const cleo = await joinWith(WebSocket as unknown as StreamSocketConstructor);
  await world.clock.advance(74_000);
  expect(cleo.others.state.map(({ state }) => state)).not.toContain('waiting');
  await world.clock.advance(1_000);
  expect(cleo.others.state.map(({ state }) => state)).toContain('waiting');
  await world.clock.advance(500);
  await streams.until(() => streams.connections() === 2);
});

test('where pings cannot be seen, a call after 75 s tells whether the server is there', async () => {
  const cleo = await joinWith(native);
  await world.clock.advance(75_000);
  await streams.until(() => streams.requests.includes('GET /bridge-keys'));
  await streams.roundTrip();
  expect(cleo.others.state.map(({ state }) => state)).not.toContain('waiting');
  streams.fallSilent();
  await world.clock.advance(75_000);
  await streams.until(() => streams.requests.length === 2);
  await world.clock.advance(15_000);
  expect(cleo.others.state.map(({ state }) => state)).toContain('waiting');
});

test('a connection that neither opens nor fails is given up on', async () => {
  let made = 0;
  const stuck: StreamSocketConstructor = class {
    constructor() {
      made += 1;
    }
    send() {}
    close() {}
    addEventListener() {}
  };
  const cleo = await world.join('+17215550103', { url: streams.url, webSocket: stuck });
  await cleo.client.connect();
  await world.clock.advance(15_500);
  expect(made).toBe(2);
});

test('frames that make no sense are answered or ignored, and the stream lives on', async () => {
  await ben.client.connect();
  await streams.until(isOpen);
  for (const frame of [
    'nonsense',
    '[]',
    '{"id":1}',
    '{"id":"x","t":"res","status":200}',
    '{"id":"y","t":"req","verb":"GET","path":"/secret"}',
  ]) {
    streams.socket().send(frame);
  }
  streams.socket().send(JSON.stringify({ id: 'z', t: 'req', verb: 'PUT', path: '/message', body: { envelopeId: 7 } }));
  streams.socket().send(Buffer.from([1, 2, 3]), { binary: true });
  await ben.client.send({ to: ANNA, text: 'alive' });
  expect(streams.connections()).toBe(1);
});

test('connecting without a message handler is refused, for messages would be acknowledged unseen', async () => {
  const { createMessagingClient } = await import('../../../sdks/messaging/index.js');
  const client = createMessagingClient({ url: streams.url, fetch: world.server.fetch, clock: world.clock });
  await client.register({ msisdn: '+17215550104', verificationToken: 'vt', deviceName: 't', platform: 'bot', language: 'en' });
  await expect(client.connect()).rejects.toMatchObject({ code: 'CLIENT.NO_HANDLER' });
  await client.close();
});

test('a closed client leaves no timer, no connection, and refuses to send', async () => {
  await ben.client.connect();
  await streams.until(isOpen);
  await ben.client.close();
  expect(world.clock.pending()).toBe(0);
  await expect(ben.client.send({ to: ANNA, text: 'x' })).rejects.toMatchObject({ code: 'CLIENT.CLOSED' });
});
