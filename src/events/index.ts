export { createEvents, type Events, type EventsOptions } from './create-events.js';
export { EVENT_TOPIC, type NewEvent } from './event.js';
export type { EventPage, ListEvents, TimelineItem, TimelinePage } from './event-log.js';
