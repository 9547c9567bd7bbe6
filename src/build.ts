import { randomUUID } from 'node:crypto';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAdmin } from './admin/index.js';
import { createInProcessBus, openNatsBus } from './bus/index.js';
import { createCatalogue } from './catalogue/index.js';
import { ConfigurationError, configAtPort, folderProblems, type GatewayConfig } from './config/index.js';
import { createEngine, ENGINE_TOPIC, type EngineFact, OUTBOX_HINT } from './engine/index.js';
import { createEvents, DELIVERIES_DUE, EVENT_TOPIC, eventOfFact } from './events/index.js';
import {
  createHttp,
  createHttpMetrics,
  createIdentityRoutes,
  createOperations,
  createRateLimiter,
  DEFAULT_RATE_LIMITS,
} from './http/index.js';
import { createEntitlementRoutes } from './http/routes/entitlements.js';
import { createEventSubscriptionRoutes } from './http/routes/event-subscriptions.js';
import { createEventRoutes } from './http/routes/events.js';
import { createFallbackRoutes } from './http/routes/fallbacks.js';
import { createLineEventRoutes } from './http/routes/line-events.js';
import { createMessagingPublicRoutes, createMessagingRoutes } from './http/routes/messaging.js';
import { createOrderRoutes } from './http/routes/orders.js';
import { createPartnerProfileRoutes } from './http/routes/partner.js';
import { createPlanRoutes } from './http/routes/plans.js';
import { createNoSandboxRoutes, createSandboxRoutes } from './http/routes/sandbox.js';
import { createSimRoutes } from './http/routes/sims.js';
import { createSmppLinkRoutes } from './http/routes/smpp-links.js';
import { createSmsMessageRoutes } from './http/routes/sms-messages.js';
import { createSubscriptionRoutes } from './http/routes/subscriptions.js';
import { createTaskRoutes } from './http/routes/tasks.js';
import { createTrafficListRoutes } from './http/routes/traffic-lists.js';
import { createIdentity, openMasterKey, PARTNER_SCOPES, partnerClients } from './identity/index.js';
import { type Clock, type DomainClock, systemClock } from './kernel/clock.js';
import { ClosingStack } from './kernel/closing-stack.js';
import { assert } from './kernel/errors.js';
import { newId } from './kernel/ids.js';
import { createLog, type Log } from './kernel/log.js';
import { runPeriodically } from './kernel/periodic.js';
import { loadPartners, type Partner, type PartnerRegistry } from './partners/index.js';
import { createProvisioning, marketOfNumber, partnerRanges, type Reporter } from './provisioning/index.js';
import {
  CREDENTIALS_FILE,
  createSandboxNumberVerification,
  createTestClock,
  ensureCredentials,
  openSandboxSmsc,
  openSharedSmsc,
  type SandboxSmsc,
  type SharedSmsc,
  SMSC_FILE,
  type SmscAccount,
  startSandboxNetwork,
} from './sandbox/index.js';
import { bridgeKeysOf, createFallbackPolicy, createSms, openOpener } from './sms/index.js';
import { checkDiskSpace, openPostgresStore, openSqliteStore, type Store } from './store/index.js';
import { openLeases } from './store/leases.js';
import { startOutboxRelay } from './store/outbox-relay.js';
import { controlOutbox, messagesOutbox } from './store/outboxes.js';
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
/** Who signs in to the sandbox's portal; the password is in the credentials file. */
const SANDBOX_EMAIL = 'operator@sandbox.example';

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
    const store = closing.push(replaced.wrapStore?.(opened) ?? opened);
    const { control, messages } = store;
    closing.push(runPeriodically({ name: 'checkpoint', everyMs: CHECKPOINT_MS, clock, log }, () => store.checkpoint()));
    const onBusError = (failure: unknown) => log.error({ err: failure }, 'a bus listener failed');
    const bus = config.natsUrl
      ? closing.push(await openNatsBus({ url: config.natsUrl, log, onError: onBusError }))
      : createInProcessBus(onBusError);
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
      }),
    );
    const events = createEvents({ store, bus, clock, log, keyWrap, source: config.publicUrl, allowLoopback: isSandbox });
    let webhookKeys = await events.webhookKeys();
    const refreshKeys = async () => {
      webhookKeys = await events.webhookKeys();
    };
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
        wakeOutbox: () => controlRelay.wake(),
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
      ? closing.push(leases ? await openSharedSmsc({ ...config, open: openSmsc, clock, log }) : alone(await openSmsc()))
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
    const controlRelay = closing.push(
      startOutboxRelay({
        ...{ name: 'gateway', clock, log },
        ...controlOutbox(control),
        async deliver(entries) {
          for (const { topic, payload } of entries) if (topic === 'line') await engine.lines.raise(JSON.parse(payload));
        },
      }),
    );
    const messagesRelay = closing.push(
      startOutboxRelay({
        ...{ name: 'messages', clock, log },
        ...messagesOutbox(messages),
        async deliver(entries) {
          const facts = await Promise.all(entries.filter((entry) => entry.topic === ENGINE_TOPIC).map(eventEntry));
          await events.appendFromOutbox([...entries.filter((entry) => entry.topic === EVENT_TOPIC), ...facts.flat()]);
        },
      }),
    );
    bus.subscribe(OUTBOX_HINT, () => messagesRelay.wake());

    /** A fact of the engine as an entry for the event log, if the partner is told of it. */
    async function eventEntry({ id, payload }: { id: string; payload: string }): Promise<{ id: string; payload: string }[]> {
      const fact = JSON.parse(payload) as EngineFact;
      const msisdn = 'msisdn' in fact ? fact.msisdn : fact.fallback.msisdn;
      const event = eventOfFact(fact, (await provisioning.subscriptions.holding(msisdn))?.id);
      return event ? [{ id, payload: JSON.stringify(event) }] : [];
    }

    const sms = closing.push(
      await createSms({
        ...{ store: messages, bus, clock, domainClock, log, engine, partners, opener, keyWrap },
        sandboxSmsc: () => smsc?.address(),
        leases,
      }),
    );
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
      await inTurn(openSandboxAccounts);
    }
    await inTurn(() => catalogue.seed());
    await zeroRating.start();

    /** The simulated network's refusal, in the name of the partner. */
    async function refuseTask(taskId: string, reason: string, partnerId: string): Promise<void> {
      const actor = { partnerId, markets: undefined, correlator: newId('req', clock.now()) };
      await control.transact((tx) => provisioning.tasks.reject(tx, actor, taskId, { reason }));
    }

    /** The demo partners' clients, and where their secrets are. */
    async function openSandboxAccounts(): Promise<void> {
      const credentials = ensureCredentials(config.dataDir, partners.all().flatMap(credentialsRequest), {
        url: `${config.publicUrl}/portal`,
        email: SANDBOX_EMAIL,
      });
      await admin.ensureUser({ ...credentials.portal, role: 'platform' });
      for (const [partnerId, { clientId, clientSecret }] of Object.entries(credentials.partners)) {
        await identity.ensureSandboxClient({ clientId, partnerId, scopes: PARTNER_SCOPES, secret: clientSecret });
      }
    }

    const sandboxRoutes = (simulator: SharedSmsc) =>
      createSandboxRoutes({
        ...{ clock, testClock, numberVerification, smsc: simulator },
        isOwn: (request, msisdn) => marketOfNumber(partners, request.caller, msisdn) !== undefined,
        systemIdOf: (partnerId) => partners.get(partnerId)?.smpp.links[0]?.systemId,
      });

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
    const linesSettled = () => controlRelay.finished();
    const http = createHttp({
      mount: admin.mount,
      ...{ contractPath, errorPagesFolder, identity, store: control, keyWrap, clock, log, rateLimitsOf, metrics },
      routes: {
        partner: {
          ...createPlanRoutes({ catalogue, clock }),
          ...createSimRoutes(provisioning),
          ...createOrderRoutes(provisioning),
          ...createTaskRoutes({ ...provisioning, linesSettled }),
          ...createSubscriptionRoutes({ ...provisioning, entitlements: zeroRating.entitlements, events }),
          ...createLineEventRoutes({ ...provisioning, linesSettled }),
          ...createTrafficListRoutes(zeroRating),
          ...createEntitlementRoutes(zeroRating),
          ...createSmsMessageRoutes({ sms }),
          ...createFallbackRoutes({ fallbacks: engine.fallbacks, sms }),
          ...createSmppLinkRoutes({ sms }),
          ...createEventRoutes({ events }),
          ...createEventSubscriptionRoutes({ events }),
          ...createPartnerProfileRoutes({ partners, clock }),
          ...(smsc ? sandboxRoutes(smsc) : createNoSandboxRoutes()),
        },
        device: createMessagingRoutes(engine.calls),
        public: {
          ...createIdentityRoutes({ identity, rateLimiter: createRateLimiter(), rateLimitsOf }),
          ...createMessagingPublicRoutes(engine.calls),
        },
      },
    });
    http.server.on('upgrade', (request, socket, head) => {
      if (!engine.stream.handleUpgrade(request, socket, head)) socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
    });

    const operations = createOperations({
      ...{ metrics, clock, log },
      report: async () => ({ links: (await Promise.all(partners.all().map(linksOf))).flat() }),
      checks: [
        { name: 'gateway.db', check: async () => void (await control.read.outboxItem.findFirst()) },
        { name: 'messages.db', check: async () => void (await messages.read('SELECT 1 AS ok')) },
        { name: 'disk', check: () => checkDiskSpace(config.dataDir) },
        // Whoever sends traffic here is to stop while requests finish.
        { name: 'draining', check: async () => assert(!http.draining, 'the public listener takes requests') },
      ],
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
      close: () => closing.closeAll(),
    };
  } catch (failure) {
    await closing.closeAll().catch(() => undefined);
    throw failure;
  }
}

