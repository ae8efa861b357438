/** Repeatable random numbers: the same seed gives the same numbers. Not for secrets. */
export interface Random {
  /** A number from 0 up to, but not including, 1. */
  fraction(): number;
  /** A whole number from `least` to `most`, both included. */
  integer(least: number, most: number): number;
  /** True with `probability` (0 to 1). */
  chance(probability: number): boolean;
  /** One item of a list with at least one. */
  pick<T>(items: readonly [T, ...T[]]): T;
  /** A new list of the same items in another order. */
  shuffle<T>(items: readonly T[]): T[];
}

/**
 * Mulberry32: 32 bits of state, fast, even enough for samples and faults.
 *
 * @param seed any number; equal seeds give equal sequences
 */
export const createRandom = (seed: number): Random => {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0;
  const fraction = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    fraction,
    integer: (least, most) => least + Math.floor(fraction() * (most - least + 1)),
    chance: (probability) => fraction() < probability,
    pick: (items) => items[Math.floor(fraction() * items.length)] ?? items[0],
    shuffle: (items) =>
      items
        .map((item) => ({ item, key: fraction() }))
        .sort((a, b) => a.key - b.key)
        .map(({ item }) => item),
  };
};
