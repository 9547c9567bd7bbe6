import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildGateway, type Gateway } from '../../src/build.js';
import { readConfig } from '../../src/config/index.js';
import { type Contract, loadContract } from '../../src/http/contract.js';
import { createHttp, createIdentityRoutes, createRateLimiter, type Http, type HttpOptions, type RateLimits } from '../../src/http/index.js';
import {
  createIdentity,
  createKeyWrap,
  type FetchText,
  hashSecret,
  type Identity,
  type OAuthClient,
  PARTNER_SCOPES,
} from '../../src/identity/index.js';
import { type Clock, systemClock } from '../../src/kernel/clock.js';
import { ClosingStack } from '../../src/kernel/closing-stack.js';
import { createLog } from '../../src/kernel/log.js';
import type { Store } from '../../src/store/index.js';
import { type ApiClient, createApiClient, type Json } from './api-client.js';
import { createTestDatabase, testDatabaseUrl } from './database.js';
import { openTestStore } from './store.js';

export const CONTRACT_PATH = fileURLToPath(new URL('../../openapi.yaml', import.meta.url));

/** Limits that no test meets by accident. */
export const WIDE_LIMITS: RateLimits = { readPerSecond: 100_000, writePerSecond: 100_000, tokenPerMinute: 100_000 };

/** A client of a sandbox partner whose secret is `sandbox-secret`. */
export const aClient = (given: Partial<OAuthClient> = {}): OAuthClient => ({
  id: 'e-plus-backoffice',
  partnerId: 'e-plus',
  environment: 'sandbox',
  scopes: PARTNER_SCOPES,
  secretHash: hashSecret('sandbox-secret'),
  ...given,
});

export interface TestEdgeOptions {
  /** An OpenAPI text of the test's own instead of openapi.yaml. */
  contract?: string;
  routes?: Partial<HttpOptions['routes']>;
  clients?: readonly OAuthClient[];
  platformClients?: readonly OAuthClient[];
  clock?: Clock;
  store?: Store;
  rateLimits?: RateLimits;
  http?: Partial<HttpOptions>;
  /** How keys are read that clients publish. */
  fetchText?: FetchText;
}

export interface TestEdge {
  url: string;
  http: Http;
  identity: Identity;
  store: Store;
  api: ApiClient;
  /** A token of the client with that id, by its scopes or by those named. */
  token(clientId?: string, scope?: string): Promise<string>;
  /** The client of the contract with that token on every call. */
  as(clientId?: string, scope?: string): Promise<ApiClient>;
  /** The example of an answer in the contract. */
  example(operationId: string, status: number): Json;
  /** Every line that was logged. */
  logged(): string[];
  close(): Promise<void>;
}

/** The real edge and identity on a store of its own, listening on an ephemeral port of loopback. */
export async function startTestEdge(options: TestEdgeOptions = {}): Promise<TestEdge> {
  const opened = new ClosingStack();
  const clock = options.clock ?? systemClock;
  const store = options.store ?? opened.push(await openTestStore());
  const clients = options.clients ?? [aClient()];
  const keyWrap = createKeyWrap(randomBytes(32));
  const lines: string[] = [];
  const log = createLog('info', { write: (line) => void lines.push(line) });
  let url = '';
  const identity = opened.push(
    await createIdentity({
      store: store.control,
      keyWrap,
      clock,
      log,
      environment: 'sandbox',
      publicUrl: () => url,
      directory: {
        find: (id) => clients.find((client) => client.id === id),
        environmentOf: (id) => clients.find((client) => client.partnerId === id)?.environment,
      },
      ...(options.platformClients ? { platformClients: options.platformClients } : {}),
      ...(options.fetchText ? { fetchText: options.fetchText } : {}),
    }),
  );
  const rateLimitsOf = () => options.rateLimits ?? WIDE_LIMITS;
  const http = opened.push(
    createHttp({
      contractPath: options.contract === undefined ? CONTRACT_PATH : writeContract(options.contract, opened),
      routes: {
        partner: options.routes?.partner ?? {},
        device: options.routes?.device ?? {},
        public: { ...createIdentityRoutes({ identity, rateLimiter: createRateLimiter(), rateLimitsOf }), ...options.routes?.public },
      },
      identity,
      store: store.control,
      keyWrap,
      clock,
      log,
      rateLimitsOf,
      publicPerMinute: 1_000_000,
      allowMissingRoutes: true,
      ...options.http,
    }),
  );
  const { port } = await http.listen('127.0.0.1', 0);
  url = `http://127.0.0.1:${port}`;
  const api = createApiClient({ url, contract: http.contract });

  async function token(clientId = clients[0]?.id ?? '', scope?: string): Promise<string> {
    const client = [...clients, ...(options.platformClients ?? [])].find(({ id }) => id === clientId);
    if (!client) throw new Error(`the test has no client ${clientId}`);
    return identity.grant(client, scope).access_token;
  }

  return {
    url,
    http,
    identity,
    store,
    api,
    token,
    as: async (clientId, scope) => api.as(await token(clientId, scope)),
    example(operationId, status) {
      const { document, operations } = http.contract;
      const operation = operations.find(({ id }) => id === operationId);
      const paths: Json = document['paths'];
      const answer: Json = paths[operation?.template ?? '']?.[operation?.method.toLowerCase() ?? '']?.responses[String(status)];
      return structuredClone(answer?.content['application/json'].example);
    },
    logged: () => lines,
    close: () => opened.closeAll(),
  };
}

