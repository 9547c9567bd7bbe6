import { type SdkClock, systemClock } from './clock.js';
import { createCollapse, parseSmsRef } from './collapse.js';
import { createEmitter, type Handler, type MessagingEvents } from './events.js';
import { generateReplyKeyPair, HPKE_SUITE } from './hpke.js';
import { createHttp } from './http.js';
import { createInbox, type Inbox } from './inbox.js';
import { type OlmDevice, type OlmStore, openOlmDevice } from './olm-device.js';
import { createOutbox, type Outbox, type SendWish, type Sent } from './outbox.js';
import { MessagingError } from './problem.js';
import { newClientMsgId, newRegistrationId, type RandomBytes, systemRandom } from './random.js';
import { createMemorySeenStore, type SeenStore } from './repeats.js';
import { defaultWebSocket, isEnvelope, openStream, type Stream, type StreamSocketConstructor } from './stream.js';
import type { Call, Envelope } from './wire.js';

const REFS_KEPT = 4_096;
/** With so many connections in a row that did not open, the queue is read over REST meanwhile. */
const FAILURES_BEFORE_REST = 2;

export interface Registration {
  msisdn: string;
  /** The operator's number-verification token. */
  verificationToken: string;
  deviceName: string;
  platform: 'android' | 'ios' | 'web' | 'bot';
  /** BCP 47, such as `de` or `en-JM`. */
  language: string;
}

/** What a device must keep, as safely as a password. */
export interface DeviceCredentials {
  accountId: string;
  deviceId: string;
  deviceSecret: string;
  registrationId: number;
  replyKey: { publicKey: string; privateKey: string };
}

export interface MessagingClientOptions {
  /** The gateway's public URL, without `/messaging/v1`. */
  url: string;
  fetch?: typeof fetch;
  /** The default is `globalThis.WebSocket`, or the package `ws` where the platform has none. */
  webSocket?: StreamSocketConstructor;
  clock?: SdkClock;
  random?: RandomBytes;
  /** Durable Olm state; see {@link OlmStore}. In memory without it. */
  store?: OlmStore;
  /** Durable memory of what was shown; see {@link SeenStore}. In memory without it. */
  seen?: SeenStore;
}

export interface MessagingClient {
  register(registration: Registration): Promise<DeviceCredentials>;
  /** Comes back as a device that registered before. Needs the `store` it had then: a new identity would not be trusted. */
  resume(credentials: DeviceCredentials): Promise<void>;
  /** Publishes identity, one-time keys, fallback key and reply key. */
  uploadKeys(): Promise<void>;
  /** Encrypts `text` for every device of the recipient and sends it; sends keep the order of the calls. */
  send(wish: SendWish): Promise<Sent>;
  /** The returned function takes the handler off. An envelope is acknowledged after its handlers have resolved. */
  on<K extends keyof MessagingEvents>(event: K, handler: Handler<MessagingEvents[K]>): () => void;
  /** Opens the stream and keeps it open. Needs a `message` handler, or messages would be acknowledged unseen. */
  connect(): Promise<void>;
  /** Reads the queue to its end over REST, acknowledging what was handled; how many envelopes that were. */
  drainQueue(): Promise<number>;
  /** For an app that reads SMS: pairs a fallback SMS with its app copy. `ref` is undefined for any other SMS. */
  noteSms(sms: string): Promise<{ text: string; ref: string | undefined; clientMsgId: string | undefined }>;
  /** This device's Ed25519 identity, base64, for two people to compare. */
  fingerprint(): string;
  close(): Promise<void>;
}

