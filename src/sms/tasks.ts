import type { Log } from '../kernel/log.js';

/** Work that nobody awaits: a failure is logged by name and left to the next sweep, and closing waits for all of it. */
export interface Tasks {
  start(name: string, work: () => Promise<unknown>): void;
  /** Resolves when everything that was started has ended. */
  settled(): Promise<void>;
}

export function createTasks(log: Log): Tasks {
  const running = new Set<Promise<unknown>>();
  return {
    start(name, work) {
      const task = work()
        .catch((failure: unknown) => log.error({ task: name, ...failureFields(failure) }, 'sms work failed'))
        .finally(() => running.delete(task));
      running.add(task);
    },
    async settled() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}

/** What may be logged of any failure: its code, the operation of the store that failed, or its kind. A message could quote a value. */
export function failureFields(failure: unknown): { failure: string } {
  if (!(failure instanceof Error)) return { failure: typeof failure };
  const operation = /^[A-Za-z.]+ failed: [A-Z_]+/.exec(failure.message)?.[0];
  if (operation !== undefined) return { failure: operation };
  const code: unknown = Reflect.get(failure, 'code');
  return { failure: typeof code === 'string' ? code : failure.name };
}