export interface TestGatewayOptions {
  clock?: Clock;
  /** Looks at or stops the opened store's commits. */
  wrapStore?(store: Store): Store;
  /** `CAUSEWAY_*` variables beside the folders and ports. */
  env?: Readonly<Record<string, string>>;
  /** A home with SQLite files that outlives the gateway, to start it there again; a temporary one without it. */
  folder?: string;
}

export interface TestGateway extends Gateway {
  contract: Contract;
  /** Holds every answer against the contract; without a token. */
  api: ApiClient;
  dataDir: string;
  /** A token of the sandbox's client of that partner (`e-plus` unless named), by its scopes or by those named; asked for once. */
  token(partnerId?: string, scope?: string): Promise<string>;
  /** The client of the contract with that token on every call. */
  as(partnerId?: string, scope?: string): Promise<ApiClient>;
  /** Every line that was logged, from `debug` on. */
  logged(): string[];
}

/** The whole gateway as `src/build.ts` wires it, with folders and a database of its own, ephemeral ports of loopback and a silent log. */
export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'causeway-gateway-'));
  const dataDir = join(folder, 'data');
  const ownDatabase =
    testDatabaseUrl && options.folder === undefined && options.env?.['CAUSEWAY_DATABASE_URL'] === undefined
      ? await createTestDatabase(testDatabaseUrl)
      : undefined;
  const env: Record<string, string> = {
    CAUSEWAY_HTTP_PORT: '0',
    CAUSEWAY_OPS_PORT: '0',
    CAUSEWAY_SMPP_LISTEN_PORT: '0',
    CAUSEWAY_DATA_DIR: dataDir,
    CAUSEWAY_KEYS_DIR: join(folder, 'keys'),
    CAUSEWAY_PARTNERS_DIR: fileURLToPath(new URL('../../partners/', import.meta.url)),
    ...(ownDatabase && { CAUSEWAY_DATABASE_URL: ownDatabase.url }),
    ...options.env,
  };
  const lines: string[] = [];
  const log = createLog('debug', { write: (line) => void lines.push(line) });
  const { clock, wrapStore } = options;
  async function clean(): Promise<void> {
    if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
    await ownDatabase?.drop();
  }
  const gateway = await buildGateway(readConfig(env), env, { log, ...(clock && { clock }), ...(wrapStore && { wrapStore }) }).catch(
    async (failure: unknown) => {
      await clean();
      throw failure;
    },
  );
  const contract = loadContract(CONTRACT_PATH);
  const api = createApiClient({ url: gateway.url, contract });
  const { partners } = JSON.parse(readFileSync(join(dataDir, 'sandbox-credentials.json'), 'utf8')) as {
    partners: Record<string, { clientId: string; clientSecret: string }>;
  };
  const tokens = new Map<string, Promise<string>>();

  function token(partnerId = 'e-plus', scope?: string): Promise<string> {
    const own = partners[partnerId];
    if (!own) throw new Error(`the sandbox has no client of ${partnerId}`);
    const name = `${partnerId} ${scope}`;
    const asked = tokens.get(name) ?? api.token(own.clientId, own.clientSecret, scope);
    tokens.set(name, asked);
    return asked;
  }

  return {
    ...gateway,
    contract,
    api,
    dataDir,
    token,
    as: async (partnerId, scope) => api.as(await token(partnerId, scope)),
    logged: () => lines,
    async close() {
      await gateway.close();
      await clean();
    },
  };
}

function writeContract(text: string, opened: ClosingStack): string {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-contract-'));
  opened.push({ close: () => rmSync(folder, { recursive: true, force: true }) });
  const file = join(folder, 'openapi.yaml');
  writeFileSync(file, text);
  return file;
}
