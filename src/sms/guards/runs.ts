/** How long a run of numbers may take to be one. */
const WINDOW_MS = 600_000;
/** Numbers that are remembered in a window; past it a new one begins. */
const NUMBERS_MAX = 20_000;

/**
 * Finds numbers that follow one another, +1 each, which people's numbers do not: whoever counts up is making traffic. Of each
 * caller it remembers a bounded number of numbers for ten to twenty minutes, in this process only.
 */
export interface Runs {
  /** Adds a number and answers how long the run is that it is now in, 1 for a number alone. */
  add(caller: string, msisdn: string, now: number): number;
}

interface Window {
  since: number;
  /** Both ends of each run: the first number leads to the last, and the last to the first. */
  ends: Map<number, number>;
  numbers: Set<number>;
}

export function createRuns(): Runs {
  const windows = new Map<string, Window[]>();
  const fresh = (since: number): Window => ({ since, ends: new Map(), numbers: new Set() });

  return {
    add(caller, msisdn, now) {
      const number = Number(msisdn.slice(1));
      let [current, last] = windows.get(caller) ?? [];
      if (!current || now - current.since >= WINDOW_MS || now < current.since || current.numbers.size >= NUMBERS_MAX) {
        last = current && now - current.since < 2 * WINDOW_MS ? current : undefined;
        current = fresh(now);
        windows.set(caller, last ? [current, last] : [current]);
      }
      return Math.max(...(last ? [current, last] : [current]).map((window) => extend(window, number)));
    },
  };
}

function extend({ ends, numbers }: Window, number: number): number {
  if (numbers.has(number)) return 1;
  if (numbers.size < NUMBERS_MAX) numbers.add(number);
  const first = numbers.has(number - 1) ? (ends.get(number - 1) ?? number) : number;
  const last = numbers.has(number + 1) ? (ends.get(number + 1) ?? number) : number;
  // What was an end and now lies within is an end no more.
  if (first < number) ends.delete(number - 1);
  if (last > number) ends.delete(number + 1);
  ends.set(first, last);
  ends.set(last, first);
  return last - first + 1;
}
