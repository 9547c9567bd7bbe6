import { toRfc3339 } from '../kernel/clock.js';
import type { EventSubscription } from './event-subscriptions.js';

/** An event subscription as the API shows it, and as events about it carry it. */
export function describeEventSubscription(subscription: EventSubscription): Record<string, unknown> {
  const { createdAt, updatedAt, ...rest } = subscription;
  return { ...rest, createdAt: toRfc3339(createdAt), updatedAt: toRfc3339(updatedAt) };
}
