import type { NewEvent } from '../../src/events/index.js';
import { newId } from '../../src/kernel/ids.js';

const NOON = Date.UTC(2026, 10, 22, 12);

/** An event of partner e-plus in market XS about an order of its own, unless told otherwise. */
export function anEvent(given: Partial<NewEvent> = {}): NewEvent {
  const subject = given.subject ?? newId('ord', NOON);
  return {
    id: newId('evt', NOON),
    partnerId: 'e-plus',
    market: 'XS',
    type: 'order.completed',
    subject,
    at: NOON,
    resource: { id: subject, status: 'completed' },
    summary: 'Order completed',
    ...given,
  };
}
