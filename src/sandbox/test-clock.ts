import { type Clock, type DomainClock, type Instant, toRfc3339 } from '../kernel/clock.js';
import { invalidField } from '../kernel/errors.js';
import type { AfterCommit, ControlStore, ControlTransaction } from '../store/index.js';

export interface TestClock extends DomainClock {
  /** Reads the stored offsets: before anything asks for the time, and when another node may have moved one. */
  load(): Promise<void>;
  /**
   * Moves one partner's domain time, forwards or backwards. What has already happened stays as it is.
   *
   * @throws GatewayError `INVALID_ARGUMENT` unless exactly one of the two is given.
   */
  move(tx: ControlTransaction, hints: AfterCommit, partnerId: string, to: ClockMove): Promise<TestTime>;
  show(partnerId: string): TestTime;
}

export interface ClockMove {
  now?: string;
  advanceSeconds?: number;
}

export interface TestTime {
  now: string;
  offsetSeconds: number;
}

/** The domain time of sandbox partners: the wall clock plus an offset that the partner sets. */
export function createTestClock({
  control,
  clock,
  onMove,
}: {
  control: ControlStore;
  clock: Clock;
  onMove(partnerId: string): void;
}): TestClock {
  const offsets = new Map<string, number>();
  const offsetOf = (partnerId: string) => offsets.get(partnerId) ?? 0;
  const now = (partnerId: string): Instant => clock.now() + offsetOf(partnerId) * 1_000;
  const show = (partnerId: string): TestTime => ({ now: toRfc3339(now(partnerId)), offsetSeconds: offsetOf(partnerId) });
  return {
    now,
    show,
    async load() {
      for (const row of await control.read.sandboxClock.findMany()) offsets.set(row.partnerId, row.offsetSeconds);
    },
    async move(tx, hints, partnerId, { now: wanted, advanceSeconds }) {
      if ((wanted === undefined) === (advanceSeconds === undefined)) throw invalidField('', 'give exactly one of now and advanceSeconds');
      // As it is stored: another node may have moved it a moment ago.
      const before = (await tx.sandboxClock.findUnique({ where: { partnerId } }))?.offsetSeconds ?? 0;
      const offsetSeconds = wanted === undefined ? before + (advanceSeconds ?? 0) : Math.ceil((Date.parse(wanted) - clock.now()) / 1_000);
      const updatedAt = new Date(clock.now());
      await tx.sandboxClock.upsert({
        where: { partnerId },
        create: { partnerId, offsetSeconds, updatedAt },
        update: { offsetSeconds, updatedAt },
      });
      hints.afterCommit(() => {
        offsets.set(partnerId, offsetSeconds);
        onMove(partnerId);
      });
      return { now: toRfc3339(clock.now() + offsetSeconds * 1_000), offsetSeconds };
    },
  };
}
