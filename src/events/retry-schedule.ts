const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** How long after the try before it each try comes (telecom.md §8, as Standard Webhooks advises): ten tries in some three days. */
const DELAYS_MS = [0, 5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];

/** At most a tenth more, so that what failed together does not come back together. */
const JITTER = 0.1;

/**
 * When to try again.
 *
 * @param failed how many tries have failed, from 1.
 * @param random in [0, 1).
 * @returns milliseconds, or undefined when the tries are used up.
 */
export function retryDelayMs(failed: number, random: number): number | undefined {
  const delay = DELAYS_MS[failed];
  return delay === undefined ? undefined : Math.round(delay * (1 + JITTER * random));
}

/** An endpoint that has failed for so long without one success is switched off. */
export const GIVE_UP_MS = 5 * 24 * HOUR;

const SLOW_DOWN = new Set([429, 502, 504]);
const SLOW_DOWN_MS = { default: 30 * SECOND, min: SECOND, max: HOUR };
const CIRCUIT = { failures: 5, firstMs: 5 * SECOND, maxMs: MINUTE };

/**
 * How long to leave an endpoint alone after a failure: as long as it asks for when it says that it is overloaded, and
 * ever longer, up to a minute, once five tries in a row have failed. It then gets one request at a time until one succeeds.
 *
 * @param failures in a row, this one included.
 */
export function pauseMs(httpStatus: number | undefined, retryAfterMs: number | undefined, failures: number): number {
  const circuit =
    failures < CIRCUIT.failures ? 0 : Math.min(CIRCUIT.maxMs, CIRCUIT.firstMs * 2 ** Math.min(10, failures - CIRCUIT.failures));
  if (httpStatus === undefined || !SLOW_DOWN.has(httpStatus)) return circuit;
  const asked = Math.min(SLOW_DOWN_MS.max, Math.max(SLOW_DOWN_MS.min, retryAfterMs ?? SLOW_DOWN_MS.default));
  return Math.max(circuit, asked);
}
