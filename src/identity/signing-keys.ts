import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { Clock, Instant } from '../kernel/clock.js';
import { assert } from '../kernel/errors.js';
import type { KeyRing, KeyWrap } from '../kernel/key-wrap.js';
import type { Store } from '../store/index.js';

/** A token lives this long at most; a key stays published that much longer than it signs. */
export const TOKEN_SECONDS = 900;
/** How long a new key is published before it signs: longer than anybody caches our JWKS. */
export const PUBLISH_LEAD_MS = 600_000;
const ROTATE_AFTER_MS = 30 * 86_400_000;
/** Other nodes' clocks and tokens on their way. */
const OVERLAP_MS = TOKEN_SECONDS * 1_000 + 60_000;
const RELOAD_MS_MIN = 1_000;

export interface SigningKey {
  kid: string;
  publicKey: KeyObject;
  privateKey: KeyObject;
  publicJwk: JsonWebKey;
  activeFrom: Instant;
}

export interface SigningKeys {
  /** The key that signs now. */
  active(): SigningKey;
  /** The key of that id when it is published; asks the database once when another node may have made it. */
  find(kid: string): Promise<SigningKey | undefined>;
  /** What `/.well-known/jwks.json` shows: pending, active and retiring keys. */
  published(): readonly SigningKey[];
  /** Makes the next key. It is published now and signs in ten minutes. */
  rotate(): Promise<void>;
  /** Makes the next key when the newest is a month old, learns other nodes' keys, and deletes what has retired. */
  sweep(): Promise<void>;
}

export interface SigningKeysOptions {
  store: Store['control'];
  keyWrap: KeyWrap;
  clock: Clock;
}

export const signingKeyPurpose = (kid: string): string => `signing-key:${kid}`;

/** ES256 keys that rotate with overlap. Makes the first one when there is none. */
export async function openSigningKeys({ store, keyWrap, clock }: SigningKeysOptions): Promise<SigningKeys> {
  let keys: SigningKey[] = [];
  let loadedAt = Number.NEGATIVE_INFINITY;

  async function load(): Promise<void> {
    const rows = await store.read.signingKey.findMany({ orderBy: { activeFrom: 'asc' } });
    const known = new Map(keys.map((key) => [key.kid, key]));
    keys = rows.map((row) => {
      const privateKey = () =>
        createPrivateKey({ key: Buffer.from(keyWrap.unwrap(row.wrappedKey, signingKeyPurpose(row.kid))), format: 'der', type: 'pkcs8' });
      const publicJwk = JSON.parse(row.publicJwk) as JsonWebKey;
      const fresh = (): SigningKey => ({
        kid: row.kid,
        publicJwk,
        publicKey: createPublicKey({ key: publicJwk, format: 'jwk' }),
        privateKey: privateKey(),
        activeFrom: row.activeFrom.getTime(),
      });
      return known.get(row.kid) ?? fresh();
    });
    loadedAt = clock.monotonicMs();
  }

  async function make(activeFrom: Instant): Promise<void> {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const publicJwk = publicKey.export({ format: 'jwk' });
    const kid = thumbprint(publicJwk);
    const wrappedKey = keyWrap.wrap(privateKey.export({ format: 'der', type: 'pkcs8' }), signingKeyPurpose(kid));
    const now = clock.now();
    await store.transact(async (tx) => {
      // Another node may have come first: one new key is enough.
      const newest = await tx.signingKey.findFirst({ orderBy: { activeFrom: 'desc' } });
      if (newest && newest.activeFrom.getTime() > now) return;
      if (newest && activeFrom <= now) return;
      const row = { kid, publicJwk: JSON.stringify(publicJwk), wrappedKey, createdAt: new Date(now), activeFrom: new Date(activeFrom) };
      await tx.signingKey.create({ data: row });
    });
    await load();
  }

  /** Until when a key is published: past its last token. Undefined while no successor is known. */
  const retiredAt = (index: number): Instant | undefined => {
    const successor = keys[index + 1];
    return successor && successor.activeFrom + OVERLAP_MS;
  };
  const published = (): SigningKey[] => keys.filter((_, index) => (retiredAt(index) ?? Number.POSITIVE_INFINITY) > clock.now());
  const rotate = (): Promise<void> => make(clock.now() + PUBLISH_LEAD_MS);

  await load();
  if (keys.length === 0) await make(clock.now());

  return {
    active() {
      const now = clock.now();
      const key = keys.findLast(({ activeFrom }) => activeFrom <= now) ?? keys[0];
      assert(key, 'there is a signing key');
      return key;
    },
    async find(kid) {
      const known = published().find((key) => key.kid === kid);
      if (known || clock.monotonicMs() - loadedAt < RELOAD_MS_MIN) return known;
      await load();
      return published().find((key) => key.kid === kid);
    },
    published,
    rotate,
    async sweep() {
      await load();
      const live = new Set(published().map(({ kid }) => kid));
      const gone = keys.filter(({ kid }) => !live.has(kid)).map(({ kid }) => kid);
      if (gone.length > 0) {
        await store.transact((tx) => tx.signingKey.deleteMany({ where: { kid: { in: gone } } }));
        await load();
      }
      const newest = keys.at(-1);
      if (newest && newest.activeFrom + ROTATE_AFTER_MS <= clock.now()) await rotate();
    },
  };
}

/** RFC 7638: the members that make an EC key, in order, hashed. */
function thumbprint({ crv, kty, x, y }: JsonWebKey): string {
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
}

/** Wraps the private keys under the ring's current key. @returns how many there were to do. */
export async function rewrapSigningKeys({ read, transact }: Store['control'], ring: KeyRing): Promise<number> {
  const rows = await read.signingKey.findMany({ where: { NOT: { wrappedKey: { startsWith: ring.prefix() } } } });
  for (const { kid, wrappedKey } of rows) {
    const again = ring.rewrap(wrappedKey, signingKeyPurpose(kid));
    if (again !== undefined) await transact((tx) => tx.signingKey.updateMany({ where: { kid, wrappedKey }, data: { wrappedKey: again } }));
  }
  return rows.length;
}
