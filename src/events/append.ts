import type { Clock } from '../kernel/clock.js';
import { newId } from '../kernel/ids.js';
import type { ControlTransaction } from '../store/index.js';
import { writeCloudEvent } from './cloud-event.js';
import type { NewEvent } from './event.js';
import { wants } from './event-filter.js';

export interface AppendContext {
  clock: Clock;
  /** The `source` of every event: the public URL. */
  source: string;
}

/**
 * Writes events into the log, each once: its place in the partner's log, its number among those of its subject, the text
 * that will be delivered, and a work row for every active endpoint that wants it.
 *
 * The partner's counter row is taken first and held until the commit. So positions have no gaps and become visible in
 * order, on PostgreSQL too, and a reader that went past a position will never find a new event before it.
 *
 * @returns how many were new.
 */
export async function appendEvents(tx: ControlTransaction, events: readonly NewEvent[], context: AppendContext): Promise<number> {
  const byPartner = new Map<string, Map<string, NewEvent>>();
  for (const event of events) {
    const own = byPartner.get(event.partnerId) ?? new Map<string, NewEvent>();
    byPartner.set(event.partnerId, own);
    if (!own.has(event.id)) own.set(event.id, event);
  }
  let added = 0;
  // In one order for everybody, so that two transactions never wait for each other's counters.
  for (const partnerId of [...byPartner.keys()].sort()) {
    added += await appendOfPartner(tx, partnerId, [...(byPartner.get(partnerId)?.values() ?? [])], context);
  }
  return added;
}

async function appendOfPartner(
  tx: ControlTransaction,
  partnerId: string,
  events: NewEvent[],
  { clock, source }: AppendContext,
): Promise<number> {
  const counter = await tx.eventCounter.upsert({
    where: { partnerId },
    create: { partnerId, position: 0 },
    update: { position: { increment: 0 } },
  });
  const known = await tx.event.findMany({ where: { id: { in: events.map((event) => event.id) } }, select: { id: true } });
  const knownIds = new Set(known.map((row) => row.id));
  const fresh = events.filter((event) => !knownIds.has(event.id));
  if (fresh.length === 0) return 0;

  const first = Number(counter.position) + 1;
  await tx.eventCounter.update({ where: { partnerId }, data: { position: { increment: fresh.length } } });
  const sequences = await takeSequences(tx, partnerId, fresh);
  const now = clock.now();
  const recordedAt = new Date(now);
  await tx.event.createMany({
    data: fresh.map((event, index) => ({
      partnerId,
      position: first + index,
      id: event.id,
      market: event.market ?? null,
      type: event.type,
      subject: event.subject,
      subscriptionId: event.subscriptionId ?? null,
      at: new Date(event.at),
      recordedAt,
      summary: event.summary,
      facts: JSON.stringify(event.facts ?? []),
      price: event.price ? JSON.stringify(event.price) : null,
      cloudEvent: writeCloudEvent(event, sequences[index] ?? 0, source),
    })),
  });

  const endpoints = await tx.eventSubscription.findMany({
    where: { partnerId, status: 'active' },
    select: { id: true, types: true, markets: true },
  });
  const deliveries = endpoints.flatMap((endpoint) =>
    fresh.flatMap((event, index) => (wants(endpoint, event) ? [{ endpoint: endpoint.id, event: event.id, position: first + index }] : [])),
  );
  if (deliveries.length > 0) {
    await tx.webhookDelivery.createMany({
      data: deliveries.map(({ endpoint, event, position }) => ({
        id: newId('whd', now),
        partnerId,
        eventSubscriptionId: endpoint,
        eventId: event,
        position,
        status: 'pending',
        attempts: 0,
        nextAttemptAt: recordedAt,
        createdAt: recordedAt,
      })),
    });
  }
  return fresh.length;
}

/** The next `sequence` of each event's subject, in the events' order. */
async function takeSequences(tx: ControlTransaction, partnerId: string, events: NewEvent[]): Promise<number[]> {
  const counts = new Map<string, number>();
  for (const { subject } of events) counts.set(subject, (counts.get(subject) ?? 0) + 1);
  const next = new Map<string, number>();
  for (const [subject, count] of counts) {
    const row = await tx.eventSubject.upsert({
      where: { partnerId_subject: { partnerId, subject } },
      create: { partnerId, subject, sequence: count },
      update: { sequence: { increment: count } },
    });
    next.set(subject, Number(row.sequence) - count + 1);
  }
  return events.map(({ subject }) => {
    const sequence = next.get(subject) ?? 1;
    next.set(subject, sequence + 1);
    return sequence;
  });
}
