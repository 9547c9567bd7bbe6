import { randomInt } from 'node:crypto';
import { systemClock } from '../../sdks/messaging/clock.js';
import { createHttp } from '../../sdks/messaging/http.js';
import { type FallbackBinding, generateReplyKeyPair, HPKE_SUITE, openReply, sealFallback } from '../../sdks/messaging/index.js';
import { systemRandom } from '../../sdks/messaging/random.js';
import { defaultWebSocket, openStream, type Stream } from '../../sdks/messaging/stream.js';
import type { BridgeKey, Call, Envelope, FallbackRequest, SendAnswer } from '../../sdks/messaging/wire.js';
import type { Ledger } from './ledger.js';
import type { Reach } from './reach.js';

/** What came to a device, as often as it came. */
export interface Arrival {
  readonly envelope: Envelope;
  times: number;
  /** Its acknowledgement was answered: it may never come again. */
  isAckAnswered: boolean;
}

/**
 * A device of the messaging API that keeps all that came. What it sends and gets looks like ciphertext and is made up: the
 * gateway cannot tell, and neither side spends its time on encryption.
 */
export interface Phone {
  readonly msisdn: string;
  readonly accountId: string;
  readonly deviceId: string;
  readonly registrationId: number;
  /** By the envelope's id. */
  readonly arrivals: ReadonlyMap<string, Arrival>;
  /** Texts of the answers by SMS that came, each with the envelope it came in. */
  readonly replies: readonly { text: string; envelopeId: string }[];
  /** Opens the stream; what comes is acknowledged there. */
  connect(): Promise<void>;
  send(message: { to: Phone; clientMsgId: string; body: string; fallback?: FallbackRequest }, reach?: Reach): Promise<SendAnswer>;
  /** A fallback's text, sealed to the bridge. */
  seal(text: string, binding: Omit<FallbackBinding, 'senderDeviceId'>): Promise<NonNullable<FallbackRequest['sealed']>>;
  /** Reads its queue to the end over REST and acknowledges all of it there. */
  drain(): Promise<void>;
  /** Envelopes that wait for it. */
  waiting(reach?: Reach): Promise<string[]>;
  close(): void;
}

const SUITE = 'olm-1';

export async function registerPhone(given: { reach: Reach; ledger: Ledger; msisdn: string; key: string }): Promise<Phone> {
  const { reach, ledger, msisdn, key } = given;
  const http = createHttp({ url: reach.phonesUrl, clock: systemClock, fetch: reach.fetch });
  const registrationId = 1 + randomInt(16_383);
  const replyKey = await generateReplyKeyPair();
  let tries = 0;
  const issued = await ledger.ask('other', async () => {
    // A token is used up by the first try that reached the gateway, so each try gets one of its own.
    const once = { 'Idempotency-Key': `${key}-token-${tries++}` };
    const { token } = await reach.partner.createNumberVerificationToken({ headers: once, body: { msisdn } });
    return http.callOpen<{ accountId: string; deviceId: string; deviceSecret: string; accessToken: string; expiresInSeconds: number }>(
      'POST',
      '/accounts',
      {
        msisdn,
        verification: { method: 'number-verification', token },
        device: { name: key, registrationId, platform: 'bot' },
        language: 'de',
      },
    );
  });
  const { accountId, deviceId } = issued;
  http.login(issued, issued);
  await ledger.ask('other', () => http.call('PUT', '/keys', { replyKey: { suite: HPKE_SUITE, publicKey: replyKey.publicKey } }));

  const arrivals = new Map<string, Arrival>();
  const replies: { text: string; envelopeId: string }[] = [];
  let newestSeq = 0;
  let stream: Stream | undefined;

  const call: Call = async (verb, path, body) => {
    if (stream?.isOpen() && randomInt(3) > 0) return stream.call(verb, path, body);
    return http.call(verb, path, body);
  };

  async function take(envelope: Envelope): Promise<void> {
    const { envelopeId, seq } = envelope;
    const known = arrivals.get(envelopeId);
    if (known) {
      known.times++;
      if (known.isAckAnswered)
        ledger.fault({ kind: 'lost', what: `the answered acknowledgement of envelope ${envelopeId}: it came again` });
      return;
    }
    if (seq < newestSeq)
      ledger.fault({ kind: 'lost', what: `the order of ${deviceId}’s queue: ${envelopeId} (${seq}) came after ${newestSeq}` });
    newestSeq = Math.max(newestSeq, seq);
    arrivals.set(envelopeId, { envelope, times: 1, isAckAnswered: false });
    if (envelope.kind !== 'sms-reply') return;
    const { enc, ciphertext, receivedAt, inReplyTo } = JSON.parse(envelope.body) as Record<
      'enc' | 'ciphertext' | 'receivedAt' | 'inReplyTo',
      string
    >;
    const { text } = await openReply({ privateKey: replyKey.privateKey, enc, ciphertext, receivedAt, inReplyTo, deviceId });
    replies.push({ text, envelopeId });
  }

  const at = (other: Reach): Call => {
    const elsewhere = createHttp({ url: other.phonesUrl, clock: systemClock, fetch: other.fetch });
    elsewhere.login(issued, issued);
    return elsewhere.call;
  };
  const read = (through: Call) => through<{ items: Envelope[]; hasMore: boolean }>('GET', '/queue?limit=100');

  return {
    ...{ msisdn, accountId, deviceId, registrationId, arrivals, replies },
    async connect() {
      stream = openStream({
        url: reach.phonesUrl,
        webSocket: await defaultWebSocket(),
        clock: systemClock,
        random: systemRandom,
        accessToken: () => http.accessToken(),
        forgetToken: () => http.forgetToken(),
        async onEnvelope(envelope) {
          await take(envelope);
          ledger.came('an envelope');
        },
      });
    },
    send({ to, clientMsgId, body, fallback }, other) {
      const devices = [{ deviceId: to.deviceId, registrationId: to.registrationId, suite: SUITE, body }];
      const through = other ? at(other) : call;
      return through('PUT', `/messages/${to.accountId}`, { clientMsgId, devices, ...(fallback && { fallback }) });
    },
    async seal(text, binding) {
      const { items } = await ledger.ask('other', () => call<{ items: BridgeKey[] }>('GET', '/bridge-keys'));
      const bridge = items.find(({ suite }) => suite === HPKE_SUITE);
      if (!bridge) throw new Error('the bridge offers no key');
      const sealed = await sealFallback({ publicKey: bridge.publicKey, text, senderDeviceId: deviceId, ...binding });
      return { keyId: bridge.keyId, ...sealed, expiresAt: binding.expiresAt };
    },
    async drain() {
      for (let hasMore = true; hasMore; ) {
        const page = await ledger.ask('messages', () => read(http.call));
        for (const envelope of page.items) await take(envelope);
        const envelopeIds = page.items.map(({ envelopeId }) => envelopeId);
        if (envelopeIds.length > 0) await ledger.ask('messages', () => http.call('POST', '/queue/acks', { envelopeIds }));
        for (const id of envelopeIds) {
          const arrival = arrivals.get(id);
          if (arrival) arrival.isAckAnswered = true;
        }
        ({ hasMore } = page);
      }
    },
    async waiting(other) {
      const { items } = await ledger.ask('other', () => read(other ? at(other) : http.call));
      return items.map(({ envelopeId }) => envelopeId);
    },
    close: () => stream?.close(),
  };
}
