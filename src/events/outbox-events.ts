import { z } from 'zod';
import type { NewEvent } from './event.js';

/** The bound of a reported event, below that of a delivered one. */
const PAYLOAD_BYTES_MAX = 200 * 1024;

const reported = z.object({
  id: z.string().regex(/^evt_[0-9a-hjkmnp-tv-z]{26}$/),
  partnerId: z.string().min(1),
  market: z.string().optional(),
  type: z.string().regex(/^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$/),
  subject: z.string().min(1),
  at: z.number().int().min(0).max(253_402_300_799_999),
  subscriptionId: z.string().optional(),
  resource: z.unknown(),
  previous: z.unknown().optional(),
  correlator: z.string().optional(),
  summary: z.string(),
  facts: z.array(z.object({ name: z.string(), value: z.string() })).optional(),
  price: z.object({ amountMinor: z.number().int(), currency: z.string() }).optional(),
});

/** Reads what messages.db's outbox carried over; undefined when it is no event, so that one bad row holds up no other. */
export function readOutboxEvent(payload: string): NewEvent | undefined {
  if (Buffer.byteLength(payload) > PAYLOAD_BYTES_MAX) return undefined;
  try {
    const result = reported.safeParse(JSON.parse(payload));
    // zod types an optional member as possibly undefined; JSON has no undefined, so the member is there or it is not.
    return result.success ? (result.data as NewEvent) : undefined;
  } catch {
    return undefined;
  }
}
