import { invalidField } from '../kernel/errors.js';
import { dialable } from './magic-numbers.js';
import type { ReceivedMessage, SandboxSmsc } from './smsc/index.js';

/** A simulated phone: what the operator's SMSC delivered to one number, and a way to answer. It keeps nothing of its own. */
export interface Handset {
  readonly msisdn: string;
  /** What arrived and is still kept by the SMSC, oldest first, parts joined. */
  inbox(): ReceivedMessage[];
  /** @returns the function that stops it. */
  onMessage(listener: (message: ReceivedMessage) => void): () => void;
  /** Resolves as `SandboxSmsc.sendMo` does, and fails as it does. */
  send(message: { to: string; text: string }): Promise<void>;
  /** Answers the sender of the newest message. @throws GatewayError `INVALID_ARGUMENT` when there is none. */
  reply(text: string): Promise<void>;
}

/** How many of the SMSC's messages are searched for one inbox: all that it keeps. */
const SEARCHED_MAX = 10_000;

/**
 * The phone with this number, behind this SMSC. Opening the same number twice gives the same inbox.
 *
 * @param msisdn a number of the sandbox, `+` and digits.
 * @throws GatewayError `INVALID_ARGUMENT` for a number that could belong to a person.
 */
export function createHandset({ smsc, msisdn }: { smsc: SandboxSmsc; msisdn: string }): Handset {
  if (!msisdn.startsWith('+') || !dialable(msisdn)) throw invalidField('/msisdn', 'must be a number of the sandbox');
  const inbox = () => smsc.received({ limit: SEARCHED_MAX }).filter((message) => message.to === msisdn);
  const send = (message: { to: string; text: string; systemId?: string }) => smsc.sendMo({ from: msisdn, ...message });
  return {
    msisdn,
    inbox,
    onMessage: (listener) => smsc.onReceived((message) => message.to === msisdn && listener(message)),
    send,
    async reply(text) {
      const newest = inbox().at(-1);
      if (!newest) throw invalidField('/text', 'there is no message to answer');
      await send({ to: newest.from, text, systemId: newest.partnerSystemId });
    },
  };
}
