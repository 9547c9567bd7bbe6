import type { Instant } from '../../kernel/clock.js';
import { newId } from '../../kernel/ids.js';
import type { Reporter } from '../../provisioning/index.js';
import type { ControlTransaction } from '../../store/index.js';
import type { Entitlement, Subscription } from '../../store/models.js';
import type { EntitlementChangeKind, Feed } from './feed.js';
import { showEntitlement } from './show.js';

/** Every write of an entitlement: the row, the event, and the change in the feed, in one transaction. */
export interface Writer {
  create(tx: ControlTransaction, row: Entitlement, line: Pick<Subscription, 'msisdn'>, correlator: string | undefined): Promise<void>;
  update(
    tx: ControlTransaction,
    before: Entitlement,
    row: Entitlement,
    line: Pick<Subscription, 'msisdn'>,
    correlator: string | undefined,
  ): Promise<void>;
}

export const newEntitlement = (now: Instant, facts: Omit<Entitlement, 'id' | 'createdAt' | 'updatedAt'>): Entitlement => ({
  ...facts,
  id: newId('ent', now),
  createdAt: new Date(now),
  updatedAt: new Date(now),
});

export function createWriter({ report, feed }: { report: Reporter; feed: Feed }): Writer {
  const tell = (
    tx: ControlTransaction,
    row: Entitlement,
    change: EntitlementChangeKind | 'suspended',
    previous: object | undefined,
    correlator: string | undefined,
  ) =>
    report(tx, {
      partnerId: row.partnerId,
      market: row.market,
      type: `entitlement.${change}`,
      subject: row.id,
      subscriptionId: row.subscriptionId,
      resource: showEntitlement(row),
      ...(previous && { previous }),
      ...(correlator !== undefined && { correlator }),
      summary: summaryOf(row, change),
    });

  return {
    async create(tx, row, { msisdn }, correlator) {
      await tx.entitlement.create({ data: row });
      // A refused class is in the feed and on the subscription, but nothing was granted.
      await tell(tx, row, row.status === 'suspended' ? 'suspended' : 'granted', undefined, correlator);
      await feed.record(tx, 'granted', row, msisdn);
    },
    async update(tx, before, row, { msisdn }, correlator) {
      const change = row.status === 'ended' ? 'ended' : before.status === 'ended' ? 'granted' : 'updated';
      await tx.entitlement.update({ where: { id: row.id }, data: row });
      await tell(tx, row, change, changedMembers(before, row), correlator);
      await feed.record(tx, change, row, msisdn);
    },
  };
}

function summaryOf({ trafficClass, status }: Entitlement, change: EntitlementChangeKind | 'suspended'): string {
  if (change === 'suspended' || status === 'suspended') return `Zero-rating of ${trafficClass} is suspended`;
  if (status === 'pending') return `Zero-rating of ${trafficClass} will begin later`;
  return {
    granted: `Zero-rating of ${trafficClass} granted`,
    updated: `Zero-rating of ${trafficClass} changed`,
    ended: `Zero-rating of ${trafficClass} ended`,
  }[change];
}

/** The members that changed, as they were; null for one that was absent. */
function changedMembers(before: Entitlement, row: Entitlement): Record<string, unknown> {
  const [was, is]: Record<string, unknown>[] = [showEntitlement(before), showEntitlement(row)];
  const names = new Set([...Object.keys(was ?? {}), ...Object.keys(is ?? {})]);
  const changed = [...names].filter((name) => JSON.stringify(was?.[name]) !== JSON.stringify(is?.[name]));
  return Object.fromEntries(changed.map((name) => [name, was?.[name] ?? null]));
}
