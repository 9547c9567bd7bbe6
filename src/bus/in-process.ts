import type { Bus } from './bus.js';

/** A bus within one process. Listeners run after the publisher's current turn; one that throws harms no other. */
export function createInProcessBus(onError: (failure: unknown) => void): Bus {
  const listeners = new Map<string, Set<(body: string) => void>>();
  return {
    publish(subject, body) {
      const interested = listeners.get(subject);
      if (!interested?.size) return;
      setImmediate(() => {
        for (const listener of interested) {
          try {
            listener(body);
          } catch (failure) {
            onError(failure);
          }
        }
      });
    },
    subscribe(subject, listener) {
      const interested = listeners.get(subject) ?? new Set();
      listeners.set(subject, interested.add(listener));
      return () => {
        interested.delete(listener);
        if (interested.size === 0) listeners.delete(subject);
      };
    },
  };
}
