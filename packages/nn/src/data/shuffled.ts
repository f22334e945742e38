import { currentGenerator, type Generator } from '@gradgate/core';

/** More numbers than that take a gigabyte as a list, and end the process with its heap. */
const maxLength = 2 ** 27;

/** The whole numbers from 0 to n - 1 in random order. */
export function shuffled(n: number, generator: Generator = currentGenerator()): number[] {
  if (n > maxLength)
    throw new RangeError(
      `a random order of ${n} samples cannot be held, at most of ${maxLength}; draw with { replacement: true }, or shuffle parts`,
    );
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = generator.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
