/**
 * Wake-ups and other frames that may be lost: the record is always SQL, so nothing depends on a frame's arrival.
 * Within one process (in-process.ts), or between nodes by NATS core (nats.ts).
 */
export interface Bus {
  publish(subject: string, body: string): void;
  /** `subject` is matched whole. Returns how to stop listening. */
  subscribe(subject: string, listener: (body: string) => void): () => void;
}

/**
 * What a bus tells its own process when it has been away and is back: frames of other nodes may have been lost, so whoever
 * waits for some looks for itself. A bus within one process never tells it.
 */
export const BUS_RESUMED = 'bus.resumed';
