import type { ControlTransaction } from '../../store/index.js';
import type { Entitlement } from '../../store/models.js';
import type { EntitlementsOptions } from './entitlements.js';
import type { Writer } from './write.js';

const BATCH_MAX = 100;

/**
 * Entitlements begin and end by themselves, in their partner's time. A policy system that only follows the feed hears of
 * it like of any other change. At most a batch for each partner and call; the next call goes on.
 */
export async function sweepTerms(options: EntitlementsOptions, write: Writer): Promise<void> {
  const { control, domainClock, clock, partners } = options;
  for (const { id: partnerId } of partners.all()) {
    const now = new Date(domainClock.now(partnerId));
    const ending = { status: { in: ['pending', 'active', 'exhausted', 'suspended'] }, endsAt: { lte: now } };
    const beginning = { status: 'pending', startsAt: { lte: now } };
    const due = await control.read.entitlement.findMany({
      where: { partnerId, OR: [ending, beginning] },
      orderBy: { id: 'asc' },
      take: BATCH_MAX,
    });
    for (const seen of due) await control.transact((tx) => settle(tx, seen, now, new Date(clock.now()), write));
  }
}

async function settle(tx: ControlTransaction, seen: Entitlement, now: Date, at: Date, write: Writer): Promise<void> {
  const before = await tx.entitlement.findUnique({ where: { id: seen.id } });
  if (before?.status !== seen.status || before.updatedAt.getTime() !== seen.updatedAt.getTime()) return;
  const line = await tx.subscription.findUnique({ where: { id: before.subscriptionId }, select: { msisdn: true } });
  if (!line) return;
  const over = before.endsAt !== null && before.endsAt <= now;
  const row = { ...before, status: over ? 'ended' : 'active', reason: over ? 'Its time is over.' : null, updatedAt: at };
  await write.update(tx, before, row, line, undefined);
}
