import { randomUUID } from 'node:crypto';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAdmin } from './admin/index.js';
import { openEsmeListener } from './build/esme-listener.js';
import { gatewayRoutes } from './build/gateway-routes.js';
import { readinessChecks } from './build/readiness.js';
import { startEventRelay, startLineRelay } from './build/relays.js';
import { openSandboxAccounts, refuseSandboxData, simulatedAccounts, unshared } from './build/sandbox.js';
import { watchWrites } from './build/watch-writes.js';
import { createInProcessBus, openNatsBus } from './bus/index.js';
import { createCatalogue } from './catalogue/index.js';
import { ConfigurationError, configAtPort, folderProblems, type GatewayConfig } from './config/index.js';
import { createEngine } from './engine/index.js';
import { createEvents, createPublicFetch, DELIVERIES_DUE } from './events/index.js';
import { createHttp, createHttpMetrics, createOperations, DEFAULT_RATE_LIMITS } from './http/index.js';
import { createIdentity, openMasterKey, partnerClients } from './identity/index.js';
import { type Clock, type DomainClock, systemClock } from './kernel/clock.js';
import { watchClock } from './kernel/clock-watch.js';
import { ClosingStack } from './kernel/closing-stack.js';
import { newId } from './kernel/ids.js';
import { createLog, type Log } from './kernel/log.js';
import { runPeriodically } from './kernel/periodic.js';
import { loadPartners, type Partner } from './partners/index.js';
import { createProvisioning, marketOfNumber, partnerRanges, type Reporter } from './provisioning/index.js';
import {
  CREDENTIALS_FILE,
  createSandboxNumberVerification,
  createTestClock,
  openSandboxSmsc,
  openSharedSmsc,
  SMSC_FILE,
  startSandboxNetwork,
} from './sandbox/index.js';
import { bridgeKeysOf, createFallbackPolicy, createSms, openOpener } from './sms/index.js';
import { openPostgresStore, openSqliteStore, type Store } from './store/index.js';
import { openLeases } from './store/leases.js';
import { createPermitPlan, createZeroRating } from './zero-rating/index.js';

/** What a test may put in the place of the real thing. */
export interface Given {
  clock?: Clock;
  log?: Log;
  /** Wraps the opened store, to look at or stop at its commits. */
  wrapStore?(store: Store): Store;
  onProgress?(step: string): void;
}

export interface Gateway {
  /** Where the public listener is. */
  readonly url: string;
  readonly operationsUrl: string;
  /** Where the sandbox's credentials are; undefined in production. */
  readonly credentialsFile: string | undefined;
  /** Where the sandbox's own SMSC listens, `host:port`. */
  readonly smsc: string | undefined;
  /** Where operators' ESMEs bind, `host:port`. */
  readonly esmeListener: string;
  /** Stops taking work, finishes what is under way, closes everything in the reverse order. */
  close(): Promise<void>;
}

/** A text that was deleted is in no file after this. */
const CHECKPOINT_MS = 60_000;
const TOKENS_SWEEP_MS = 600_000;
/** How soon this node knows what others did when no hint came. */
const CATCH_UP_MS = 1_000;
/** A partner's first subscription of scheme v1a makes a key, which whoever verifies then looks for in our JWKS. */
const KEYS_CATCH_UP_MS = 5_000;
const CLOCK_MOVED = 'clock.moved';

const contractPath = fileURLToPath(new URL('../openapi.yaml', import.meta.url));
const errorPagesFolder = fileURLToPath(new URL('../docs/errors/', import.meta.url));
const portalFolder = fileURLToPath(new URL('../dist/portal/', import.meta.url));

/**
 * Builds the gateway from its configuration, top to bottom, and serves. What was opened is closed again when a later
 * step fails.
 *
 * @param env where `${env:NAME}` references of partner.yaml are looked up.
 * @throws ConfigurationError or GatewayError saying what to do.
 */
