import type { SdkClock } from './clock.js';
import { HPKE_SUITE, sealFallback } from './hpke.js';
import { noDevices, type OlmDevice } from './olm-device.js';
import { MessagingError } from './problem.js';
import { newClientMsgId, newRef, type RandomBytes } from './random.js';
import type { BridgeKey, Call, FallbackClass, FallbackRequest, SendAnswer, SendRequest } from './wire.js';

/** How often a send is made anew after the server named other devices than ours. */
const ATTEMPTS = 3;
const DEFAULT_AFTER_SECONDS: Record<FallbackClass, number> = { otp: 30, urgent: 60, chat: 300 };
/** After the fallback is due, the bridge gets this long to open the sealed text. */
const SEALED_GRACE_SECONDS = 3_600;

export interface FallbackWish {
  /** `notice` tells the recipient by SMS that something waits, without content. `sealed` sends `text`. */
  mode: 'notice' | 'sealed';
  class: FallbackClass;
  /** 10 to 43,200; without it the server's value for the class: otp 30, urgent 60, chat 300. */
  afterSeconds?: number;
  /** For `notice`: the name the SMS may show, at most 40 characters. */
  senderName?: string;
  /** For `sealed`: what the SMS says, 1 to 453 characters. It leaves end-to-end encryption if the fallback fires. */
  text?: string;
  /** For `sealed` to an account id: the recipient's number, which the text is bound to. */
  msisdn?: string;
}

export interface SendWish {
  /** An MSISDN (`+…`) or an account id (`acc_…`). */
  to: string;
  text: string;
  fallback?: FallbackWish;
  /** Give the id of an earlier try to send it again: the server keeps one message per id. */
  clientMsgId?: string;
  ref?: string;
  /** 60 to 2,592,000; how long the server keeps it for an absent device. */
  ttlSeconds?: number;
  urgent?: boolean;
}

export interface Sent extends SendAnswer {
  clientMsgId: string;
  ref: string;
  accountId: string;
}

export interface Outbox {
  /** One at a time: Olm messages must leave in the order they were made. */
  send(wish: SendWish): Promise<Sent>;
}

export function createOutbox(given: {
  deviceId: string;
  olm: OlmDevice;
  call: Call;
  clock: SdkClock;
  random: RandomBytes;
  onRef: (clientMsgId: string, ref: string) => void;
}): Outbox {
  const { deviceId, olm, call, clock, random } = given;

  async function resolve(to: string): Promise<string> {
    if (to.startsWith('acc_')) return to;
    const { items } = await call<{ items: { msisdn: string; accountId: string }[] }>('POST', '/contacts/search', { msisdns: [to] });
    const found = items.find((item) => item.msisdn === to);
    if (!found) throw new MessagingError('CLIENT.UNKNOWN_RECIPIENT', 'Nobody has registered this number.');
    return found.accountId;
  }

  async function seal(wish: FallbackWish, to: string, clientMsgId: string): Promise<FallbackRequest['sealed']> {
    const { text } = wish;
    const recipientMsisdn = wish.msisdn ?? (to.startsWith('+') ? to : undefined);
    if (!text || text.length > 453)
      throw new MessagingError('CLIENT.FALLBACK_TEXT', 'A sealed fallback needs a text of 1 to 453 characters.');
    if (!recipientMsisdn) throw new MessagingError('CLIENT.FALLBACK_NUMBER', 'A sealed fallback to an account needs its number.');
    const { items } = await call<{ items: BridgeKey[] }>('GET', '/bridge-keys');
    const key = items.find((item) => item.suite === HPKE_SUITE);
    if (!key) throw new MessagingError('CLIENT.NO_BRIDGE_KEY', 'The bridge offers no key to seal the text to.');
    const lifetimeSeconds = (wish.afterSeconds ?? DEFAULT_AFTER_SECONDS[wish.class]) + SEALED_GRACE_SECONDS;
    const expiresAt = new Date(clock.now() + lifetimeSeconds * 1_000).toISOString();
    const sealed = await sealFallback({
      publicKey: key.publicKey,
      text,
      clientMsgId,
      senderDeviceId: deviceId,
      recipientMsisdn,
      expiresAt,
    });
    return { keyId: key.keyId, ...sealed, expiresAt };
  }

  async function fallbackOf(wish: FallbackWish, to: string, clientMsgId: string): Promise<FallbackRequest> {
    const request: FallbackRequest = { mode: wish.mode, class: wish.class };
    if (wish.afterSeconds !== undefined) request.afterSeconds = wish.afterSeconds;
    if (wish.senderName !== undefined) request.senderName = wish.senderName;
    if (wish.mode === 'sealed') {
      const sealed = await seal(wish, to, clientMsgId);
      if (sealed) request.sealed = sealed;
    }
    return request;
  }

  return {
    async send(wish) {
      const clientMsgId = wish.clientMsgId ?? newClientMsgId(random);
      const ref = wish.ref ?? newRef(random);
      const accountId = await resolve(wish.to);
      const fallback = wish.fallback && (await fallbackOf(wish.fallback, wish.to, clientMsgId));
      const payload = { id: clientMsgId, ref, text: wish.text, sentAt: new Date(clock.now()).toISOString() };
      given.onRef(clientMsgId, ref);
      for (let attempt = 1; ; attempt++) {
        const devices = await olm.encryptFor(accountId, payload);
        if (devices.length === 0 && attempt === ATTEMPTS) throw noDevices();
        if (devices.length > 0) {
          const request: SendRequest = { clientMsgId, ref, devices };
          if (wish.ttlSeconds !== undefined) request.ttlSeconds = wish.ttlSeconds;
          if (wish.urgent !== undefined) request.urgent = wish.urgent;
          if (fallback) request.fallback = fallback;
          try {
            return { ...(await call<SendAnswer>('PUT', `/messages/${accountId}`, request)), clientMsgId, ref, accountId };
          } catch (error) {
            // 409: the account's devices are others than ours; 410: one of them was registered anew.
            const otherDevices = error instanceof MessagingError && (error.status === 409 || error.status === 410);
            if (!otherDevices || attempt === ATTEMPTS) throw error;
          }
        }
        await olm.refreshDevices(accountId);
      }
    },
  };
}
