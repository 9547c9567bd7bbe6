import type { StreamState } from './stream.js';
import type { MessageStatus } from './wire.js';

export interface IncomingMessage {
  from: { accountId: string; deviceId: string };
  /** The sender's id of the message, from inside the encryption. */
  clientMsgId: string;
  ref: string | undefined;
  text: string;
  /** The sender's clock, RFC 3339. */
  sentAt: string;
  /** True when the SMS copy has already come: show one message, marked as "also sent as SMS, not encrypted". */
  alsoSentBySms: boolean;
}

export interface StatusChange {
  clientMsgId: string;
  messageId: string;
  status: MessageStatus;
  ref: string | undefined;
  fallbackId: string | undefined;
  at: string;
  alsoSentBySms: boolean;
}

export interface SmsReply {
  text: string;
  /** The number it came from. Show it as an SMS: the operators that carried it could read it. */
  from: string;
  /** clientMsgId of the message that it answers. */
  inReplyTo: string;
  receivedAt: string;
}

export interface MessagingEvents {
  message: IncomingMessage;
  status: StatusChange;
  smsReply: SmsReply;
  /** A second copy of a message that was already shown: mark that one and show nothing new. */
  collapsed: { ref: string; clientMsgId: string; alsoSentBySms: true };
  /** An envelope that could not be opened. It is acknowledged, because it would never open. */
  undecryptable: { envelopeId: string; from: { accountId: string; deviceId: string } | undefined; reason: string };
  state: { state: StreamState };
  /** Something in the background failed and will be tried again. */
  error: { error: unknown };
}

export type Handler<T> = (event: T) => void | Promise<void>;

export interface Emitter {
  on<K extends keyof MessagingEvents>(event: K, handler: Handler<MessagingEvents[K]>): () => void;
  /** Runs the handlers in the order they came and rejects with the first failure. */
  emit<K extends keyof MessagingEvents>(event: K, value: MessagingEvents[K]): Promise<void>;
  has(event: keyof MessagingEvents): boolean;
}

export function createEmitter(): Emitter {
  const handlers: { [K in keyof MessagingEvents]: Set<Handler<MessagingEvents[K]>> } = {
    message: new Set(),
    status: new Set(),
    smsReply: new Set(),
    collapsed: new Set(),
    undecryptable: new Set(),
    state: new Set(),
    error: new Set(),
  };
  return {
    on(event, handler) {
      handlers[event].add(handler);
      return () => void handlers[event].delete(handler);
    },
    async emit(event, value) {
      for (const handler of handlers[event]) await handler(value);
    },
    has: (event) => handlers[event].size > 0,
  };
}
