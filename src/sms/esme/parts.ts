import { createHmac } from 'node:crypto';
import type { KeyWrap } from '../../kernel/key-wrap.js';
import type { PartContent } from '../../smpp/index.js';
import type { ReadContent } from './read-content.js';

export const partPurpose = (messageId: string): string => `esme-part:${messageId}`;

/** A part's content as it waits for the others: a line of JSON without the octets, and the octets. */
export function wrapPart(keyWrap: KeyWrap, messageId: string, { part, isFlash, ports }: ReadContent): string {
  const { octets, ...how } = part;
  const head = Buffer.from(`${JSON.stringify({ ...how, isFlash, ports })}\n`);
  return keyWrap.wrap(Buffer.concat([head, octets]), partPurpose(messageId));
}

export function unwrapPart(keyWrap: KeyWrap, messageId: string, wrapped: string): ReadContent {
  const whole = Buffer.from(keyWrap.unwrap(wrapped, partPurpose(messageId)));
  const end = whole.indexOf('\n');
  const head = JSON.parse(whole.toString('utf8', 0, end)) as Omit<PartContent, 'octets'> & Pick<ReadContent, 'isFlash' | 'ports'>;
  const { isFlash, ports, ...how } = head;
  return { part: { ...how, octets: whole.subarray(end + 1) }, concat: undefined, elements: [], isFlash, ports };
}

/** Names what it is of and tells two apart, and says nothing of either. */
export function keyedHash(key: Uint8Array, ...facts: (string | Buffer)[]): string {
  const hash = createHmac('sha256', key);
  for (const fact of facts) hash.update(`${fact.length}:`).update(fact);
  return hash.digest('base64url');
}