export async function buildGateway(
  given: GatewayConfig,
  env: Readonly<Record<string, string | undefined>>,
  { clock = systemClock, onProgress = () => {}, ...replaced }: Given = {},
): Promise<Gateway> {
  const closing = new ClosingStack();
  try {
    const config = given.httpPort === 0 ? configAtPort(given, await freePort(given.httpHost)) : given;
    const log = replaced.log ?? createLog(config.logLevel);
    const partners = await loadPartners(config.partnersDir, env);
    const isSandbox = config.env === 'sandbox';
    const unwritable = folderProblems({ CAUSEWAY_DATA_DIR: config.dataDir, CAUSEWAY_KEYS_DIR: config.keysDir });
    if (unwritable.length > 0) throw new ConfigurationError(unwritable);
    const keyWrap = openMasterKey({ keysFolder: config.keysDir, environment: config.env });

    const opened = config.databaseUrl
      ? await openPostgresStore(
          config.databaseUrl,
          clock,
          (failure) => log.warn({ err: failure.name }, 'a database connection was lost'),
          onProgress,
        )
      : await openSqliteStore(config.dataDir, onProgress);
    const watched = watchWrites(closing.push(opened), clock);
    const store = replaced.wrapStore?.(watched.store) ?? watched.store;
    const { control, messages } = store;
    closing.push(runPeriodically({ name: 'checkpoint', everyMs: CHECKPOINT_MS, clock, log }, () => store.checkpoint()));
    const onBusError = (failure: unknown) => log.error({ err: failure }, 'a bus listener failed');
    const nats = config.natsUrl ? closing.push(await openNatsBus({ url: config.natsUrl, log, onError: onBusError })) : undefined;
    const bus = nats ?? createInProcessBus(onBusError);
    // Nodes that share a database know of each other; SQLite has one.
    const nodeId = config.databaseUrl ? `node_${randomUUID()}` : 'node-1';
    const leases = config.databaseUrl ? closing.push(await openLeases({ store: messages, clock, log, nodeId })) : undefined;

    if (!isSandbox) await refuseSandboxData(store);

    /** What a start makes once: nodes that start together do it one after the other. */
    const inTurn = (work: () => Promise<void>): Promise<void> => (leases ? leases.alone('start', work) : work());

    // Domain time is the partner's test clock in the sandbox, and the wall clock elsewhere.
    const testClock = createTestClock({ control, clock, onMove: (partnerId) => bus.publish(CLOCK_MOVED, partnerId) });
    await testClock.load();
    const domainClock: DomainClock = isSandbox ? testClock : { now: () => clock.now() };

    const published = closing.push(createPublicFetch({ clock, allowLoopback: isSandbox }));
    const identity = closing.push(
      await createIdentity({
        store: control,
        keyWrap,
        clock,
        log,
        environment: config.env,
        publicUrl: () => config.publicUrl,
        directory: partnerClients(partners),
        otherKeys: () => webhookKeys,
        fetchText: published.text,
      }),
    );
    const events = createEvents({ store, bus, clock, log, keyWrap, source: config.publicUrl, allowLoopback: isSandbox });
    let webhookKeys = await events.webhookKeys();
    const refreshKeys = async () => {
      webhookKeys = await events.webhookKeys();
    };
    closing.push(events.startRetention());
    // What is due by the clock that was wrong would wait for as long as that was ahead.
    const onJump = async (byMs: number) => (byMs < 0 ? events.clockWentBack() : undefined);
    const clockWatch = closing.push(watchClock({ clock, log, onJump }));
    closing.push(runPeriodically({ name: 'webhook keys', everyMs: KEYS_CATCH_UP_MS, clock, log }, refreshKeys));
    const report: Reporter = (tx, about) =>
      events.append(tx, { id: newId('evt', clock.now()), at: domainClock.now(about.partnerId), ...about });

    const catalogue = createCatalogue({ control, clock, permitPlan: createPermitPlan(partners.policies) });
    const zeroRating = closing.push(
      createZeroRating({
        ...{ control, clock, domainClock, log, partners, catalogue, report },
        environment: config.env,
        policies: partners.policies,
        sign: identity.sign,
        sources: () => ({ origins: { text: config.originText, media: config.originMedia, calls: config.originCalls } }),
      }),
    );
    const provisioning = closing.push(
      createProvisioning({
        ...{ control, clock, domainClock, log, report },
        ranges: partnerRanges(partners),
        plans: catalogue,
        entitlements: zeroRating.entitlements,
        marketOf: (actor, msisdn) => marketOfNumber(partners, actor, msisdn),
        wakeOutbox: () => lineRelay.wake(),
      }),
    );

    const openSmsc = () =>
      openSandboxSmsc({
        ...{ host: '127.0.0.1', port: 0, clock, log },
        accounts: simulatedAccounts(partners),
        stateFile: join(config.dataDir, SMSC_FILE),
        stateWrap: keyWrap,
      });
    const smsc = isSandbox
      ? closing.push(leases ? await openSharedSmsc({ ...config, open: openSmsc, clock, log }) : unshared(await openSmsc()))
      : undefined;

    /** The live subscription on a number, if it is the partner's. */
    async function liveOn(partnerId: string, msisdn: string): Promise<string | undefined> {
      const held = await provisioning.subscriptions.holding(msisdn);
      return held?.partnerId === partnerId ? held.id : undefined;
    }

    const opener = closing.push(await openOpener({ keysFolder: config.keysDir, masterKey: keyWrap, clock, log }));
    const numberVerification = createSandboxNumberVerification({ control, clock });
    const engine = closing.push(
      createEngine({
        ...{ store: messages, bus, clock, domainClock, log },
        tokens: identity.deviceTokens,
        numberVerification: isSandbox ? numberVerification : { verify: async () => false },
        fallbackPolicy: createFallbackPolicy({ partners, subscriptions: { liveOn } }),
        bridgeKeys: bridgeKeysOf(opener),
      }),
    );

    // What one file's commit asks of the other: lines go to messages.db, facts and events to gateway.db.
    const relayed = { store, bus, clock, log, engine, events, provisioning };
    const lineRelay = closing.push(startLineRelay(relayed));
    closing.push(startEventRelay(relayed));

    const sms = closing.push(
      await createSms({
        ...{ store: messages, bus, clock, domainClock, log, engine, partners, opener, keyWrap },
        sandboxSmsc: () => smsc?.address(),
        leases,
      }),
    );
    const esmeListener = await openEsmeListener(config, sms);
    const admin = createAdmin({
      ...{ control, bus, clock, log, events, catalogue, partners, portalFolder },
      entitlements: zeroRating.entitlements,
      publicUrl: config.publicUrl,
      environment: config.env,
      eventHint: DELIVERIES_DUE,
      partnerIds: () => partners.all().map(({ id }) => id),
      smsOf: sms.getMessage,
      fallbackOf: engine.fallbacks.get,
    });
    if (isSandbox) {
      closing.push(
        runPeriodically({ name: 'number verification tokens', everyMs: TOKENS_SWEEP_MS, clock, log }, () => numberVerification.sweep()),
      );
      closing.push(startSandboxNetwork({ control, clock, log, reject: refuseTask }));
      if (leases) closing.push(runPeriodically({ name: 'test clock', everyMs: CATCH_UP_MS, clock, log }, () => testClock.load()));
      bus.subscribe(CLOCK_MOVED, () => void testClock.load().then(sms.wake, onBusError));
      await inTurn(() => openSandboxAccounts({ ...config, partners, identity, ensureUser: admin.ensureUser, esmeListener }));
    }
    await inTurn(() => catalogue.seed());
    await zeroRating.start();

    /** The simulated network's refusal, in the name of the partner. */
    async function refuseTask(taskId: string, reason: string, partnerId: string): Promise<void> {
      const actor = { partnerId, markets: undefined, correlator: newId('req', clock.now()) };
      await control.transact((tx) => provisioning.tasks.reject(tx, actor, taskId, { reason }));
    }

    /** How the binds of a partner's links do, for whoever runs the service. */
    async function linksOf({ id: partnerId }: Partner) {
      const links = await sms.links(partnerId);
      return links.map(({ id, binds, queue }) => ({
        partnerId,
        id,
        queue,
        binds: binds.map((bind) => ({ id: bind.id, state: bind.state, reason: bind.reason })),
      }));
    }

    const metrics = createHttpMetrics({ withProcess: true });
    const rateLimitsOf = (partnerId: string) => partners.get(partnerId)?.rateLimits ?? DEFAULT_RATE_LIMITS;
    const http = createHttp({
      mount: admin.mount,
      ...{ contractPath, errorPagesFolder, identity, store: control, keyWrap, clock, log, rateLimitsOf, metrics },
      routes: gatewayRoutes({
        ...{ clock, partners, identity, events, catalogue, zeroRating, provisioning, engine, sms, rateLimitsOf },
        sandbox: smsc && { testClock, numberVerification, smsc },
        linesSettled: () => lineRelay.finished(),
      }),
    });
    http.server.on('upgrade', (request, socket, head) => {
      if (!engine.stream.handleUpgrade(request, socket, head)) socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
    });

    const operations = createOperations({
      ...{ metrics, clock, log },
      report: async () => ({ links: (await Promise.all(partners.all().map(linksOf))).flat() }),
      checks: readinessChecks({
        ...{ watched, clockWatch, nats },
        dataFolder: config.dataDir,
        isDraining: () => http.draining,
      }),
    });
    closing.push(operations);
    const { port: operationsPort } = await operations.listen(config.opsHost, config.opsPort);
    // Streams would hold the drain up to its bound: they are told to go while requests finish.
    closing.push({ close: async () => void (await Promise.all([http.close(), engine.stream.close(), admin.close()])) });
    await http.listen(config.httpHost, config.httpPort);
    const deliveries = closing.push(events.startDeliveries({ nodeId }));
    leases?.onGone((gone) => void deliveries.takeOver(gone).catch(onBusError));
    log.info({ env: config.env, partners: partners.all().length }, 'gateway serves');

    return {
      url: config.publicUrl,
      operationsUrl: `http://${config.opsHost}:${operationsPort}`,
      credentialsFile: isSandbox ? join(config.dataDir, CREDENTIALS_FILE) : undefined,
      smsc: smsc?.address() && `${smsc.address()?.host}:${smsc.address()?.port}`,
      esmeListener: `${esmeListener.host}:${esmeListener.port}`,
      close: () => closing.closeAll(),
    };
  } catch (failure) {
    await closing.closeAll().catch(() => undefined);
    throw failure;
  }
}

/** A port that is free right now: the tokens' issuer must be known before the listener is. */
async function freePort(host: string): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => probe.once('error', reject).listen(0, host, resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return port;
}
