import type { Clock } from '../../kernel/clock.js';
import { GatewayError } from '../../kernel/errors.js';
import type { OnceKey, SmsQueue } from '../outbound/queue.js';
import type { AskedSms, Decided } from './asked.js';
import type { Decide } from './decide.js';

/** What became of one of the messages that were asked for together. */
export type SendResult = { decided: Decided } | { refused: GatewayError };

export type SendOutcome =
  /** All that were not refused are durable. */
  | { outcome: 'stored'; results: SendResult[] }
  /** The key came before: what the first call was answered. */
  | { outcome: 'repeated'; answer: string };

export interface Sends {
  /**
   * Decides each message and stores those that may go, with their key, in one commit. One that is refused keeps no other from
   * going; when all are, nothing is stored, the key neither.
   *
   * @param once makes the call happen once; `answer` writes what a repeat is answered.
   * @throws GatewayError `IDEMPOTENCY.KEY_REUSED`, `UNAVAILABLE`.
   */
  send(asked: readonly AskedSms[], once?: SendOnce): Promise<SendOutcome>;
}

export interface SendOnce extends Omit<OnceKey, 'answer'> {
  answer(results: readonly SendResult[]): string;
}

export interface SendsOptions {
  decide: Decide;
  queue: SmsQueue['queue'];
  /** The first answer under a key, if there is one. */
  answered(key: Omit<OnceKey, 'answer'>): Promise<{ fingerprint: string; answer: string } | undefined>;
  /** These are durable and go to the app first. */
  onInApp(decided: readonly Decided[]): void;
}

export function createSends({ decide, queue, answered, onInApp }: SendsOptions): Sends {
  async function decideOne(asked: AskedSms): Promise<SendResult> {
    try {
      return { decided: await decide(asked) };
    } catch (failure) {
      if (failure instanceof GatewayError && failure.status < 500) return { refused: failure };
      throw failure;
    }
  }

  return {
    async send(asked, once) {
      const outcomes = await Promise.allSettled(asked.map(decideOne));
      const results = outcomes.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      const decided = results.flatMap((each) => ('decided' in each ? [each.decided] : []));
      const settle = (isStored: boolean) => {
        for (const each of decided) each.settle(isStored);
      };
      const failed = outcomes.find((each) => each.status === 'rejected');
      if (failed) {
        settle(false);
        throw failed.reason;
      }
      const [first, ...more] = decided.map(({ sms }) => sms);
      if (!first) {
        // What is refused now may have been taken the first time, and a repeat gets that answer.
        const earlier = once && (await answered(once));
        if (!earlier) return { outcome: 'stored', results };
        if (earlier.fingerprint !== once.fingerprint) throw keyReused();
        return { outcome: 'repeated', answer: earlier.answer };
      }
      let isStored = false;
      try {
        const stored = await queue([first, ...more], once && { ...onceKey(once), answer: once.answer(results) });
        if (stored.outcome === 'key-reused') throw keyReused();
        if (stored.outcome === 'repeated') return { outcome: 'repeated', answer: stored.answer };
        isStored = true;
      } finally {
        settle(isStored);
      }
      const inApp = decided.filter((each) => each.inApp !== undefined);
      if (inApp.length > 0) onInApp(inApp);
      return { outcome: 'stored', results };
    },
  };
}

const onceKey = ({ partnerId, scope, key, fingerprint }: SendOnce): Omit<OnceKey, 'answer'> => ({ partnerId, scope, key, fingerprint });

/** Of the clock only what the ids need. */
export type IdClock = Pick<Clock, 'now'>;

const keyReused = (): GatewayError =>
  new GatewayError('IDEMPOTENCY.KEY_REUSED', {
    detail: 'This Idempotency-Key came with another body before.',
    hint: 'Take a new key for a new request.',
    errors: [{ pointer: '/header/Idempotency-Key', code: 'reused', message: 'was used with another body' }],
  });
