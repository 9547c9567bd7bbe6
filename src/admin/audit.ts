import type { Clock } from '../kernel/clock.js';
import { newId } from '../kernel/ids.js';
import type { ControlTransaction } from '../store/index.js';

export type AuditedAction = 'session.started' | 'session.ended' | 'subscription.revealed';

/** Where a request came from. */
export interface Origin {
  address: string;
  correlator: string;
}

export interface AuditEntry extends Origin {
  partnerId: string | undefined;
  actorId: string;
  action: AuditedAction;
  subject: string;
}

/** Writes down who did what to what, in the transaction that does it. */
export async function writeAudit(tx: ControlTransaction, clock: Clock, { partnerId, ...entry }: AuditEntry): Promise<void> {
  const now = clock.now();
  await tx.auditRecord.create({ data: { id: newId('aud', now), at: new Date(now), partnerId: partnerId ?? null, ...entry } });
}
