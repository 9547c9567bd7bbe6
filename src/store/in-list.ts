import { assert } from '../kernel/errors.js';
import type { Parameter } from './messages.js';

/** The next of a few lengths, so that a few prepared statements serve every number of values. */
function placesFor(count: number): number {
  let places = 1;
  while (places < count) places *= 8;
  return places;
}

/**
 * `$1, $2, …` for an IN list. It has places for more than there are values, which are filled with NULL and equal nothing.
 *
 * @param first number of the first place.
 * @param places how many the list has; given where the caller bounds its values, and one prepared statement serves them all.
 */
export function inList(values: readonly string[], first = 1, places = placesFor(values.length)): { list: string; values: Parameter[] } {
  assert(values.length <= places, 'no more values than places');
  const all = Array.from({ length: places }, (_, index) => index);
  return { list: all.map((index) => `$${first + index}`).join(', '), values: all.map((index) => values[index] ?? null) };
}
