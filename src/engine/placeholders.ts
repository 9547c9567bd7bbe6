import { assert } from '../kernel/errors.js';

/** `$1, $2, …` for an IN list that always has `max` places, so that one prepared statement serves every length. */
export function placeholders(values: readonly string[], max: number): { list: string; values: (string | null)[] } {
  assert(values.length <= max, 'no more values than places');
  const places = Array.from({ length: max }, (_, index) => index);
  return { list: places.map((index) => `$${index + 1}`).join(', '), values: places.map((index) => values[index] ?? null) };
}

/** For a list that may be short or long: the next of a few lengths, so that a few prepared statements serve all of them. */
export const placesFor = (count: number): number => {
  let places = 1;
  while (places < count) places *= 8;
  return places;
};
