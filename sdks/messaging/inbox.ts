import { toBase64Url } from './base64url.js';
import type { Collapse } from './collapse.js';
import type { Emitter, MessagingEvents } from './events.js';
import { openReply } from './hpke.js';
import type { OlmDevice } from './olm-device.js';
import { parseJsonObject } from './problem.js';
import type { SeenStore } from './repeats.js';
import type { Envelope, MessageStatus } from './wire.js';

/** One event to hand to the app, or nothing to show. */
type Show = { [K in keyof MessagingEvents]: { event: K; value: MessagingEvents[K] } }[keyof MessagingEvents] | undefined;

interface Decoded {
  show: Show;
  /** Under which the content is remembered, whatever envelope carries it again. */
  keys: string[];
}

const ON_THE_AIR: readonly MessageStatus[] = ['sent-by-sms', 'delivered-by-sms', 'may-have-arrived'];

export interface Inbox {
  /**
   * Opens an envelope and hands it to the app's handlers. Resolves when it may be acknowledged: handled, a repeat,
   * or beyond opening. Rejects when a handler failed; the same envelope is then to be given again. One at a time.
   */
  accept(envelope: Envelope): Promise<void>;
}

export function createInbox(given: {
  deviceId: string;
  replyPrivateKey: string;
  olm: OlmDevice;
  seen: SeenStore;
  emitter: Emitter;
  collapse: Collapse;
  refOf: (clientMsgId: string) => string | undefined;
}): Inbox {
  const { olm, seen, emitter, collapse } = given;
  // Olm opens a ciphertext once. What was opened and not yet handled is kept for when the envelope comes again.
  const unhandled = new Map<string, Decoded>();

  const undecryptable = ({ envelopeId, from }: Envelope, reason: string): Show => ({
    event: 'undecryptable',
    value: { envelopeId, from, reason },
  });

  async function readMessage(envelope: Envelope): Promise<Decoded> {
    const opened = await olm.open(envelope);
    const { from } = envelope;
    if (opened.kind === 'control') return { show: undefined, keys: [] };
    if (opened.kind === 'undecryptable' || !from) {
      return { show: undecryptable(envelope, opened.kind === 'undecryptable' ? opened.reason : 'no sender'), keys: [] };
    }
    const { id, ref, text, sentAt } = opened.payload;
    if (typeof id !== 'string' || typeof text !== 'string' || typeof sentAt !== 'string') {
      return { show: undecryptable(envelope, 'not a text message'), keys: [] };
    }
    // The id and the reference outside are the server's word; those inside are the sender's.
    const value = { from, clientMsgId: id, ref: typeof ref === 'string' ? ref : undefined, text, sentAt, alsoSentBySms: false };
    return { show: { event: 'message', value }, keys: [`message:${from.accountId}/${from.deviceId}/${id}`] };
  }

  function readStatus(envelope: Envelope): Decoded {
    const { clientMsgId, messageId, status, fallbackId, at } = parseJsonObject(envelope.body) ?? {};
    const known = [clientMsgId, messageId, status, at].every((field) => typeof field === 'string');
    if (envelope.suite !== 'json-1' || !known) return { show: undecryptable(envelope, 'not a status'), keys: [] };
    const value = {
      clientMsgId: clientMsgId as string,
      messageId: messageId as string,
      status: status as MessageStatus,
      ref: given.refOf(clientMsgId as string),
      fallbackId: typeof fallbackId === 'string' ? fallbackId : undefined,
      at: at as string,
      alsoSentBySms: ON_THE_AIR.includes(status as MessageStatus),
    };
    return { show: { event: 'status', value }, keys: [] };
  }

  async function readReply(envelope: Envelope): Promise<Decoded> {
    const { enc, ciphertext, receivedAt, inReplyTo } = parseJsonObject(envelope.body) ?? {};
    if (typeof enc !== 'string' || typeof ciphertext !== 'string' || typeof receivedAt !== 'string' || typeof inReplyTo !== 'string') {
      return { show: undecryptable(envelope, 'not a sealed reply'), keys: [] };
    }
    const binding = { deviceId: given.deviceId, inReplyTo, receivedAt };
    try {
      const { text, from } = await openReply({ privateKey: given.replyPrivateKey, enc, ciphertext, ...binding });
      // `enc` is drawn anew for each sealing, so it names the reply.
      return { show: { event: 'smsReply', value: { text, from, inReplyTo, receivedAt } }, keys: [`reply:${enc}`] };
    } catch {
      return { show: undecryptable(envelope, 'the reply was sealed to something else'), keys: [] };
    }
  }

  function decode(envelope: Envelope): Promise<Decoded> | Decoded {
    if (envelope.kind === 'message') return readMessage(envelope);
    if (envelope.kind === 'status') return readStatus(envelope);
    if (envelope.kind === 'sms-reply') return readReply(envelope);
    return { show: undecryptable(envelope, 'unknown kind'), keys: [] };
  }

  async function isRepeat(keys: readonly string[]): Promise<boolean> {
    for (const key of keys) if (await seen.has(key)) return true;
    return false;
  }

  return {
    async accept(envelope) {
      // The bytes are a key too: Olm would refuse a replay as if it were damaged, and the app would be told of a loss.
      const delivery = [`envelope:${envelope.envelopeId}`, ...(envelope.kind === 'message' ? [`body:${await digest(envelope.body)}`] : [])];
      const kept = unhandled.get(envelope.envelopeId);
      if (!kept && (await isRepeat(delivery))) return;
      const decoded = kept ?? (await decode(envelope));
      if (!(await isRepeat(decoded.keys))) {
        unhandled.set(envelope.envelopeId, decoded);
        await show(decoded.show);
      }
      await seen.add([...delivery, ...decoded.keys]);
      unhandled.delete(envelope.envelopeId);
    },
  };

  async function show(what: Show): Promise<void> {
    if (!what) return;
    if (what.event === 'message') {
      const { ref, clientMsgId } = what.value;
      const alsoSentBySms = ref !== undefined && collapse.noteMessage(ref, clientMsgId);
      await emitter.emit('message', { ...what.value, alsoSentBySms });
      return;
    }
    await emit(what);
  }

  function emit<K extends keyof MessagingEvents>({ event, value }: { event: K; value: MessagingEvents[K] }): Promise<void> {
    return emitter.emit(event, value);
  }
}

async function digest(text: string): Promise<string> {
  return toBase64Url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))));
}
