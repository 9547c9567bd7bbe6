import type { Parameter } from '../store/index.js';

/** Lengths of IN lists: a few prepared statements serve every number of values. */
function placesFor(count: number): number {
  let places = 1;
  while (places < count) places *= 8;
  return places;
}

/**
 * `$n, $n+1, …` for an IN list, with places for more than there are values, which are filled with NULL and equal nothing.
 *
 * @param first number of the first place.
 */
export function inList(values: readonly string[], first: number): { list: string; values: Parameter[] } {
  const places = Array.from({ length: placesFor(values.length) }, (_, index) => index);
  return { list: places.map((index) => `$${first + index}`).join(', '), values: places.map((index) => values[index] ?? null) };
}
