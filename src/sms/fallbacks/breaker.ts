import type { Clock, Instant } from '../../kernel/clock.js';

/** How our own delivery does: when acks, push or nodes are sick, what looks unread may only be late. */
export type DeliveryHealth = { isSick: false } | { isSick: true; reason: string };

export interface BreakerOptions {
  clock: Clock;
  /** Claims of one partner, at most. */
  perMinute: number;
  perHour: number;
  health?: (() => DeliveryHealth) | undefined;
}

export interface Breaker {
  /** How many fallbacks of a partner may be claimed now; 0 while the breaker holds them. */
  allowance(partnerId: string): number;
  claimed(partnerId: string, count: number, at?: Instant): void;
  /** Before all claims are counted anew. */
  forgetClaims(): void;
  /** Why due fallbacks of a partner are held, in words for people. */
  reason(partnerId: string): string | undefined;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** After our delivery recovered, the acks that were stuck get this long to come in before anything is claimed. */
const RECOVERY_MS = 30_000;

/**
 * A storm of fallbacks is worse than silence. Claims are capped per partner, minute and hour, and stop altogether while our
 * own delivery is sick. What is held stays armed: its claim looks at the acks again.
 */
export function createBreaker({ clock, perMinute, perHour, health }: BreakerOptions): Breaker {
  const claims = new Map<string, { at: Instant; count: number }[]>();
  let sickUntil = Number.NEGATIVE_INFINITY;
  let sickReason = '';

  function countSince(partnerId: string, since: Instant): number {
    const recent = (claims.get(partnerId) ?? []).filter(({ at }) => at > clock.now() - HOUR_MS);
    claims.set(partnerId, recent);
    return recent.reduce((sum, { at, count }) => sum + (at > since ? count : 0), 0);
  }

  function isSick(): boolean {
    const state = health?.() ?? { isSick: false };
    if (state.isSick) {
      sickUntil = clock.monotonicMs() + RECOVERY_MS;
      sickReason = state.reason;
    }
    return clock.monotonicMs() < sickUntil;
  }

  function room(partnerId: string): { minute: number; hour: number } {
    const now = clock.now();
    return { minute: perMinute - countSince(partnerId, now - MINUTE_MS), hour: perHour - countSince(partnerId, now - HOUR_MS) };
  }

  return {
    allowance(partnerId) {
      if (isSick()) return 0;
      const { minute, hour } = room(partnerId);
      return Math.max(0, Math.min(minute, hour));
    },
    claimed(partnerId, count, at = clock.now()) {
      if (count > 0) claims.set(partnerId, [...(claims.get(partnerId) ?? []), { at, count }]);
    },
    forgetClaims: () => claims.clear(),
    reason(partnerId) {
      if (isSick()) return `Fallbacks are held: ${sickReason}`;
      const { minute, hour } = room(partnerId);
      if (hour <= 0) return `Fallbacks are held: the cap of ${perHour} an hour is reached.`;
      return minute <= 0 ? `Fallbacks are held: the cap of ${perMinute} a minute is reached.` : undefined;
    },
  };
}