/** A messaging device: registers, publishes keys, sends and receives end-to-end encrypted texts with SMS fallback. */
export function createMessagingClient(options: MessagingClientOptions): MessagingClient {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const seen = options.seen ?? createMemorySeenStore();
  const emitter = createEmitter();
  const collapse = createCollapse(clock);
  const http = createHttp({ url: options.url, clock, ...(options.fetch ? { fetch: options.fetch } : {}) });
  const refs = new Map<string, string>();
  let stream: Stream | undefined;
  let device: { credentials: DeviceCredentials; olm: OlmDevice; inbox: Inbox; outbox: Outbox } | undefined;
  let isClosed = false;
  let outbound: Promise<unknown> = Promise.resolve();
  let inbound: Promise<unknown> = Promise.resolve();

  /** Over the stream while it is open, else over REST. Every call here may be repeated safely, so a lost stream is no loss. */
  const call: Call = async (verb, path, body) => {
    if (stream?.isOpen()) {
      try {
        return await stream.call(verb, path, body);
      } catch (error) {
        if (!(error instanceof MessagingError) || error.code !== 'CLIENT.STREAM_LOST') throw error;
      }
    }
    return http.call(verb, path, body);
  };

  function inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = outbound.then(() => (isClosed ? Promise.reject(closedError()) : run()));
    outbound = turn.catch(() => {});
    return turn;
  }

  function present() {
    if (!device) throw new MessagingError('CLIENT.NOT_REGISTERED', 'Register or resume first.');
    return device;
  }

  /** Background work: its failure is told, never thrown. */
  function background(work: Promise<unknown>): void {
    work.catch((error: unknown) => emitter.emit('error', { error })).catch(() => {});
  }

  async function adopt(credentials: DeviceCredentials): Promise<void> {
    if (device) throw new MessagingError('CLIENT.ALREADY_REGISTERED', 'One client is one device.');
    const { accountId, deviceId } = credentials;
    const olm = await openOlmDevice({
      accountId,
      deviceId,
      call,
      store: options.store,
      sendControl: async (to, body) => {
        await call('PUT', `/messages/${to}`, { clientMsgId: newClientMsgId(random), devices: [body] });
      },
    });
    const inbox = createInbox({
      deviceId,
      replyPrivateKey: credentials.replyKey.privateKey,
      olm,
      seen,
      emitter,
      collapse,
      refOf: (clientMsgId) => refs.get(clientMsgId),
    });
    const outbox = createOutbox({ deviceId, olm, call, clock, random, onRef: rememberRef });
    device = { credentials, olm, inbox, outbox };
  }

  function rememberRef(clientMsgId: string, ref: string): void {
    refs.set(clientMsgId, ref);
    const [oldest] = refs.keys();
    if (refs.size > REFS_KEPT && oldest !== undefined) refs.delete(oldest);
  }

  const closedError = () => new MessagingError('CLIENT.CLOSED', 'The client is closed.');

  /** Envelopes from the stream and from REST go through one line, in which each is handled before the next. */
  function receive(envelope: Envelope): Promise<void> {
    const { inbox, olm } = present();
    const turn = inbound.then(() => (isClosed ? Promise.reject(closedError()) : inbox.accept(envelope)));
    inbound = turn.catch((error: unknown) => emitter.emit('error', { error })).catch(() => {});
    return turn.then(() => {
      if (olm.needsRecount()) background(inTurn(recount));
    });
  }

  async function recount(): Promise<void> {
    // The count has no verb on the stream.
    const { oneTimeKeyCount } = await http.call<{ oneTimeKeyCount: number }>('GET', '/keys/count');
    await present().olm.topUp(oneTimeKeyCount);
  }

  async function drainQueue(): Promise<number> {
    let handled = 0;
    for (;;) {
      const { items, hasMore } = await http.call<{ items: unknown[]; hasMore: boolean }>('GET', '/queue?limit=100');
      const envelopes = items.filter(isEnvelope);
      const done: string[] = [];
      let failure: { error: unknown } | undefined;
      for (const envelope of envelopes) {
        try {
          await receive(envelope);
          done.push(envelope.envelopeId);
        } catch (error) {
          failure = { error };
          break;
        }
      }
      if (done.length > 0) await http.call('POST', '/queue/acks', { envelopeIds: done });
      handled += done.length;
      if (failure) throw failure.error;
      if (!hasMore || done.length === 0) return handled;
    }
  }

  return {
    on: (event, handler) => emitter.on(event, handler),
    drainQueue,
    fingerprint: () => present().olm.fingerprint,

    async register({ msisdn, verificationToken, deviceName, platform, language }) {
      const registrationId = newRegistrationId(random);
      const issued = await http.callOpen<{
        accountId: string;
        deviceId: string;
        deviceSecret: string;
        accessToken: string;
        expiresInSeconds: number;
      }>('POST', '/accounts', {
        msisdn,
        verification: { method: 'number-verification', token: verificationToken },
        device: { name: deviceName, registrationId, platform },
        language,
      });
      const { accountId, deviceId, deviceSecret } = issued;
      const credentials = { accountId, deviceId, deviceSecret, registrationId, replyKey: await generateReplyKeyPair() };
      http.login(credentials, issued);
      await adopt(credentials);
      return credentials;
    },

    async resume(credentials) {
      http.login(credentials);
      await adopt(credentials);
    },

    uploadKeys: () =>
      inTurn(async () => {
        const { olm, credentials } = present();
        await olm.publishKeys();
        await call('PUT', '/keys', { replyKey: { suite: HPKE_SUITE, publicKey: credentials.replyKey.publicKey } });
      }),

    send: (wish) => inTurn(() => present().outbox.send(wish)),

    async connect() {
      present();
      if (!emitter.has('message')) throw new MessagingError('CLIENT.NO_HANDLER', 'Set a message handler before connecting.');
      if (stream) throw new MessagingError('CLIENT.ALREADY_CONNECTED', 'The stream is kept open already.');
      const webSocket = options.webSocket ?? (await defaultWebSocket());
      if (isClosed) return;
      stream = openStream({
        url: options.url,
        webSocket,
        clock,
        random,
        accessToken: () => http.accessToken(),
        forgetToken: () => http.forgetToken(),
        onEnvelope: receive,
        onState(state, failures) {
          background(emitter.emit('state', { state }));
          if (state === 'open') background(inTurn(recount));
          if (state === 'waiting' && failures >= FAILURES_BEFORE_REST) background(drainQueue());
        },
      });
    },

    async noteSms(sms) {
      const parsed = parseSmsRef(sms);
      if (!parsed) return { text: sms, ref: undefined, clientMsgId: undefined };
      const clientMsgId = collapse.noteSms(parsed.ref);
      if (clientMsgId !== undefined) await emitter.emit('collapsed', { ref: parsed.ref, clientMsgId, alsoSentBySms: true });
      return { ...parsed, clientMsgId };
    },

    async close() {
      if (isClosed) return;
      isClosed = true;
      stream?.close();
      await Promise.all([outbound, inbound]);
      device?.olm.close();
    },
  };
}
