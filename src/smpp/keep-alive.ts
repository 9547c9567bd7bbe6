import type { Clock, Timer } from '../kernel/clock.js';

/** Asks a silent peer whether it is there, and notices a session that nobody uses (SMPP 3.4 §7.2). */
export interface KeepAlive {
  start(): void;
  stop(): void;
  /** A message went either way. */
  used(): void;
}

export interface KeepAliveOptions {
  readonly clock: Clock;
  /** Silence after which `enquire` is called, and once more after each such silence; 0 never. */
  readonly enquireLinkMs: number;
  /** Time without a message after which `onIdle` is called once; 0 never. */
  readonly inactivityMs: number;
  /** When the peer was last heard, on the monotonic clock. */
  readonly lastHeardMs: () => number;
  readonly enquire: () => void;
  readonly onIdle: () => void;
}

/** Traffic only stamps the time; the timers look at the stamp when they fire, so that a busy session sets none per PDU. */
export function createKeepAlive({ clock, enquireLinkMs, inactivityMs, lastHeardMs, enquire, onIdle }: KeepAliveOptions): KeepAlive {
  let enquireTimer: Timer | undefined;
  let idleTimer: Timer | undefined;
  let lastUsedMs = 0;

  function watchSilence(sinceMs: number): void {
    if (enquireLinkMs <= 0) return;
    const dueInMs = () => Math.max(sinceMs, lastHeardMs()) + enquireLinkMs - clock.monotonicMs();
    enquireTimer = clock.setTimer(dueInMs(), () => {
      if (dueInMs() > 0) return watchSilence(sinceMs);
      // The next period begins now, answered or not; `enquire` may also stop us.
      watchSilence(clock.monotonicMs());
      enquire();
    });
  }

  function watchUse(): void {
    if (inactivityMs <= 0) return;
    const dueInMs = () => lastUsedMs + inactivityMs - clock.monotonicMs();
    idleTimer = clock.setTimer(dueInMs(), () => (dueInMs() > 0 ? watchUse() : onIdle()));
  }

  return {
    start() {
      lastUsedMs = clock.monotonicMs();
      watchSilence(lastUsedMs);
      watchUse();
    },
    stop() {
      enquireTimer?.cancel();
      idleTimer?.cancel();
    },
    used() {
      lastUsedMs = clock.monotonicMs();
    },
  };
}
