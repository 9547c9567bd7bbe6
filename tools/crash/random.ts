/** Numbers in [0, bound), the same ones for the same seed (mulberry32). */
export type Random = (bound: number) => number;

export function createRandom(seed: number): Random {
  let state = seed | 0;
  return (bound) => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}
