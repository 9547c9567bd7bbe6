/** Where the SDK's time comes from. The gateway's clock and its test double fit this shape as they are. */
export interface SdkClock {
  /** Wall-clock time in milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
  /** Calls `run` once after `delayMs`; cancelling twice does nothing. */
  setTimer(delayMs: number, run: () => void): { cancel(): void };
}

export const systemClock: SdkClock = {
  now: () => Date.now(),
  setTimer(delayMs, run) {
    const handle = setTimeout(run, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};
