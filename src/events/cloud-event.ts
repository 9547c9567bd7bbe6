import { toRfc3339 } from '../kernel/clock.js';
import type { NewEvent } from './event.js';

/** What every type begins with on the wire. */
export const TYPE_PREFIX = 'com.causeway.v1.';

/** Wide enough for any safe integer, so that sequences compare as text. */
const SEQUENCE_DIGITS = 16;

/** The bound of a delivered event. A resource that is larger has no place in an event. */
export const CLOUD_EVENT_BYTES_MAX = 256 * 1024;

/**
 * The event as it is stored, listed, signed and delivered: CloudEvents 1.0.2 in structured JSON (§3 of its JSON format).
 * The extensions `sequence` (per subject), `correlator`, `partnerid` and `market` keep to lower-case letters.
 *
 * @param source who speaks: together with `id` what receivers recognise a repeat by.
 */
export function writeCloudEvent(event: NewEvent, sequence: number, source: string): string {
  const text = JSON.stringify({
    specversion: '1.0',
    id: event.id,
    source,
    type: TYPE_PREFIX + event.type,
    subject: event.subject,
    time: toRfc3339(event.at),
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
