import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../kernel/clock.js';
import { assert } from '../kernel/errors.js';
import type { Store } from '../store/index.js';
import type { PublicJwk } from './key-set.js';
import { allowedScopes, PLATFORM_PARTNER_ID } from './scopes.js';

export type Environment = 'sandbox' | 'production';

/** A client as identity needs it: who it is for, how it proves itself, and what it may do. */
export interface OAuthClient {
  id: string;
  partnerId: string;
  environment: Environment;
  /** As partner.yaml names them; aliases are allowed. */
  scopes: readonly string[];
  /** Undefined = all markets of the partner. */
  markets?: readonly string[];
  /** Public keys for private_key_jwt (RFC 7517). */
  keys?: readonly PublicJwk[];
  /** Where it publishes them itself. */
  keysUri?: string;
  /** `hashSecret` of the client's secret; only looked at where the environment is `sandbox`. */
  secretHash?: string;
}

/** Where clients of partner.yaml are found. It never gives a client of the partner `platform`. */
export interface ClientDirectory {
  find(clientId: string): OAuthClient | undefined;
  /** The environment of a partner, for the clients that the sandbox makes. */
  environmentOf(partnerId: string): Environment | undefined;
}

export interface SandboxClientRequest {
  clientId: string;
  partnerId: string;
  scopes: readonly string[];
  /** At least 32 characters of `[A-Za-z0-9_-]`; only its hash is kept here. */
  secret: string;
}

export interface Clients {
  find(clientId: string): Promise<OAuthClient | undefined>;
  /** Makes the client, or gives it this secret and these scopes. The caller has kept the secret where it belongs. */
  ensureSandboxClient(request: SandboxClientRequest): Promise<void>;
}

/** Secrets are 32 random bytes, so that one round of SHA-256 is enough: there is nothing to guess. */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('base64url');

export function secretMatches(secret: string, hash: string): boolean {
  const given = Buffer.from(hashSecret(secret));
  const known = Buffer.from(hash);
  return given.length === known.length && timingSafeEqual(given, known);
}

export interface ClientsOptions {
  store: Store['control'];
  clock: Clock;
  directory: ClientDirectory;
  /** The messaging company's own clients; their `partnerId` is `platform`. */
  platformClients: readonly OAuthClient[];
}

export function createClients({ store, clock, directory, platformClients }: ClientsOptions): Clients {
  const platform = new Map(platformClients.map((client) => [client.id, { ...client, partnerId: PLATFORM_PARTNER_ID }]));
  return {
    async find(clientId) {
      const ours = platform.get(clientId);
      if (ours) return ours;
      const listed = directory.find(clientId);
      if (listed?.partnerId === PLATFORM_PARTNER_ID) return undefined;
      if (listed && (listed.keys ?? listed.keysUri ?? listed.secretHash) !== undefined) return listed;
      const row = await store.read.sandboxClient.findUnique({ where: { clientId } });
      if (!row || directory.environmentOf(row.partnerId) !== 'sandbox') return listed;
      const { partnerId, secretHash } = row;
      // Listed without keys: the sandbox made the secret, and the file says the rest.
      if (listed) return listed.partnerId === partnerId ? { ...listed, secretHash } : listed;
      return { id: clientId, partnerId, environment: 'sandbox', scopes: row.scopes.split(' ').filter(Boolean), secretHash };
    },
    async ensureSandboxClient({ clientId, partnerId, scopes, secret }) {
      assert(partnerId !== PLATFORM_PARTNER_ID, 'the sandbox makes no platform client');
      assert(directory.environmentOf(partnerId) === 'sandbox', 'only a sandbox partner gets a client made');
      const row = { partnerId, secretHash: hashSecret(secret), scopes: [...allowedScopes(partnerId, scopes)].join(' ') };
      await store.transact((tx) =>
        tx.sandboxClient.upsert({ where: { clientId }, create: { clientId, ...row, createdAt: new Date(clock.now()) }, update: row }),
      );
    },
  };
}
