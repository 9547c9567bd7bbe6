import { randomUUID } from 'node:crypto';
import type { ControlStore } from '../store/index.js';

/** One delivery that this node may attempt until its lease ends. */
export interface ClaimedDelivery {
  id: string;
  leaseToken: string;
  eventId: string;
  /** Attempts before this one. */
  attempts: number;
  /** The event's stored text, which is signed and sent as it is. */
  body: string;
  endpoint: Endpoint;
}

export type Endpoint = Awaited<ReturnType<ControlStore['read']['eventSubscription']['findMany']>>[number];

/**
 * Takes due deliveries for this node. The lease is the row's own due time, moved past the time-out: a node that dies
 * leaves rows that simply become due again. Nodes that look at the same moment take different rows.
 *
 * @param room how many more an endpoint may have in flight.
 * @param turn counts passes: each begins with another endpoint, so that busy ones do not keep the rest waiting.
 */
export async function claimDeliveries(
  control: ControlStore,
  options: { owner: string; now: number; leaseMs: number; limit: number; turn: number; room: (endpoint: Endpoint) => number },
): Promise<ClaimedDelivery[]> {
  const { owner, now, leaseMs, limit, turn, room } = options;
  const instant = new Date(now);
  // One index seek for each endpoint, however many deliveries wait for it.
  const waiting = await control.read.$queryRaw<{ id: string }[]>`
    SELECT s."id" FROM "event_subscription" s
    WHERE s."status" = 'active' AND (s."pausedUntil" IS NULL OR s."pausedUntil" <= ${instant}) AND EXISTS (
      SELECT 1 FROM "webhook_delivery" d
      WHERE d."status" = 'pending' AND d."eventSubscriptionId" = s."id" AND d."nextAttemptAt" <= ${instant})
    ORDER BY s."id"`;
  if (waiting.length === 0) return [];
  const rows = await control.read.eventSubscription.findMany({ where: { id: { in: waiting.map((row) => row.id) } } });
  const first = turn % rows.length;
  const inTurn = [...rows.slice(first), ...rows.slice(0, first)].filter((endpoint) => room(endpoint) > 0);
  if (inTurn.length === 0) return [];
  const endpoints = new Map(rows.map((row) => [row.id, row]));

  const leaseToken = randomUUID();
  const claimed = await control.transact(
    async (tx) => {
      const chosen: string[] = [];
      for (const endpoint of inTurn) {
        const most = Math.min(room(endpoint), limit - chosen.length);
        if (most <= 0) break;
        const taken = await tx.$queryRaw<{ id: string }[]>`
          SELECT "id" FROM "webhook_delivery"
          WHERE "status" = 'pending' AND "eventSubscriptionId" = ${endpoint.id} AND "nextAttemptAt" <= ${instant}
          ORDER BY "nextAttemptAt", "position" LIMIT ${most} ${control.skipLocked}`;
        chosen.push(...taken.map((row) => row.id));
      }
      if (chosen.length === 0) return [];
      const lease = { leaseOwner: owner, leaseToken, nextAttemptAt: new Date(now + leaseMs) };
      await tx.webhookDelivery.updateMany({ where: { id: { in: chosen } }, data: lease });
      return await tx.webhookDelivery.findMany({ where: { id: { in: chosen } }, orderBy: { position: 'asc' } });
    },
    { takesWork: true },
  );
  const events = await control.read.event.findMany({
    where: { id: { in: claimed.map((row) => row.eventId) } },
    select: { id: true, cloudEvent: true },
  });
  const bodies = new Map(events.map((event) => [event.id, event.cloudEvent]));
  return claimed.flatMap(({ id, eventId, attempts, eventSubscriptionId }) => {
    const endpoint = endpoints.get(eventSubscriptionId);
    const body = bodies.get(eventId);
    return endpoint && body !== undefined ? [{ id, leaseToken, eventId, attempts, body, endpoint }] : [];
  });
}

/**
 * After the machine's clock was put back: whatever waits for its next try is tried now, and no endpoint is left alone any
 * longer. What is in flight writes its next try down by the clock as it is now.
 */
export async function makeAllDue(control: ControlStore, now: number): Promise<void> {
  const later = { gt: new Date(now) };
  await control.transact(async (tx) => {
    await tx.webhookDelivery.updateMany({
      where: { status: 'pending', leaseToken: null, nextAttemptAt: later },
      data: { nextAttemptAt: new Date(now) },
    });
    await tx.eventSubscription.updateMany({ where: { pausedUntil: later }, data: { pausedUntil: null } });
  });
}

/**
 * What a node does before it sends: it gives back what a former run of it had claimed, so that a restart need not wait
 * for leases to end, and drops what an event left for an endpoint that was switched off or deleted at the same instant.
 *
 * @returns how many deliveries were given back.
 */
export async function takeUpDeliveries(control: ControlStore, owner: string, now: number): Promise<number> {
  return await control.transact(async (tx) => {
    const active = await tx.eventSubscription.findMany({ where: { status: 'active' }, select: { id: true } });
    await tx.webhookDelivery.updateMany({
      where: { status: 'pending', eventSubscriptionId: { notIn: active.map((row) => row.id) } },
      data: { status: 'cancelled', leaseOwner: null, leaseToken: null, settledAt: new Date(now) },
    });
    const { count } = await tx.webhookDelivery.updateMany({
      where: { leaseOwner: owner, status: 'pending' },
      data: { leaseOwner: null, leaseToken: null, nextAttemptAt: new Date(now) },
    });
    return count;
  });
}
