/** How long to wait before each next try. */
export interface Backoff {
  firstMs: number;
  maxMs: number;
  /** Growth per try; 2 unless told otherwise. */
  factor?: number;
}

/**
 * The delay before try number `attempt` (1 = the first retry): exponential up to `maxMs`, with "equal jitter" (half
 * fixed, half random), so that many clients that failed together do not come back together.
 *
 * @param random a number in [0, 1), from the caller so that tests can fix it.
 */
export function backoffMs({ firstMs, maxMs, factor = 2 }: Backoff, attempt: number, random: number = Math.random()): number {
  const full = Math.min(maxMs, firstMs * factor ** Math.max(0, attempt - 1));
  return Math.round(full / 2 + (full / 2) * random);
}
