import { currentGenerator, type Generator } from '@gradgate/core';

/** The whole numbers from 0 to n - 1 in random order. */
export function shuffled(n: number, generator: Generator = currentGenerator()): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = generator.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
