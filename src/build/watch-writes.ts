import type { Clock } from '../kernel/clock.js';
import { isGatewayError } from '../kernel/errors.js';
import type { Store } from '../store/index.js';

/** How the writes of one database do. */
export interface WriteHealth {
  /** How long the oldest write that is not committed yet has waited; 0 when none waits. */
  oldestMs(): number;
  /** Whether the store could not take the last write, and none has gone through since. */
  hasFailed(): boolean;
}

export interface WatchedStore {
  store: Store;
  control: WriteHealth;
  messages: WriteHealth;
}

/** The store as it is, and how its writes do. */
export function watchWrites(store: Store, clock: Clock): WatchedStore {
  const control = createWatch(clock);
  const messages = createWatch(clock);
  return {
    control,
    messages,
    store: {
      ...store,
      control: { ...store.control, transact: (work, options) => control.watch(store.control.transact(work, options)) },
      messages: { ...store.messages, run: (operation, item) => messages.watch(store.messages.run(operation, item)) },
    },
  };
}

function createWatch(clock: Clock): WriteHealth & { watch<T>(writing: Promise<T>): Promise<T> } {
  /** Since when, the oldest first: a Map keeps the order. */
  const waiting = new Map<number, number>();
  let begun = 0;
  let hasFailed = false;
  return {
    oldestMs() {
      for (const since of waiting.values()) return clock.monotonicMs() - since;
      return 0;
    },
    hasFailed: () => hasFailed,
    watch(writing) {
      const id = ++begun;
      waiting.set(id, clock.monotonicMs());
      return writing.then(
        (result) => {
          waiting.delete(id);
          hasFailed = false;
          return result;
        },
        (failure: unknown) => {
          waiting.delete(id);
          if (isGatewayError(failure, 'UNAVAILABLE')) hasFailed = true;
          throw failure;
        },
      );
    },
  };
}
