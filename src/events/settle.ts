import { newId } from '../kernel/ids.js';
import type { ControlTransaction } from '../store/index.js';
import { type AppendContext, appendEvents } from './append.js';
import type { ClaimedDelivery } from './claim.js';
import { describeEventSubscription } from './describe.js';
import { cancelPending, fromRow } from './event-subscriptions.js';
import { GIVE_UP_MS, pauseMs, retryDelayMs } from './retry-schedule.js';
import type { SendResult } from './sender.js';

export interface Attempt {
  delivery: ClaimedDelivery;
  result: SendResult;
  /** Milliseconds; when it began. */
  at: number;
  durationMs: number;
}

const GONE = 410;
const isSuccess = ({ result }: Attempt): boolean => result.outcome === 'answered' && result.httpStatus >= 200 && result.httpStatus < 300;

/**
 * Writes down what attempts met, all in the caller's transaction: the attempts, what becomes of each delivery, and how
 * their endpoints do. An attempt whose lease was lost in the meantime changes nothing: another has it now.
 */
export async function settleAttempts(
  tx: ControlTransaction,
  attempts: readonly Attempt[],
  context: AppendContext,
  random: () => number,
): Promise<void> {
  for (const attempt of attempts) {
    if (attempt.result.outcome === 'aborted') await release(tx, attempt, context);
    else if (isSuccess(attempt)) await succeed(tx, attempt, context);
    else await fail(tx, attempt, context, random());
  }
}

const held = ({ delivery }: Attempt) => ({ id: delivery.id, leaseToken: delivery.leaseToken, status: 'pending' });
const noLease = { leaseOwner: null, leaseToken: null };

async function release(tx: ControlTransaction, attempt: Attempt, context: AppendContext): Promise<void> {
  await tx.webhookDelivery.updateMany({ where: held(attempt), data: { ...noLease, nextAttemptAt: new Date(context.clock.now()) } });
}

async function record(tx: ControlTransaction, { delivery, result, at, durationMs }: Attempt, outcome: string): Promise<void> {
  const httpStatus = result.outcome === 'answered' ? result.httpStatus : null;
  await tx.webhookAttempt.create({
    data: { deliveryId: delivery.id, number: delivery.attempts + 1, at: new Date(at), durationMs, outcome, httpStatus },
  });
}

async function succeed(tx: ControlTransaction, attempt: Attempt, context: AppendContext): Promise<void> {
  const { delivery } = attempt;
  const { count } = await tx.webhookDelivery.updateMany({
    where: held(attempt),
    data: { ...noLease, status: 'delivered', attempts: delivery.attempts + 1, settledAt: new Date(context.clock.now()) },
  });
  if (count === 0) return;
  await record(tx, attempt, 'delivered');
  await tx.eventSubscription.updateMany({
    where: { id: delivery.endpoint.id, consecutiveFailures: { gt: 0 } },
    data: { consecutiveFailures: 0, failingSince: null, pausedUntil: null },
  });
}

async function fail(tx: ControlTransaction, attempt: Attempt, context: AppendContext, random: number): Promise<void> {
  const { delivery, result } = attempt;
  const now = context.clock.now();
  const failed = delivery.attempts + 1;
  const httpStatus = result.outcome === 'answered' ? result.httpStatus : undefined;
  const endpoint = await tx.eventSubscription.findUnique({ where: { id: delivery.endpoint.id } });
  const failures = (endpoint?.consecutiveFailures ?? 0) + 1;
  const pause = pauseMs(httpStatus, result.outcome === 'answered' ? result.retryAfterMs : undefined, failures);
  const delay = retryDelayMs(failed, random);
  const next =
    delay === undefined ? { status: 'dead', settledAt: new Date(now) } : { nextAttemptAt: new Date(now + Math.max(delay, pause)) };
  const { count } = await tx.webhookDelivery.updateMany({ where: held(attempt), data: { ...noLease, attempts: failed, ...next } });
  if (count === 0) return;
  await record(tx, attempt, result.outcome === 'answered' ? 'refused' : result.outcome);
  if (endpoint?.status !== 'active') return;

  const failingSince = endpoint.failingSince ?? new Date(now);
  await tx.eventSubscription.update({
    where: { id: endpoint.id },
    data: { consecutiveFailures: failures, failingSince, ...(pause > 0 ? { pausedUntil: new Date(now + pause) } : {}) },
  });
  if (httpStatus === GONE) await deactivate(tx, endpoint.id, 'The sink answered 410 Gone.', context);
  else if (now - failingSince.getTime() >= GIVE_UP_MS) await deactivate(tx, endpoint.id, 'No delivery succeeded for 5 days.', context);
}

/** Switches an endpoint off and tells the partner's other endpoints and its log. */
async function deactivate(tx: ControlTransaction, id: string, reason: string, context: AppendContext): Promise<void> {
  const now = context.clock.now();
  const row = await tx.eventSubscription.update({
    where: { id },
    data: { status: 'inactive', statusReason: reason, version: { increment: 1 }, updatedAt: new Date(now) },
  });
  await cancelPending(tx, id, now);
  const event = {
    id: newId('evt', now),
    partnerId: row.partnerId,
    type: 'event-subscription.deactivated',
    subject: id,
    at: now,
    resource: describeEventSubscription(fromRow(row)),
    summary: 'An event subscription was switched off',
    facts: [{ name: 'reason', value: reason }],
  };
  await appendEvents(tx, [event], context);
}
