import type { IncomingMessage } from 'node:http';
import type { Bus } from '../bus/index.js';
import type { Clock, DomainClock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import { runPeriodically } from '../kernel/periodic.js';
import type { MessageStore } from '../store/index.js';
import { type Accounts, createAccounts } from './accounts/accounts.js';
import { createDevices, type Devices } from './accounts/devices.js';
import { createLines, type Lines } from './accounts/lines.js';
import { createCalls, type MessagingCalls } from './calls.js';
import type { EngineContext } from './context.js';
import { deviceSubject, REMOVED, WOKEN } from './device-subject.js';
import { createMessages } from './envelopes/messages.js';
import { createNotices, type SystemNotices } from './envelopes/notices.js';
import { createQueue, type SystemEnvelopes } from './envelopes/queue.js';
import { NOTICE_DELIVERED, OUTBOX_HINT } from './facts.js';
import { createFallbacks } from './fallbacks/fallbacks.js';
import type { Fallbacks } from './fallbacks/types.js';
import type { BridgeKeys, DeviceTokens, FallbackPolicy, NumberVerification } from './hooks.js';
import { createKeys } from './keys/keys.js';
import { DEFAULT_LIMITS, type EngineLimits } from './limits.js';
import { createStream, type Stream } from './stream/stream.js';

/** How often what has expired is deleted. */
const SWEEP_MS = 60_000;

export interface EngineOptions {
  store: MessageStore;
  bus: Bus;
  clock: Clock;
  domainClock: DomainClock;
  log: Log;
  tokens: DeviceTokens;
  numberVerification: NumberVerification;
  fallbackPolicy: FallbackPolicy;
  bridgeKeys: BridgeKeys;
  limits?: Partial<EngineLimits> | undefined;
  /** Envelopes that may wait for one device; a message beyond is refused to its sender. Default 10,000. */
  queueMax?: number | undefined;
  /** Streams that may be open. Default 20,000. */
  streamsMax?: number | undefined;
  /** The client's address of an upgrade, where a proxy stands in between. */
  addressOf?: ((request: IncomingMessage) => string | undefined) | undefined;
}

/**
 * The messaging engine: a blind server that stores and forwards opaque bodies. It opens nothing, and knows nothing of
 * partners, SMS or HTTP routes; what it needs of them it is given as hooks (hooks.ts), and what happens in it leaves as
 * facts (facts.ts).
 */
export interface Engine {
  /** The messaging API's calls, for REST; the stream uses the same. */
  readonly calls: MessagingCalls;
  readonly accounts: Accounts;
  readonly devices: Devices;
  readonly lines: Lines;
  readonly fallbacks: Fallbacks;
  readonly system: SystemEnvelopes;
  readonly notices: SystemNotices;
  readonly stream: Stream;
  /** Stops the sweep and closes the streams. What was acknowledged is durable; what was not comes again. */
  close(): Promise<void>;
}

export function createEngine(options: EngineOptions): Engine {
  const { store, bus, clock, domainClock, log, tokens, bridgeKeys } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const context: EngineContext = {
    store,
    clock,
    domainClock,
    announce: {
      envelopes: (deviceId) => bus.publish(deviceSubject(deviceId), WOKEN),
      removed: (deviceId) => bus.publish(deviceSubject(deviceId), REMOVED),
      facts: () => bus.publish(OUTBOX_HINT, ''),
      noticeDelivered: (id) => bus.publish(NOTICE_DELIVERED, id),
    },
  };

  const fallbacks = createFallbacks(context);
  const lines = createLines(context, fallbacks);
  const devices = createDevices(context);
  const accounts = createAccounts(context, { tokens, numberVerification: options.numberVerification, lines });
  const keys = createKeys(context, devices);
  const queue = createQueue(context);
  const messages = createMessages(context, { lines, policy: options.fallbackPolicy, bridgeKeys, queueMax: options.queueMax ?? 10_000 });
  const calls = createCalls({ accounts, devices, keys, messages, queue, bridgeKeys, limits });
  const stream = createStream({
    calls,
    queue,
    devices,
    bus,
    clock,
    log,
    tokens,
    limits,
    streamsMax: options.streamsMax ?? 20_000,
    addressOf: options.addressOf,
  });
  const sweeper = runPeriodically({ name: 'engine sweep', everyMs: SWEEP_MS, clock, log }, async () => {
    await queue.sweep();
    await fallbacks.sweep();
  });

  return {
    calls,
    accounts,
    devices,
    lines,
    fallbacks,
    system: queue,
    notices: createNotices(context),
    stream,
    async close() {
      await stream.close();
      await sweeper.close();
    },
  };
}
