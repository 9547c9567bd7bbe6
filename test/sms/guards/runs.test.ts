import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRuns } from '../../../src/sms/guards/runs.js';

const START = 999_571_000_000;
const number = (offset: number) => `+${START + offset}`;

test('a run is found whichever way it is filled', () => {
  fc.assert(
    fc.property(
      fc.shuffledSubarray(
        Array.from({ length: 30 }, (_, i) => i),
        { minLength: 1 },
      ),
      (offsets) => {
        const runs = createRuns();
        const seen = new Set<number>();
        for (const offset of offsets) {
          seen.add(offset);
          let length = 1;
          for (let below = offset - 1; seen.has(below); below--) length++;
          for (let above = offset + 1; seen.has(above); above++) length++;
          expect(runs.add('acme', number(offset), 0)).toBe(length);
        }
      },
    ),
  );
});

test('the same number again is no run, and each caller has its own', () => {
  const runs = createRuns();
  expect([runs.add('a', number(1), 0), runs.add('a', number(1), 0), runs.add('a', number(2), 0)]).toEqual([1, 1, 2]);
  expect(runs.add('b', number(3), 0)).toBe(1);
});

test('numbers far apart in time make no run', () => {
  const runs = createRuns();
  runs.add('a', number(1), 0);
  expect(runs.add('a', number(2), 1_300_000)).toBe(1);
});
