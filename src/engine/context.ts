import type { Clock, DomainClock } from '../kernel/clock.js';
import type { MessageStore } from '../store/index.js';

/** What the parts of the engine share. */
export interface EngineContext {
  store: MessageStore;
  clock: Clock;
  domainClock: DomainClock;
  /** Hints, sent after the commit that they are about. Losing one delays something until the next sweep. */
  announce: {
    /** A device's queue has something new. */
    envelopes(deviceId: string): void;
    /** A device is no longer its account's. */
    removed(deviceId: string): void;
    /** The outbox has new facts. */
    facts(): void;
    /** A device acknowledged one of the gateway's own notices. */
    noticeDelivered(id: string): void;
  };
}
