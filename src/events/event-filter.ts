import { TYPE_PREFIX } from './cloud-event.js';
import type { NewEvent } from './event.js';

/** What an endpoint's row says about which events it gets. */
export interface EventFilter {
  /** A JSON array of whole types. */
  types: string;
  /** A JSON array of markets; null = all, with what belongs to no market. */
  markets: string | null;
}

/** Whether an endpoint gets an event. Events that belong to no market go to every endpoint of the partner. */
export function wants(filter: EventFilter, event: Pick<NewEvent, 'type' | 'market'>): boolean {
  if (!(JSON.parse(filter.types) as string[]).includes(TYPE_PREFIX + event.type)) return false;
  if (filter.markets === null || event.market === undefined) return true;
  return (JSON.parse(filter.markets) as string[]).includes(event.market);
}
