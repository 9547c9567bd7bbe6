import type { Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import { type Periodic, runPeriodically } from '../kernel/periodic.js';
import type { ControlStore } from '../store/index.js';

/** What the contract promises: whoever was away for less catches up by `GET /v1/events`. */
const KEPT_MS = 30 * 86_400_000;
const SWEEP_MS = 3_600_000;
/** Events that one transaction forgets, so that others wait for it briefly. */
const CHUNK = 200;

/**
 * Forgets events that are older than 30 days, with what became of their deliveries. One that is still on its way is kept
 * until its tries are over. Positions and sequences never start again: their counters stay.
 */
export function startRetention({ control, clock, log }: { control: ControlStore; clock: Clock; log: Log }): Periodic {
  return runPeriodically({ name: 'event retention', everyMs: SWEEP_MS, clock, log }, async () => {
    const before = new Date(clock.now() - KEPT_MS);
    // Nothing to do is the usual case, and costs no transaction.
    if ((await control.read.event.findFirst({ where: { recordedAt: { lt: before } }, select: { id: true } })) === null) return false;
    const forgotten = await control.transact(async (tx) => {
      const old = await tx.$queryRaw<{ id: string }[]>`
        SELECT e."id" FROM "event" e
        WHERE e."recordedAt" < ${before} AND NOT EXISTS (
          SELECT 1 FROM "webhook_delivery" d WHERE d."eventId" = e."id" AND d."status" = 'pending')
        ORDER BY e."recordedAt" LIMIT ${CHUNK}`;
      const ids = old.map(({ id }) => id);
      const deliveries = await tx.webhookDelivery.findMany({ where: { eventId: { in: ids } }, select: { id: true } });
      await tx.webhookAttempt.deleteMany({ where: { deliveryId: { in: deliveries.map(({ id }) => id) } } });
      await tx.webhookDelivery.deleteMany({ where: { eventId: { in: ids } } });
      return (await tx.event.deleteMany({ where: { id: { in: ids } } })).count;
    });
    return forgotten === CHUNK;
  });
}
