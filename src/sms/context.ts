import type { Clock, DomainClock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import type { MessageStore } from '../store/index.js';
import type { SmsMessage } from './message.js';
import type { SmsEngine, SmsPartners } from './ports.js';
import type { Serial } from './serial.js';
import type { Tasks } from './tasks.js';

/** What the parts of the bridge share. */
export interface SmsContext {
  store: MessageStore;
  clock: Clock;
  domainClock: DomainClock;
  log: Log;
  engine: SmsEngine;
  partners: SmsPartners;
  tasks: Tasks;
  /** Names this node where several share the database. */
  nodeId: string | undefined;
  /** One change at a time for one message, or for one handset. */
  serial: Serial;
  /** Tells the ESME that a message is from what became of it; it may be told again. */
  tellEsme: (message: SmsMessage) => Promise<void>;
  /** Hint that the outbox of messages.db has new events. */
  wakeOutbox: () => void;
}
