import type { Instant } from '../kernel/clock.js';
import { GatewayError } from '../kernel/errors.js';
import { newId } from '../kernel/ids.js';

/** CAMARA Commonalities r4.2, `x-correlator`. */
const CORRELATOR = /^[a-zA-Z0-9\-_:;./<>{}]{0,256}$/;

/** The correlator that a request carries, or a new one when it carries none or a malformed one. */
export function correlatorOf(given: string | undefined, now: Instant): { correlator: string; malformed: boolean } {
  if (given !== undefined && given !== '' && CORRELATOR.test(given)) return { correlator: given, malformed: false };
  return { correlator: newId('req', now), malformed: given !== undefined && !CORRELATOR.test(given) };
}

export const malformedCorrelator = (): GatewayError => {
  const message = 'must be at most 256 letters, digits or - _ : ; . / < > { }';
  return new GatewayError('INVALID_ARGUMENT', {
    detail: `/header/x-correlator: ${message}`,
    errors: [{ pointer: '/header/x-correlator', code: 'pattern', message }],
  });
};
