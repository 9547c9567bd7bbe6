import type { Money } from '../kernel/money.js';

/**
 * Something that happened, as a feature reports it. It becomes a row of the event log, a line of the subscription's
 * timeline, and a webhook to whoever subscribed. Never any content of a message, never a secret.
 */
export interface NewEvent {
  /** `evt_…`, made by the reporter: a repeat with the same id changes nothing. */
  id: string;
  partnerId: string;
  market?: string;
  /** Without the `com.causeway.v1.` prefix: `order.completed`. */
  type: string;
  /** The id of the resource that it is about; `sequence` counts per subject. */
  subject: string;
  /** Milliseconds; when it happened (domain time of the partner). */
  at: number;
  subscriptionId?: string;
  /** The full resource as the API would show it. */
  resource: unknown;
  /** The members that changed, as they were. */
  previous?: unknown;
  correlator?: string;
  /** One line for people, without numbers or names. */
  summary: string;
  facts?: { name: string; value: string }[];
  price?: Money;
}

/** The outbox topic in messages.db under which the engine and the bridge report events (payload: a NewEvent as JSON). */
export const EVENT_TOPIC = 'event';
