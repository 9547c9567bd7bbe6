import { patiently } from '../demo/patience.js';
import type { Phone } from './phone.js';
import type { Reach } from './reach.js';

/** What is not as it was answered: missing, there twice, or where nobody may read it. */
export interface Finding {
  readonly kind: 'lost' | 'doubled' | 'leaked';
  /** What, in words, with the ids to look it up by. */
  readonly what: string;
}

export type Kind = 'orders' | 'messages' | 'fallbacks' | 'replies' | 'other';

/** An envelope acknowledged on a stream, a webhook answered with 204, an SMS that the SMSC is about to answer. */
export type Moment = 'an envelope' | 'a webhook' | 'an SMS';

/** An order that was answered with 201. */
export interface AnsweredOrder {
  readonly orderId: string;
  readonly externalId: string;
  /** Its tasks whose confirmation or rejection was answered. */
  readonly decided: Map<string, 'confirmed' | 'rejected'>;
  /** All its tasks, once they were seen. */
  tasks: readonly string[];
}

/** A message whose send was answered. */
export interface AnsweredMessage {
  readonly messageId: string;
  readonly clientMsgId: string;
  readonly from: Phone;
  readonly to: Phone;
  readonly body: string;
}

/** A fallback that was armed with an answered message. */
export interface AnsweredFallback {
  readonly fallbackId: string;
  readonly class: 'chat' | 'urgent' | 'otp';
  readonly msisdn: string;
  /** What the SMS says; no other SMS says it. */
  readonly text: string;
}

/** An answer by SMS that the gateway took with `deliver_sm_resp` 0. */
export interface AnsweredReply {
  readonly text: string;
  readonly to: Phone;
}

/** A request that may be sent again, and the answer that it then has to get. */
export interface Repeatable {
  readonly what: string;
  readonly answer: string;
  again(reach: Reach): Promise<string>;
}

/** What clients were told while gateways died: what must therefore be there, once. */
export interface Ledger {
  readonly orders: AnsweredOrder[];
  readonly messages: AnsweredMessage[];
  readonly fallbacks: AnsweredFallback[];
  readonly replies: AnsweredReply[];
  readonly phones: Phone[];
  /** By which the answered moves have put the test clock forward. */
  advancedSeconds: number;
  /** The latest of what may be sent again, a bounded sample of all. */
  readonly repeatables: readonly Repeatable[];
  /** Faults that were seen at once. */
  readonly faults: readonly Finding[];
  answered(): number;
  /** What is on its way now. */
  inFlight(): Readonly<Record<Kind, number>>;
  /** Asks until there is an answer, as a good client does; each answer counts. @throws what the gateway refused it with. */
  ask<T>(kind: Kind, act: () => Promise<T>): Promise<T>;
  /** Something was answered that nobody asked for with `ask`. */
  came(moment: Moment): void;
  /** Resolves in the very moment when the next such thing is answered. */
  next(moment: Moment): Promise<void>;
  mayRepeat(repeatable: Repeatable): void;
  fault(finding: Finding): void;
}

/** How long a client goes on asking: longer than many gateways in a row live. */
const PATIENCE_MS = 180_000;
const TOO_MANY_MS = 1_000;

/** @param repeatablesMax how many requests are kept to be sent again. */
export function createLedger({ repeatablesMax }: { repeatablesMax: number }): Ledger {
  const inFlight: Record<Kind, number> = { orders: 0, messages: 0, fallbacks: 0, replies: 0, other: 0 };
  const repeatables: Repeatable[] = [];
  const faults: Finding[] = [];
  const waiting = new Map<Moment, (() => void)[]>();
  let answers = 0;
  let offered = 0;

  async function ask<T>(kind: Kind, act: () => Promise<T>): Promise<T> {
    inFlight[kind]++;
    try {
      for (;;) {
        try {
          const answer = await patiently(act, PATIENCE_MS);
          answers++;
          return answer;
        } catch (failure) {
          if ((failure as { status?: number }).status !== 429) throw failure;
          await new Promise((resolve) => setTimeout(resolve, TOO_MANY_MS));
        }
      }
    } finally {
      inFlight[kind]--;
    }
  }

  return {
    orders: [],
    messages: [],
    fallbacks: [],
    replies: [],
    phones: [],
    advancedSeconds: 0,
    repeatables,
    faults,
    answered: () => answers,
    inFlight: () => ({ ...inFlight }),
    ask,
    came(moment) {
      answers++;
      const waiters = waiting.get(moment) ?? [];
      waiting.delete(moment);
      for (const resolve of waiters) resolve();
    },
    next: (moment) => new Promise((resolve) => waiting.set(moment, [...(waiting.get(moment) ?? []), resolve])),
    mayRepeat(repeatable) {
      // The place goes round, so that the sample is of all kinds and of the latest.
      repeatables[offered++ % repeatablesMax] = repeatable;
    },
    fault(finding) {
      faults.push(finding);
    },
  };
}

/** What a gateway refused something with, in words. */
export function refusalOf(failure: unknown): string {
  const { message, body } = failure as { message?: string; body?: { code?: string; detail?: string } };
  return [message, body?.code, body?.detail].filter(Boolean).join(' – ');
}
