import type { Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import { type PublicJwk, parseKeySet } from './key-set.js';

/** Reads a document that a partner publishes; it rejects when that is longer or slower than the bounds. */
export type FetchText = (url: string, bounds: { bytesMax: number; timeoutMs: number }) => Promise<string>;

export interface RemoteKeys {
  /**
   * The keys that a client publishes at its `jwks_uri`. They are kept for ten minutes, and longer while they cannot be read
   * again; a `kid` that is not among them has them read again, at most every 30 seconds, since anybody may make one up.
   *
   * @returns none while they could not be read at all, or not for a day: a key that was taken out must come to an end.
   */
  of(uri: string, kid: string | undefined): Promise<readonly PublicJwk[]>;
}

const FRESH_MS = 600_000;
const STALE_MS = 86_400_000;
const AGAIN_MS = 30_000;
/** Twenty RSA keys with their certificates take less. */
const BOUNDS = { bytesMax: 65_536, timeoutMs: 5_000 };

interface Kept {
  keys: readonly PublicJwk[];
  /** On the monotonic clock, as `triedAt`. */
  readAt: number;
}

export function createRemoteKeys({ fetchText, clock, log }: { fetchText: FetchText; clock: Clock; log: Log }): RemoteKeys {
  const kept = new Map<string, Kept>();
  const triedAt = new Map<string, number>();
  const underWay = new Map<string, Promise<void>>();

  async function read(uri: string): Promise<void> {
    triedAt.set(uri, clock.monotonicMs());
    try {
      const set = parseKeySet(await fetchText(uri, BOUNDS));
      if ('problem' in set) throw new Error(`what is there is not usable: ${set.problem}`);
      kept.set(uri, { keys: set.keys, readAt: clock.monotonicMs() });
    } catch (failure) {
      log.warn({ uri, reason: failure instanceof Error ? failure.message : typeof failure }, "a client's keys could not be read");
    }
  }

  const ageOf = (at: number | undefined): number => (at === undefined ? Number.POSITIVE_INFINITY : clock.monotonicMs() - at);

  return {
    async of(uri, kid) {
      const known = kept.get(uri);
      const isKnown = known !== undefined && (kid === undefined || known.keys.some((key) => key.kid === kid));
      const isWanted = !isKnown || ageOf(known.readAt) >= FRESH_MS;
      if (isWanted && ageOf(triedAt.get(uri)) >= AGAIN_MS) {
        const reading = read(uri).finally(() => underWay.delete(uri));
        underWay.set(uri, reading);
      }
      await underWay.get(uri);
      const now = kept.get(uri);
      return now !== undefined && ageOf(now.readAt) < STALE_MS ? now.keys : [];
    },
  };
}
