import type { Bus } from '../bus/index.js';
import type { Clock } from '../kernel/clock.js';
import type { KeyWrap } from '../kernel/key-wrap.js';
import type { Log } from '../kernel/log.js';
import type { Periodic } from '../kernel/periodic.js';
import type { AfterCommit, ControlStore, ControlTransaction } from '../store/index.js';
import { appendEvents } from './append.js';
import { makeAllDue } from './claim.js';
import { DELIVERIES_DUE, type DeliveryWorker, startDeliveryWorker } from './delivery-worker.js';
import type { NewEvent } from './event.js';
import { createEventLog, type EventLog } from './event-log.js';
import { createEventSubscriptions, type EventSubscriptions } from './event-subscriptions.js';
import { readOutboxEvent } from './outbox-events.js';
import { startRetention } from './retention.js';
import { createSender, type Sender } from './sender.js';
import { type Resolve, systemResolve } from './sink-address.js';
import { type WebhookJwk, webhookKeys } from './webhook-keys.js';

export interface EventsOptions {
  store: { control: ControlStore };
  bus: Bus;
  clock: Clock;
  log: Log;
  keyWrap: KeyWrap;
  /** The `source` of every event: the public URL. */
  source: string;
  /** True in the sandbox only: sinks on this machine, by http too. */
  allowLoopback: boolean;
  /** The machine's resolver unless told otherwise. */
  resolve?: Resolve;
  /** How requests leave; over the network unless told otherwise. */
  sender?: Sender;
}

export interface Events extends EventLog {
  /**
   * Appends an event in the reporter's own transaction, so that state, event and the work of delivering it commit
   * together. A repeat with the same id changes nothing. It holds the partner's place in the log until the commit: call
   * it last.
   *
   * @param hints given, the webhooks go out right after the commit; without, at the next sweep, within a second.
   */
  append(tx: ControlTransaction, event: NewEvent, hints?: AfterCommit): Promise<void>;
  /** Takes in what messages.db's outbox reported (topic `event`, payload a NewEvent). Idempotent; bad rows are dropped and logged. */
  appendFromOutbox(entries: readonly { id: string; payload: string }[]): Promise<void>;
  readonly subscriptions: EventSubscriptions;
  /** The public keys of signature scheme v1a, for the JWKS. */
  webhookKeys(): Promise<WebhookJwk[]>;
  /**
   * Starts sending on this node.
   *
   * @param nodeId the same after a restart, different on each node; with SQLite there is only one.
   */
  startDeliveries(options: { nodeId: string; sweepMs?: number; random?: () => number }): DeliveryWorker;
  /** The machine's clock was put back: webhooks that wait for their next try do not wait for as long again. */
  clockWentBack(): Promise<void>;
  /** Starts to forget events that are older than 30 days. Any number of nodes may do so. */
  startRetention(): Periodic;
}

/** How many events one transaction takes in, so that others wait for it briefly. */
const APPEND_BATCH = 50;

/** The event log and the webhooks. */
export function createEvents(options: EventsOptions): Events {
  const { store, bus, clock, log, keyWrap, source, resolve = systemResolve } = options;
  const rules = { allowLoopback: options.allowLoopback };
  const wake = () => bus.publish(DELIVERIES_DUE, '');
  return {
    ...createEventLog(store.control),
    subscriptions: createEventSubscriptions({ control: store.control, clock, keyWrap, rules, resolve }),
    webhookKeys: () => webhookKeys(store.control.read),

    async append(tx, event, hints) {
      const added = await appendEvents(tx, [event], { clock, source });
      if (added > 0) hints?.afterCommit(wake);
    },

    async appendFromOutbox(entries) {
      const events: NewEvent[] = [];
      for (const { id, payload } of entries) {
        const event = readOutboxEvent(payload);
        if (event) events.push(event);
        else log.error({ outboxId: id }, 'an outbox entry is no event and was dropped');
      }
      for (let from = 0; from < events.length; from += APPEND_BATCH) {
        const batch = events.slice(from, from + APPEND_BATCH);
        const added = await store.control.transact((tx) => appendEvents(tx, batch, { clock, source }));
        if (added > 0) wake();
      }
    },

    async clockWentBack() {
      await makeAllDue(store.control, clock.now());
      wake();
    },

    startRetention: () => startRetention({ control: store.control, clock, log }),

    startDeliveries(given) {
      const sender = options.sender ?? createSender({ clock, rules, resolve });
      return startDeliveryWorker({ control: store.control, bus, clock, log, keyWrap, sender, source, ...given });
    },
  };
}
