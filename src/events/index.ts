export { createEvents, type Events, type EventsOptions } from './create-events.js';
export type { DeliveryWorker } from './delivery-worker.js';
export { describeEventSubscription } from './describe.js';
export { EVENT_TOPIC, type NewEvent } from './event.js';
export type { EventPage, ListEvents, TimelineItem, TimelinePage } from './event-log.js';
export type { EventSubscription, EventSubscriptions, EventsCaller, Verification } from './event-subscriptions.js';
export { EVENT_TYPES } from './event-types.js';
export type { Sender, SendRequest, SendResult } from './sender.js';
export type { WebhookJwk } from './webhook-keys.js';
