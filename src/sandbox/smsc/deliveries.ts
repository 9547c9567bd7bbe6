import type { Clock, Instant, Timer } from '../../kernel/clock.js';
import type { Log } from '../../kernel/log.js';
import type { DeliverOutcome, SmscSession } from './session.js';

/** One `deliver_sm`, as plain data so that it can be written down. */
export interface DeliverFields {
  from: string;
  to: string;
  esmClass: number;
  dataCoding: 0 | 8;
  text: string;
  /** User data header in hexadecimal digits. */
  udh?: string;
  /** The receipt's TLVs. */
  receipt?: { messageId: string; state: number };
}

/** A receipt or a handset's message that the account has not acknowledged yet. */
export interface OwedDelivery {
  deliveryId: string;
  systemId: string;
  kind: 'receipt' | 'mo';
  /** Of the request that a handset's message was written for. */
  requestId?: string;
  dueAt: Instant;
  parts: DeliverFields[];
}

export type Settlement = { kind: 'acknowledged' } | { kind: 'refused'; status: number } | { kind: 'closed' };

export interface Deliveries {
  /** False, and nothing is kept, when 10,000 are waiting. `via` is tried first when it can receive. */
  owe(delivery: OwedDelivery, via?: SmscSession): boolean;
  /** Sends what waits for this account, now that one of its binds may take it. */
  pump(systemId: string): void;
  owed(): OwedDelivery[];
  close(): void;
}

export interface DeliveriesOptions {
  clock: Clock;
  log: Log;
  sessionsOf(systemId: string): SmscSession[];
  onSettled(delivery: OwedDelivery, settlement: Settlement): void;
}

const OWED_MAX = 10_000;
const WINDOW_MAX = 10;
const RETRY_DELAY_MS = 5_000;
const ATTEMPTS_MAX = 10;
/** ESME_RX_P_APPN and ESME_RX_R_APPN: refused for good (SMPP 3.4 §5.1.3). */
const REFUSED_FOR_GOOD = new Set([0x65, 0x66]);

/** What the SMSC owes to its accounts: kept while nobody is bound, sent again until acknowledged, in order of becoming due. */
export function createDeliveries(options: DeliveriesOptions): Deliveries {
  const { clock, log } = options;
  const owed = new Map<string, OwedDelivery & { attempts: number }>();
  const ready = new Map<string, string[]>();
  const timers = new Set<Timer>();
  let turn = 0;
  let closed = false;

  function settle(delivery: OwedDelivery, settlement: Settlement) {
    owed.delete(delivery.deliveryId);
    options.onSettled(delivery, settlement);
  }

  function due({ systemId, deliveryId }: OwedDelivery) {
    queueOf(systemId).push(deliveryId);
    pump(systemId);
  }

  function later(delayMs: number, delivery: OwedDelivery) {
    if (delayMs <= 0) return due(delivery);
    const timer = clock.setTimer(delayMs, () => {
      timers.delete(timer);
      due(delivery);
    });
    timers.add(timer);
  }

  function queueOf(systemId: string): string[] {
    const queue = ready.get(systemId) ?? [];
    ready.set(systemId, queue);
    return queue;
  }

  /** Binds take turns, so that receipts also come on a sibling of the bind that submitted. */
  function pick(systemId: string): SmscSession | undefined {
    const free = options.sessionsOf(systemId).filter((session) => session.canReceive() && session.inFlight() < WINDOW_MAX);
    turn += 1;
    return free[turn % free.length];
  }

  function pump(systemId: string) {
    const queue = queueOf(systemId);
    while (!closed && queue.length > 0) {
      const session = pick(systemId);
      if (!session) return;
      const delivery = owed.get(queue.shift() ?? '');
      if (delivery) void attempt(delivery, session);
    }
  }

  async function attempt(delivery: OwedDelivery & { attempts: number }, session: SmscSession) {
    const outcomes = await Promise.all(delivery.parts.map((part) => session.deliver(part)));
    if (closed) return;
    const bad = outcomes.find((outcome) => outcome.kind !== 'response' || outcome.status !== 0);
    if (!bad) settle(delivery, { kind: 'acknowledged' });
    else again(delivery, bad);
    pump(delivery.systemId);
  }

  function again(delivery: OwedDelivery & { attempts: number }, outcome: DeliverOutcome) {
    // A link that dropped is not the peer's refusal: it goes to the front and leaves with the next bind.
    if (outcome.kind === 'lost') return void queueOf(delivery.systemId).unshift(delivery.deliveryId);
    delivery.attempts += 1;
    const status = outcome.kind === 'response' ? outcome.status : 0;
    if (REFUSED_FOR_GOOD.has(status) || delivery.attempts >= ATTEMPTS_MAX) {
      log.warn({ systemId: delivery.systemId, kind: delivery.kind, commandStatus: status }, 'sandbox delivery given up');
      return settle(delivery, { kind: 'refused', status });
    }
    later(RETRY_DELAY_MS, delivery);
  }

  return {
    owe(delivery, via) {
      if (closed || owed.size >= OWED_MAX) return false;
      const kept = { ...delivery, attempts: 0 };
      owed.set(delivery.deliveryId, kept);
      if (via?.canReceive()) void attempt(kept, via);
      else later(delivery.dueAt - clock.now(), kept);
      return true;
    },
    pump,
    owed: () => [...owed.values()],
    close() {
      closed = true;
      for (const timer of timers) timer.cancel();
      timers.clear();
      for (const delivery of owed.values()) settle(delivery, { kind: 'closed' });
    },
  };
}
