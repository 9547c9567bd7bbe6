import jwt from 'jsonwebtoken';
import type { Clock } from '../kernel/clock.js';
import type { Closable } from '../kernel/closing-stack.js';
import { GatewayError } from '../kernel/errors.js';
import type { KeyWrap } from '../kernel/key-wrap.js';
import type { Log } from '../kernel/log.js';
import { runPeriodically } from '../kernel/periodic.js';
import type { Store } from '../store/index.js';
import { ASSERTION_ALGORITHMS } from './client-assertion.js';
import { authenticateClient, type ClientProof } from './client-authentication.js';
import { type ClientDirectory, createClients, type Environment, type OAuthClient, type SandboxClientRequest } from './clients.js';
import { createRemoteKeys, type FetchText } from './remote-keys.js';
import { allowedScopes, PARTNER_SCOPES } from './scopes.js';
import { openSigningKeys } from './signing-keys.js';
import { TokenError } from './token-error.js';
import { createTokens } from './tokens.js';

export { type ClientDirectory, type Environment, hashSecret, type OAuthClient, type SandboxClientRequest } from './clients.js';
export { type KeySetProblem, type PublicJwk, parseKeySet } from './key-set.js';
export {
  addMasterKey,
  createKeyRing,
  createKeyWrap,
  dropOlderMasterKeys,
  masterKeyFile,
  openMasterKey,
  readMasterKey,
} from './master-key.js';
export { partnerClients } from './partner-clients.js';
export type { FetchText } from './remote-keys.js';
export { isPartnerScope, PARTNER_SCOPES, PLATFORM_PARTNER_ID, PLATFORM_SCOPES, SCOPE_RESOURCES } from './scopes.js';
export { rewrapSigningKeys, signingKeyPurpose } from './signing-keys.js';
export { TokenError } from './token-error.js';

/** Whom an access token speaks for; the edge's `Caller`. */
export interface Principal {
  partnerId: string;
  clientId: string;
  scopes: ReadonlySet<string>;
  markets: readonly string[] | undefined;
}

export interface DevicePrincipal {
  accountId: string;
  deviceId: string;
}

export interface DeviceTokens {
  issue(who: DevicePrincipal): Promise<{ accessToken: string; expiresInSeconds: number }>;
  /** @throws GatewayError `UNAUTHENTICATED` */
  verify(token: string): Promise<DevicePrincipal>;
}

export interface TokenAnswer {
  access_token: string;
  token_type: 'Bearer';
  expires_in: number;
  scope: string;
}

export interface Identity extends Closable {
  /** Proves a token request's client. @throws TokenError */
  authenticate(proof: ClientProof): Promise<OAuthClient>;
  /** An access token for a proven client; no `scope` means all that it has. @throws TokenError `invalid_scope` */
  grant(client: OAuthClient, scope: string | undefined): TokenAnswer;
  /** @throws GatewayError `UNAUTHENTICATED` when the token is not valid or its client is gone. */
  callerOf(token: string): Promise<Principal>;
  readonly deviceTokens: DeviceTokens;
  jwks(): { keys: object[] };
  metadata(): Record<string, unknown>;
  ensureSandboxClient(request: SandboxClientRequest): Promise<void>;
  /** A compact JWS (RFC 7515) over the payload as JSON, by the key that signs now; partners verify it with our JWKS. */
  sign(payload: Readonly<Record<string, unknown>>): Promise<string>;
  rotateSigningKey(): Promise<void>;
  /** Rotates and deletes what has expired. It also does so by itself, every minute. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

export interface IdentityOptions {
  store: Store['control'];
  keyWrap: KeyWrap;
  clock: Clock;
  log: Log;
  environment: Environment;
  /** CAUSEWAY_PUBLIC_URL without a trailing slash: the issuer. A function, since an ephemeral port is known late. */
  publicUrl: () => string;
  directory: ClientDirectory;
  platformClients?: readonly OAuthClient[];
  /** Further public keys that our JWKS shows, those of webhooks' scheme v1a say. */
  otherKeys?: () => readonly object[];
  /** Reads what clients publish at their `jwks_uri`; without it they cannot prove themselves. */
  fetchText?: FetchText;
}

const SWEEP_MS = 60_000;

