import { randomInt } from 'node:crypto';
import { StoryError } from '../demo/patience.js';
import type { Kind, Ledger } from './ledger.js';

import type { Partner, Reach } from './reach.js';
import type { Smsc } from './smsc.js';

/** What the workers of a load share. */
export interface Scene {
  readonly reach: Reach;
  readonly ledger: Ledger;
  readonly smsc: Smsc;
  /** A number in [0, bound), by the seed. */
  random(bound: number): number;
  /** Names the run in keys and ids; a search for it must find it. */
  readonly run: string;
  /** A word in every text that only handsets may have in the clear. */
  readonly secretWord: string;
  readonly planId: string;
  /** No new work is begun. */
  isOver(): boolean;
  /** A number for keys that was never given before. */
  next(): number;
  /** Puts the test clock forward and waits for the answer. */
  advance(seconds: number): Promise<void>;
}

const LOOK_MS = 100;
/** What has not come by then is not late: on a busy machine a gateway lives for seconds and starts for as many. */
const WITHIN_MS = 180_000;

/** Waits for what comes by itself. @throws StoryError saying what did not come. */
export async function comes<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const end = Date.now() + WITHIN_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new StoryError(`${what} did not come within ${WITHIN_MS / 1_000} s`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

export const once = (scene: Scene, what: string) => ({ 'Idempotency-Key': `${scene.run}-${what}` });

/** One in so many requests is made twice at the same time. */
const IMPATIENT = 8;

/**
 * Asks for something that may be asked for again, and now and then twice at the same instant, at two nodes where there
 * are: both must get the same answer.
 */
export async function insist<T>(
  scene: Scene,
  kind: Kind,
  act: (partner: Partner) => Promise<T>,
  answerOf: (answer: T) => string,
): Promise<T> {
  const { ledger, reach, random } = scene;
  const times = random(IMPATIENT) === 0 ? [reach.partner, reach.otherDoor] : [reach.partner];
  const [first, second = first] = await Promise.all(times.map((partner) => ledger.ask(kind, () => act(partner))));
  if (first === undefined || second === undefined) throw new Error('there is an answer');
  if (answerOf(first) !== answerOf(second))
    ledger.fault({ kind: 'doubled', what: `asked for twice at once: ${answerOf(first)} and ${answerOf(second)}` });
  return first;
}

/** Base64url of some length, as a ciphertext looks. */
export const someCiphertext = (): string => Array.from({ length: 60 + randomInt(400) }, () => BASE64URL.charAt(randomInt(64))).join('');
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
