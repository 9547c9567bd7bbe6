import { randomInt } from 'node:crypto';
import { StoryError } from '../demo/patience.js';
import type { Ledger } from './ledger.js';
import type { Random } from './random.js';
import type { Reach } from './reach.js';
import type { Smsc } from './smsc.js';

/** What the workers of a load share. */
export interface Scene {
  readonly reach: Reach;
  readonly ledger: Ledger;
  readonly smsc: Smsc;
  readonly random: Random;
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

/** Base64url of some length, as a ciphertext looks. */
export const someCiphertext = (): string => Array.from({ length: 60 + randomInt(400) }, () => BASE64URL.charAt(randomInt(64))).join('');
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