/**
 * A database that a sandbox used holds clients with shared secrets and sinks without TLS.
 *
 * @throws ConfigurationError naming each kind that was found.
 */
async function refuseSandboxData({ control }: Store): Promise<void> {
  const problems: string[] = [];
  if ((await control.read.sandboxClient.findFirst({ select: { clientId: true } })) !== null)
    problems.push('The database holds clients that a sandbox made; fix: give production a data folder or database of its own.');
  if ((await control.read.eventSubscription.findFirst({ where: { sink: { startsWith: 'http:' } }, select: { id: true } })) !== null)
    problems.push('The database holds a webhook whose sink is http; fix: give production a data folder or database of its own.');
  if (problems.length > 0) throw new ConfigurationError(problems);
}

/** The simulated SMSC of the only node. */
const alone = (smsc: SandboxSmsc): SharedSmsc => ({
  address: () => ({ host: '127.0.0.1', port: smsc.port }),
  received: async (page) => smsc.received(page),
  sendMo: (message) => smsc.sendMo(message),
  close: () => smsc.close(),
});

/** A partner's client whose secret the sandbox makes, if it has one. */
function credentialsRequest(partner: Partner): { partnerId: string; clientId: string }[] {
  const client = partner.clients.find(({ keys }) => keys.kind === 'created');
  return client ? [{ partnerId: partner.id, clientId: client.id }] : [];
}

/** The accounts that our own links have at the simulated SMSC. */
function simulatedAccounts(partners: PartnerRegistry): SmscAccount[] {
  return partners.all().flatMap((partner) =>
    partner.smpp.links
      .filter((link) => link.sites.some((site) => site.host === 'sandbox'))
      .map((link) => ({
        systemId: link.systemId,
        password: link.password.reveal(),
        msisdnPrefixes: partner.markets.filter((market) => market.dialable).flatMap((market) => market.msisdnPrefixes),
      })),
  );
}

/** A port that is free right now: the tokens' issuer must be known before the listener is. */
async function freePort(host: string): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => probe.once('error', reject).listen(0, host, resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return port;
}
