import { expect, test } from 'vitest';
import type { Comparison, Side } from '../../tools/bench/bench.js';
import { compare, table } from '../../tools/bench/compare.js';

/** A side whose rounds give these values in turn, and note who was asked when. */
function side(name: string, values: readonly number[], asked: string[]): Side {
  let turn = 0;
  return {
    name,
    round: async () => {
      asked.push(name);
      const value = values[turn++] ?? 0;
      return { value, cpuMicros: value * 2 };
    },
  };
}

const run = (given: Partial<Comparison>, asked: string[] = []) =>
  compare(
    {
      name: 'window 1',
      unit: 'submits/s',
      isMoreBetter: true,
      ours: side('ours', [999, 40, 10, 30, 20, 50], asked),
      peer: side('theirs', [1, 10, 10, 15, 10, 5], asked),
      ...given,
    },
    { benchName: 'wire', runs: 5, say: () => undefined },
  );

test('rounds are interleaved, the first of each is not counted, and medians, range and CPU are told', async () => {
  const asked: string[] = [];
  expect(await run({}, asked)).toEqual({
    name: 'wire window 1', unit: 'submits/s', ours: 30, peer: 10, peerName: 'theirs', ratio: 3, runs: 5,
    spread: { ours: [10, 50], peer: [5, 15] }, cpuOurs: 60, cpuPeer: 20,
  }); // biome-ignore format: one line of JSON
  expect(asked).toEqual(Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? 'ours' : 'theirs')));
});

test('where less is better, a ratio above 1 still says that we are ahead', async () => {
  expect(await run({ isMoreBetter: false })).toMatchObject({ ratio: 0.3333 });
});

test('a figure of ours alone has no ratio, and the table shows what there is', async () => {
  const ours = side('ours', [0, 1.5, 1.5, 1.5, 1.5, 1.5], []);
  const result = await compare({ name: '', unit: 'ms', isMoreBetter: false, ours }, { benchName: 'wire', runs: 5, say: () => undefined });
  expect(result).toMatchObject({ name: 'wire', ours: 1.5, peer: null, peerName: null, ratio: null, cpuPeer: null });
  expect(table([result])).toContain('wire  ms     1.5  [1.5–1.5]');
});

test('a side that fails has no figure', async () => {
  const broken: Side = { name: 'ours', round: () => Promise.reject(new Error('lost 3 of 10')) };
  await expect(run({ ours: broken })).rejects.toThrow('lost 3 of 10');
});
