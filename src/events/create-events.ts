import type { Bus } from '../bus/index.js';
import type { Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import type { AfterCommit, ControlStore, ControlTransaction } from '../store/index.js';
import { appendEvents } from './append.js';
import type { NewEvent } from './event.js';
import { createEventLog, type EventLog } from './event-log.js';
import { readOutboxEvent } from './outbox-events.js';

export interface EventsOptions {
  store: { control: ControlStore };
  bus: Bus;
  clock: Clock;
  log: Log;
  /** The `source` of every event: the public URL. */
  source: string;
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
}

/** The bus subject that tells every node's worker that deliveries are due. */
export const DELIVERIES_DUE = 'webhooks.due';

/** How many events one transaction takes in, so that others wait for it briefly. */
const APPEND_BATCH = 50;

export function createEvents({ store, bus, clock, log, source }: EventsOptions): Events {
  const wake = () => bus.publish(DELIVERIES_DUE, '');
  return {
    ...createEventLog(store.control),

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
  };
}
