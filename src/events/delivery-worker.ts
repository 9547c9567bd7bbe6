import type { Bus } from '../bus/index.js';
import type { Clock, Timer } from '../kernel/clock.js';
import type { Closable } from '../kernel/closing-stack.js';
import type { KeyWrap } from '../kernel/key-wrap.js';
import type { Log } from '../kernel/log.js';
import { backoffMs } from '../kernel/retry.js';
import type { ControlStore } from '../store/index.js';
import { type ClaimedDelivery, claimDeliveries, type Endpoint, takeUpDeliveries } from './claim.js';
import { secretPurpose } from './event-subscriptions.js';
import { SEND_TIMEOUT_MS, type Sender, type SendResult } from './sender.js';
import { type Attempt, settleAttempts } from './settle.js';
import { type SignedParts, signV1, signV1a } from './sign.js';
import { keyPurpose } from './webhook-keys.js';

/** The bus subject that tells every node's worker that deliveries are due. */
export const DELIVERIES_DUE = 'webhooks.due';

export interface DeliveryWorker extends Closable {
  /** A hint that something is due. Losing it costs at most one sweep. */
  wake(): void;
  /** Another node is gone: what it had claimed is due at once. */
  takeOver(nodeId: string): Promise<void>;
  /** Resolves when nothing is in flight and nothing more is due. */
  idle(): Promise<void>;
  /** Claims no more, gives what is in flight three seconds, and hands the rest back. */
  close(): Promise<void>;
}

export interface DeliveryWorkerOptions {
  control: ControlStore;
  bus: Bus;
  clock: Clock;
  log: Log;
  keyWrap: KeyWrap;
  sender: Sender;
  /** The `source` of events. */
  source: string;
  /** Names this node in leases, the same after a restart: what a former run had claimed is due at once. */
  nodeId: string;
  /** In [0, 1); for the jitter. */
  random?: () => number;
  sweepMs?: number;
}

const IN_FLIGHT_MAX = 64;
const IN_FLIGHT_PER_ENDPOINT_MAX = 8;
/** An attempt, the wait for its transaction, and room for a slow machine. */
const LEASE_MS = SEND_TIMEOUT_MS + 10_000;
const SWEEP_MS = 1_000;
const DRAIN_MS = 3_000;

