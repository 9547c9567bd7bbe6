import type { Clock } from '../../../src/kernel/clock.js';
import type { MessageStore } from '../../../src/store/index.js';

/** A commit of the hot path: the nth of that operation, right before or right after it. */
export interface Boundary {
  operation: string;
  nth: number;
  side: 'before' | 'after';
}

export const nameOf = ({ operation, nth, side }: Boundary): string => `${side} ${operation} #${nth}`;

/** One life of a bridge: from its death on it does nothing, hears nothing, and nobody gets an answer from it. */
export interface Life {
  readonly isOver: boolean;
  /** Commits so far, in order. */
  readonly crossed: readonly Boundary[];
  /** What it would have written after that. */
  readonly lost: readonly string[];
  readonly died: Promise<void>;
  /** Counting begins anew. */
  dieAt(boundary: Boundary | undefined): void;
  wrap(messages: MessageStore): MessageStore;
  clock(clock: Clock): Clock;
}

const NEVER = new Promise<never>(() => undefined);

export function createLife(): Life {
  let isOver = false;
  let end: Boundary | undefined;
  let die: () => void = () => undefined;
  const died = new Promise<void>((resolve) => {
    die = () => {
      isOver = true;
      resolve();
    };
  });
  const counts = new Map<string, number>();
  const lost: string[] = [];
  let crossed: Boundary[] = [];
  const crosses = (boundary: Boundary): boolean => end !== undefined && nameOf(end) === nameOf(boundary);
  return {
    get isOver() {
      return isOver;
    },
    get crossed() {
      return crossed;
    },
    lost,
    died,
    dieAt(boundary) {
      end = boundary;
      counts.clear();
      crossed = [];
    },
    wrap: (messages) => ({
      async run(operation, item) {
        if (isOver) {
          lost.push(operation.name);
          return NEVER;
        }
        const nth = (counts.get(operation.name) ?? 0) + 1;
        counts.set(operation.name, nth);
        const before: Boundary = { operation: operation.name, nth, side: 'before' };
        const after: Boundary = { ...before, side: 'after' };
        crossed.push(before, after);
        if (crosses(before)) {
          lost.push(operation.name);
          die();
          return NEVER;
        }
        const result = await messages.run(operation, item);
        if (crosses(after)) die();
        return isOver ? NEVER : result;
      },
      async read(sql, parameters) {
        if (isOver) return NEVER;
        const rows = await messages.read<never>(sql, parameters);
        return isOver ? NEVER : rows;
      },
      waiting: () => messages.waiting(),
    }),
    clock: (clock) => ({
      now: () => clock.now(),
      monotonicMs: () => clock.monotonicMs(),
      setTimer: (delayMs, run) => (isOver ? { cancel: () => undefined } : clock.setTimer(delayMs, () => isOver || run())),
    }),
  };
}
