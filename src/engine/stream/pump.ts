import type { Envelope } from '../envelopes/envelope.js';

/** Envelopes that a device may have been sent and not answered. */
export const IN_FLIGHT_MAX = 256;
/** Envelopes of one read: with bodies of 128 KiB that is 2 MiB in memory at most. */
const PAGE = 16;

export interface Pump {
  /** There may be something new to send. */
  wake(): void;
  /** The socket may have room again. */
  resume(): void;
  /** The device answered a frame of ours; 200 is the ack. Any other answer leaves the envelope for the next connection. */
  answered(frameId: string, status: number): void;
  stop(): void;
}

/**
 * Sends a queue in order, at most 256 unanswered at a time, and no faster than the socket takes them. It reads
 * `seq > cursor`, so it does not matter how often it is woken, and an envelope is sent once per connection.
 */
export function createPump(given: {
  read(cursor: number, limit: number): Promise<Envelope[]>;
  acknowledge(envelopeId: string): Promise<void>;
  send(frame: unknown): void;
  /** Whether the socket takes more. When it does again, somebody calls `resume`. */
  hasRoom(): boolean;
  onFailure(failure: unknown): void;
}): Pump {
  /** Frame id → envelope, from sending to the commit of its ack; the value is undefined while that runs. */
  const inFlight = new Map<string, string | undefined>();
  let cursor = 0;
  let isRunning = false;
  /** Whether rows beyond the cursor may be there. */
  let hasMore = false;
  let isStopped = false;
  let saidEmpty = false;

  const mayRead = (): boolean => !isStopped && given.hasRoom() && inFlight.size < IN_FLIGHT_MAX;

  /** Sends one page and says whether the queue may hold more. */
  async function page(): Promise<void> {
    const limit = Math.min(PAGE, IN_FLIGHT_MAX - inFlight.size);
    hasMore = false;
    const envelopes = await given.read(cursor, limit);
    for (const envelope of envelopes) {
      if (!mayRead()) {
        hasMore = true;
        return;
      }
      const id = `m${envelope.seq}`;
      inFlight.set(id, envelope.envelopeId);
      cursor = envelope.seq;
      given.send({ id, t: 'req', verb: 'PUT', path: '/message', body: envelope });
    }
    if (envelopes.length === limit) hasMore = true;
    else if (!saidEmpty && !isStopped) {
      saidEmpty = true;
      given.send({ id: 'empty', t: 'req', verb: 'PUT', path: '/queue/empty' });
    }
  }

  async function run(): Promise<void> {
    if (isRunning) return;
    isRunning = true;
    try {
      while (hasMore && mayRead()) await page();
    } catch (failure) {
      hasMore = true;
      given.onFailure(failure);
    } finally {
      isRunning = false;
    }
  }

  function wake(): void {
    hasMore = true;
    void run();
  }

  async function acknowledge(frameId: string, envelopeId: string): Promise<void> {
    inFlight.set(frameId, undefined);
    try {
      await given.acknowledge(envelopeId);
    } catch (failure) {
      given.onFailure(failure);
    } finally {
      inFlight.delete(frameId);
      void run();
    }
  }

  return {
    wake,
    resume: () => void run(),
    answered(frameId, status) {
      const envelopeId = inFlight.get(frameId);
      if (envelopeId === undefined) return;
      if (status === 200) void acknowledge(frameId, envelopeId);
      else {
        inFlight.delete(frameId);
        void run();
      }
    },
    stop() {
      isStopped = true;
    },
  };
}
