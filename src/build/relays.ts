import type { Bus } from '../bus/index.js';
import { ENGINE_TOPIC, type Engine, type EngineFact, OUTBOX_HINT } from '../engine/index.js';
import { EVENT_TOPIC, type Events, eventOfFact } from '../events/index.js';
import type { Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import type { Periodic } from '../kernel/periodic.js';
import type { Provisioning } from '../provisioning/index.js';
import type { Store } from '../store/index.js';
import { startOutboxRelay } from '../store/outbox-relay.js';
import { controlOutbox, messagesOutbox } from '../store/outboxes.js';

export interface RelayParts {
  store: Store;
  bus: Bus;
  clock: Clock;
  log: Log;
  engine: Engine;
  events: Events;
  provisioning: Provisioning;
}

/** Carries line changes from gateway.db to the engine. */
export function startLineRelay({ store, clock, log, engine }: RelayParts): Periodic {
  return startOutboxRelay({
    ...{ name: 'gateway', clock, log },
    ...controlOutbox(store.control),
    async deliver(entries) {
      for (const { topic, payload } of entries) if (topic === 'line') await engine.lines.raise(JSON.parse(payload));
    },
  });
}

/** Carries the engine's facts and the bridge's events from messages.db to the event log. */
export function startEventRelay({ store, bus, clock, log, events, provisioning }: RelayParts): Periodic {
  /** A fact of the engine as an entry for the event log, if the partner is told of it. */
  async function eventEntry({ id, payload }: { id: string; payload: string }): Promise<{ id: string; payload: string }[]> {
    const fact = JSON.parse(payload) as EngineFact;
    const msisdn = 'msisdn' in fact ? fact.msisdn : fact.fallback.msisdn;
    const event = eventOfFact(fact, (await provisioning.subscriptions.holding(msisdn))?.id);
    return event ? [{ id, payload: JSON.stringify(event) }] : [];
  }

  const relay = startOutboxRelay({
    ...{ name: 'messages', clock, log },
    ...messagesOutbox(store.messages),
    async deliver(entries) {
      const facts = await Promise.all(entries.filter((entry) => entry.topic === ENGINE_TOPIC).map(eventEntry));
      await events.appendFromOutbox([...entries.filter((entry) => entry.topic === EVENT_TOPIC), ...facts.flat()]);
    },
  });
  bus.subscribe(OUTBOX_HINT, () => relay.wake());
  return relay;
}
