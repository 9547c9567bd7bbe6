import type { Clock } from '../../kernel/clock.js';

/**
 * How fast a link may go, in segments a second: what the SMSC turns out to grant, up to what was agreed. It belongs to the
 * link and not to a connection, so that what was learnt outlives a reconnect.
 */
export interface AdaptiveRate {
  /** 0 when one more message may go now, else how long to wait. A long message may overdraw: what comes after it waits the longer. */
  waitMs(): number;
  take(segments: number): void;
  /** The SMSC took so many segments. */
  accepted(segments: number): void;
  /** The SMSC refused one because we are too fast or it is full (ESME_RTHROTTLED, ESME_RMSGQFUL). */
  throttled(): void;
  /** congestion_state of a response (SMPP 5.0 §4.8.4.18): 0 idle to 99 nearly congested. */
  congestion(state: number): void;
  /** Segments a second at the moment. */
  perSecond(): number;
}

/** What was accepted is counted over this long, and the rate is cut at most once in it: a cut shows only after it. */
const WINDOW_MS = 1_000;
const SLOTS = 10;
const SLOT_MS = WINDOW_MS / SLOTS;
/** Between two steps up. */
const STEP_MS = 500;
/** A cut goes just below what was accepted, since what was accepted is what is granted. */
const BELOW_GRANT = 0.97;
/** Where nearly nothing was accepted any more, a cut goes down to this part at most: one bad second does not stop a link. */
const CUT_MAX = 0.25;
/** The first step up after a cut; each further one is twice as large until the next refusal. */
const FIRST_STEP = 0.02;
const STEP_MAX = 0.64;
/** SMPP 5.0: from 80 the SMSC works at its optimum, from 90 it is nearly congested. */
const OPTIMUM = 80;
const NEARLY_CONGESTED = 90;

/** @param perSecondMax asked each time, since nodes share a link's rate. */
export function createAdaptiveRate(clock: Clock, perSecondMax: () => number): AdaptiveRate {
  let granted = perSecondMax();
  let tokens = 1;
  let filledAt = clock.monotonicMs();
  let cutAt = Number.NEGATIVE_INFINITY;
  let steppedAt = clock.monotonicMs();
  let step = FIRST_STEP;
  /** Whether somebody had to wait since the last step: a rate that nobody uses up proves nothing by not being refused. */
  let isUsedUp = false;
  /** Whether the SMSC says that it has as much as it likes. */
  let isAtOptimum = false;
  const slots = new Float64Array(SLOTS);
  let slot = Math.floor(clock.monotonicMs() / SLOT_MS);

  const floor = () => Math.min(perSecondMax(), 1);
  const clamp = (rate: number) => Math.max(floor(), Math.min(perSecondMax(), rate));

  function rate(): number {
    const now = clock.monotonicMs();
    if (now - steppedAt >= STEP_MS) {
      if (isUsedUp && !isAtOptimum && granted < perSecondMax()) {
        granted += Math.max(granted * step, floor());
        step = Math.min(STEP_MAX, step * 2);
      }
      steppedAt = now;
      isUsedUp = false;
    }
    granted = clamp(granted);
    return granted;
  }

  /** A tenth of a second's worth may go at once, so that an SMSC's own window is not met by a burst. */
  function fill(): void {
    const now = clock.monotonicMs();
    const perSecond = rate();
    tokens = Math.min(Math.max(1, perSecond / 10), tokens + ((now - filledAt) * perSecond) / 1_000);
    filledAt = now;
  }

  function turn(): void {
    const now = Math.floor(clock.monotonicMs() / SLOT_MS);
    for (let passed = Math.min(now - slot, SLOTS); passed > 0; passed--) slots[(now - passed + 1) % SLOTS] = 0;
    slot = now;
  }

  function acceptedPerSecond(): number {
    turn();
    return slots.reduce((sum, count) => sum + count, 0) * (1_000 / WINDOW_MS);
  }

  function cut(to: number): void {
    const now = clock.monotonicMs();
    step = FIRST_STEP;
    steppedAt = now;
    if (now - cutAt < WINDOW_MS) return;
    cutAt = now;
    granted = clamp(Math.max(granted * CUT_MAX, Math.min(granted, to)));
    tokens = Math.min(tokens, 0);
  }

  return {
    waitMs() {
      fill();
      if (tokens >= 1) return 0;
      isUsedUp = true;
      return Math.max(1, Math.ceil(((1 - tokens) * 1_000) / rate()));
    },
    take(segments) {
      fill();
      tokens -= segments;
    },
    accepted(segments) {
      turn();
      slots[slot % SLOTS] = (slots[slot % SLOTS] ?? 0) + segments;
    },
    throttled: () => cut(acceptedPerSecond() * BELOW_GRANT),
    congestion(state) {
      isAtOptimum = state >= OPTIMUM;
      if (state >= NEARLY_CONGESTED) cut(granted * BELOW_GRANT);
    },
    perSecond: rate,
  };
}