/** Sends what is due until it is closed: many endpoints side by side, few requests to each, one to an endpoint that fails. */
export function startDeliveryWorker(options: DeliveryWorkerOptions): DeliveryWorker {
  const { control, bus, clock, log, keyWrap, sender, source, nodeId, random = Math.random, sweepMs = SWEEP_MS } = options;
  const closing = new AbortController();
  const inFlight = new Set<Promise<void>>();
  const perEndpoint = new Map<string, number>();
  let finished: { attempt: Attempt; done: () => void }[] = [];
  let settling = false;
  let timer: Timer | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  let closed = false;
  let released = false;
  let failures = 0;
  let turn = 0;

  const room = (endpoint: Endpoint): number =>
    (endpoint.consecutiveFailures > 0 ? 1 : IN_FLIGHT_PER_ENDPOINT_MAX) - (perEndpoint.get(endpoint.id) ?? 0);

  async function signature(endpoint: Endpoint, parts: SignedParts): Promise<string> {
    if (endpoint.scheme === 'v1')
      return signV1(Buffer.from(keyWrap.unwrap(endpoint.secret ?? '', secretPurpose(endpoint.id))).toString(), parts);
    const key = await control.read.webhookKey.findUniqueOrThrow({ where: { id: endpoint.keyId ?? '' } });
    return signV1a(keyWrap.unwrap(key.privateKey, keyPurpose(key.id)), parts);
  }

  async function attempt(delivery: ClaimedDelivery): Promise<void> {
    const { endpoint, eventId, body } = delivery;
    perEndpoint.set(endpoint.id, (perEndpoint.get(endpoint.id) ?? 0) + 1);
    const at = clock.now();
    const started = clock.monotonicMs();
    let result: SendResult;
    try {
      const timestamp = Math.floor(at / 1_000);
      const headers = {
        'content-type': 'application/cloudevents+json',
        'user-agent': 'causeway-webhooks/1',
        'webhook-id': eventId,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': await signature(endpoint, { id: eventId, timestamp, body }),
      };
      result = await sender.send({ sink: endpoint.sink, headers, body, signal: closing.signal });
    } catch (failure) {
      // Our own trouble, a master key that does not open for instance: the delivery goes through its tries all the same.
      log.error({ deliveryId: delivery.id, eventSubscriptionId: endpoint.id, err: failure }, 'webhook could not be sent');
      result = { outcome: 'connection' };
    }
    const durationMs = Math.round(clock.monotonicMs() - started);
    log.debug({ deliveryId: delivery.id, eventId, eventSubscriptionId: endpoint.id, durationMs, ...result }, 'webhook attempted');
    await new Promise<void>((done) => {
      finished.push({ attempt: { delivery, result, at, durationMs }, done });
      void settle();
    });
    const left = (perEndpoint.get(endpoint.id) ?? 1) - 1;
    if (left > 0) perEndpoint.set(endpoint.id, left);
    else perEndpoint.delete(endpoint.id);
  }

  /** One transaction for all attempts that ended while the one before was being committed. */
  async function settle(): Promise<void> {
    if (settling) return;
    settling = true;
    while (finished.length > 0) {
      const batch = finished;
      finished = [];
      try {
        const attempts = batch.map((entry) => entry.attempt);
        await control.transact((tx) => settleAttempts(tx, attempts, { clock, source }, random));
      } catch (failure) {
        // The leases end by themselves, and the same events are sent again.
        log.error({ attempts: batch.length, err: failure }, 'webhook attempts could not be recorded');
      }
      for (const { done } of batch) done();
    }
    settling = false;
  }

  async function pass(): Promise<void> {
    if (!released) {
      const count = await takeUpDeliveries(control, nodeId, clock.now());
      if (count > 0) log.info({ count }, 'took up the webhooks of the former run');
      released = true;
    }
    const limit = IN_FLIGHT_MAX - inFlight.size;
    if (limit <= 0) return;
    const claimed = await claimDeliveries(control, { owner: nodeId, now: clock.now(), leaseMs: LEASE_MS, limit, turn: turn++, room });
    for (const delivery of claimed) {
      const flight = attempt(delivery).finally(() => {
        inFlight.delete(flight);
        run();
      });
      inFlight.add(flight);
    }
  }

  function run(): void {
    again = true;
    if (closed || running) return;
    timer?.cancel();
    running = (async () => {
      try {
        while (again && !closed) {
          again = false;
          await pass();
        }
        failures = 0;
      } catch (failure) {
        failures++;
        log.error({ failures, err: failure }, 'webhook worker failed');
      } finally {
        running = undefined;
        if (!closed) timer = clock.setTimer(failures ? backoffMs({ firstMs: 100, maxMs: 5_000 }, failures) : sweepMs, run);
      }
    })();
  }

  const stopListening = bus.subscribe(DELIVERIES_DUE, () => {
    if (failures === 0) run();
  });
  run();
  return {
    wake: run,
    async takeOver(gone) {
      const count = await takeUpDeliveries(control, gone, clock.now());
      if (count === 0) return;
      log.info({ count, nodeId: gone }, 'took over the webhooks of a node that is gone');
      run();
    },
    async idle() {
      for (let busy = true; busy; ) {
        run();
        await running;
        busy = inFlight.size > 0;
        await Promise.all(inFlight);
      }
    },
    async close() {
      if (closed) return;
      closed = true;
      stopListening();
      timer?.cancel();
      await running;
      const drain = clock.setTimer(DRAIN_MS, () => closing.abort());
      await Promise.all(inFlight);
      drain.cancel();
      timer?.cancel();
      await sender.close();
    },
  };
}
