import { hash, verify } from '@node-rs/argon2';
import { GatewayError } from '../kernel/errors.js';

/** RFC 9106 §4 and OWASP's least: argon2id (the package's default), 19 MiB, two passes, one lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** A check takes 19 MiB and some 30 ms of a core: so many may wait. */
const WAITING_MAX = 32;

export interface Passwords {
  hash(password: string): Promise<string>;
  /**
   * @param passwordHash undefined when there is no such account: the same work is done then, and the answer is false.
   * @throws GatewayError `UNAVAILABLE` when too many wait.
   */
  matches(passwordHash: string | undefined, password: string): Promise<boolean>;
}

export function createPasswords(): Passwords {
  let decoy: Promise<string> | undefined;
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();

  /** One after the other, so that guesses take one core at the most. */
  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (waiting >= WAITING_MAX) {
      throw new GatewayError('UNAVAILABLE', { detail: 'Too many people sign in at this moment.', headers: { 'Retry-After': '2' } });
    }
    waiting += 1;
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      waiting -= 1;
    }
  }

  return {
    hash: (password) => hash(password, COST),
    async matches(passwordHash, password) {
      decoy ??= hash('nobody has this password', COST);
      const against = passwordHash ?? (await decoy);
      const isRight = await inTurn(() => verify(against, password));
      return isRight && passwordHash !== undefined;
    },
  };
}
