import type { Sender, SmppLink } from '../../partners/index.js';
import { binarySegments, type MessageFields, type SegmentedMessage, segments } from '../../smpp/index.js';
import { wireDestination, wireSource } from '../addresses.js';
import type { SmsBody } from './body.js';

/**
 * @param given a text alone, or all that a message says.
 * @throws GatewayError `SMS.TOO_LONG`.
 */
export function segmentsFor(given: string | SmsBody, reference: number, link: SmppLink): SegmentedMessage {
  const body = typeof given === 'string' ? { text: given } : given;
  const { longMessages: method, dataCodingDefault: defaultAlphabet, nationalShift, transliterate } = link;
  const addressing = { method, reference, segmentsMax: SEGMENTS_MAX, ...(body.ports && { ports: body.ports }) };
  if ('octets' in body) return binarySegments(body.octets, { ...addressing, dataCoding: body.dataCoding });
  return segments(body.text, { ...addressing, defaultAlphabet, nationalShift, transliterate, isFlash: body.isFlash === true });
}

/** A fallback text has at most 3 segments by its sender's client, and a notice one; more is a mistake or an abuse. */
export const SEGMENTS_MAX = 10;

/** What every part of a message has in common on the wire. @param validForMs how long it is worth delivering. */
export function envelopeFields(
  msisdn: string,
  sender: Pick<Sender, 'address' | 'type'>,
  link: SmppLink,
  validForMs: number,
): MessageFields {
  const source = wireSource(sender, link);
  const destination = wireDestination(msisdn, link.destination);
  return {
    sourceAddrTon: source.ton,
    sourceAddrNpi: source.npi,
    sourceAddr: source.address,
    destAddrTon: destination.ton,
    destAddrNpi: destination.npi,
    destinationAddr: destination.address,
    registeredDelivery: 1,
    validityPeriod: relativeTime(Math.min(Math.ceil(validForMs / 1_000), link.validityMaxSeconds)),
  };
}

/** A relative time (SMPP 3.4 §7.1.1.2), `YYMMDDhhmmss000R`, in days and below; at most 31 days, past which SMSCs differ. */
function relativeTime(seconds: number): string {
  const bounded = Math.min(Math.max(seconds, 60), 31 * 86_400);
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const [days, hours, minutes] = [bounded / 86_400, (bounded / 3_600) % 24, (bounded / 60) % 60];
  return `0000${two(days)}${two(hours)}${two(minutes)}${two(bounded % 60)}000R`;
}