export async function createIdentity(options: IdentityOptions): Promise<Identity> {
  const { store, keyWrap, clock, log, environment, publicUrl, directory, otherKeys } = options;
  const clients = createClients({ store, clock, directory, platformClients: options.platformClients ?? [] });
  const fetchText = options.fetchText ?? (() => Promise.reject(new Error('nothing is fetched here')));
  const remoteKeys = createRemoteKeys({ fetchText, clock, log });
  const keys = await openSigningKeys({ store, keyWrap, clock });
  const tokenEndpoint = () => `${publicUrl()}/oauth2/token`;
  const messagingAudience = () => `${publicUrl()}/messaging`;

  const access = createTokens<Principal>({
    keys,
    clock,
    issuer: publicUrl,
    audience: publicUrl,
    async read(payload) {
      const { client_id: clientId, partner_id: partnerId, scope, markets, env } = payload as Record<string, unknown>;
      if (typeof clientId !== 'string' || typeof partnerId !== 'string' || typeof scope !== 'string' || env !== environment)
        return undefined;
      // A client that was taken out, or lost a scope, while the service was down.
      const client = await clients.find(clientId);
      if (client?.partnerId !== partnerId || client.environment !== environment) return undefined;
      const allowed = allowedScopes(partnerId, client.scopes);
      const scopes = new Set(scope.split(' ').filter((one) => allowed.has(one)));
      return { clientId, partnerId, scopes, markets: Array.isArray(markets) ? markets.map(String) : undefined };
    },
  });
  const device = createTokens<DevicePrincipal>({
    keys,
    clock,
    issuer: publicUrl,
    audience: messagingAudience,
    async read({ sub, account_id: accountId }) {
      return sub !== undefined && typeof accountId === 'string' ? { accountId, deviceId: sub } : undefined;
    },
  });

  async function sweep(): Promise<void> {
    await keys.sweep();
    const expired = { expiresAt: { lte: new Date(clock.now()) } };
    if (await store.read.usedAssertion.findFirst({ where: expired, select: { clientId: true } })) {
      await store.transact((tx) => tx.usedAssertion.deleteMany({ where: expired }));
    }
  }

  const sweeps = runPeriodically({ name: 'identity', everyMs: SWEEP_MS, clock, log }, sweep);

  return {
    authenticate: (proof) =>
      authenticateClient(proof, { clients, store, clock, remoteKeys, audiences: () => [publicUrl(), tokenEndpoint()] }),
    grant(client, scope) {
      if (client.environment !== environment) throw new TokenError('unauthorized_client', `The client is not one of the ${environment}.`);
      const allowed = allowedScopes(client.partnerId, client.scopes);
      const asked = scope === undefined ? allowed : allowedScopes(client.partnerId, scope.split(' ').filter(Boolean));
      const named = scope?.split(' ').filter(Boolean) ?? [];
      const refused = named.filter((one) => {
        const meant = allowedScopes(client.partnerId, [one]);
        return meant.size === 0 || [...meant].some((each) => !allowed.has(each));
      });
      if (refused.length > 0) throw new TokenError('invalid_scope', `The client does not have the scope ${refused[0]?.slice(0, 60)}.`);
      const granted = [...(named.length === 0 ? allowed : asked)].join(' ');
      const claims = {
        scope: granted,
        client_id: client.id,
        partner_id: client.partnerId,
        env: environment,
        ...(client.markets === undefined ? {} : { markets: client.markets }),
      };
      const { accessToken, expiresInSeconds } = access.issue({ audience: publicUrl(), subject: client.id, claims });
      return { access_token: accessToken, token_type: 'Bearer', expires_in: expiresInSeconds, scope: granted };
    },
    callerOf: (token) => access.verify(token),
    deviceTokens: {
      async issue({ accountId, deviceId }) {
        return device.issue({ audience: messagingAudience(), subject: deviceId, claims: { account_id: accountId, env: environment } });
      },
      verify: (token) => device.verify(token),
    },
    jwks: () => ({
      keys: [...keys.published().map(({ kid, publicJwk }) => ({ ...publicJwk, kid, use: 'sig', alg: 'ES256' })), ...(otherKeys?.() ?? [])],
    }),
    metadata: () => ({
      issuer: publicUrl(),
      token_endpoint: tokenEndpoint(),
      jwks_uri: `${publicUrl()}/.well-known/jwks.json`,
      scopes_supported: [...PARTNER_SCOPES],
      response_types_supported: [],
      grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: environment === 'sandbox' ? ['private_key_jwt', 'client_secret_basic'] : ['private_key_jwt'],
      token_endpoint_auth_signing_alg_values_supported: [...ASSERTION_ALGORITHMS],
      service_documentation: `${publicUrl()}/docs`,
    }),
    ensureSandboxClient(request) {
      if (environment !== 'sandbox') throw new GatewayError('SANDBOX.ONLY', { detail: 'Only the sandbox makes clients.' });
      return clients.ensureSandboxClient(request);
    },
    async sign(payload) {
      const key = keys.active();
      return jwt.sign({ ...payload }, key.privateKey, { algorithm: 'ES256', keyid: key.kid, noTimestamp: true });
    },
    rotateSigningKey: () => keys.rotate(),
    sweep: () => sweeps.finished(),
    close: () => sweeps.close(),
  };
}
