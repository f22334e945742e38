import { type Tensor, tensor } from '@gradgate/core';

/** The points of a square grid over the plot, row by row from the top left, `[n * n, 2]`. The plot reaches from -`reach` to `reach`. */
export function gridOf(n: number, reach: number): Tensor {
  const values = new Float32Array(n * n * 2);
  const at = (i: number) => (((i + 0.5) / n) * 2 - 1) * reach;
  for (let row = 0, i = 0; row < n; row++)
    for (let column = 0; column < n; column++) {
      values[i++] = at(column);
      values[i++] = -at(row);
    }
  return tensor(values, { shape: [n * n, 2] });
}
