import type { MatrixRule, View } from '../kernels.js';
import { dataOf, elementsOf } from './data.js';

/** `Kernels.matrices` by the rule's own loop. */
export function matrices(
  rule: MatrixRule,
  inputs: readonly View[],
  outs: readonly View[],
  numbers: readonly number[],
): void {
  const count = inputs[0]!.shape.slice(0, -2).reduce((a, b) => a * b, 1);
  if (count === 0) return;
  const from = inputs.map(elementsOf);
  const to = outs.map(dataOf);
  const results = outs.map(({ numel }) => new Float64Array(numel / count));
  for (let i = 0; i < count; i++) {
    const given = from.map((data) => {
      const n = data.length / count;
      return Float64Array.from(data.subarray(i * n, (i + 1) * n) as Float64Array);
    });
    for (const result of results) result.fill(0);
    rule.loop(given, results, numbers);
    for (const [k, result] of results.entries()) to[k]!.set(result as never, i * result.length);
  }
}
