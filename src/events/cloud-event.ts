import { toRfc3339 } from '../kernel/clock.js';
import type { NewEvent } from './event.js';

/** What every type begins with on the wire. */
export const TYPE_PREFIX = 'com.causeway.v1.';

/** Wide enough for any safe integer, so that sequences compare as text. */
const SEQUENCE_DIGITS = 16;

/** The bound of a delivered event. A resource that is larger has no place in an event. */
export const CLOUD_EVENT_BYTES_MAX = 256 * 1024;

/**
 * The event as it is stored, listed, signed and delivered: CloudEvents 1.0.2 in structured JSON (§3 of its JSON format),
 * with the extensions `sequence` (per subject), `partnerid`, `market` and `correlator`.
 *
 * @param source who speaks: together with `id` what receivers know a repeat by.
 * @throws RangeError for an event past the bound: it would be the reporter's mistake.
 */
export function writeCloudEvent(event: NewEvent, sequence: number, source: string): string {
  const text = JSON.stringify({
    specversion: '1.0',
    id: event.id,
    source,
    type: TYPE_PREFIX + event.type,
    time: toRfc3339(event.at),
    subject: event.subject,
    datacontenttype: 'application/json',
    sequence: String(sequence).padStart(SEQUENCE_DIGITS, '0'),
    partnerid: event.partnerId,
    market: event.market,
    correlator: event.correlator,
    data: { subscriptionId: event.subscriptionId, resource: event.resource, previous: event.previous },
  });
  if (Buffer.byteLength(text) > CLOUD_EVENT_BYTES_MAX)
    throw new RangeError(`the event ${event.id} is larger than ${CLOUD_EVENT_BYTES_MAX} bytes`);
  return text;
}
