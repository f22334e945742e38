import { describe, it } from 'vitest';
import { functions } from '../../../packages/core/src/ops/define.js';
import { expectAlike, random } from './compare.js';

type Dims = readonly number[];

/** The shape that two broadcast to. */
const broadcast = (a: Dims, b: Dims): number[] => {
  const ndim = Math.max(a.length, b.length);
  const at = (shape: Dims, d: number) => shape[shape.length - ndim + d] ?? 1;
  return Array.from({ length: ndim }, (_, d) => Math.max(at(a, d), at(b, d)));
};

describe('two operands of float32 that are broadcast', () => {
  // Rows short and long, fewer and more than are put together for a call of a kernel, and a last block that is not full.
  const shapes: readonly (readonly [Dims, Dims])[] = [
    [[1024, 64], [64]],
    [[3000, 7], [7]],
    [[7], [3000, 7]],
    [
      [3000, 7],
      [3000, 1],
    ],
    [
      [2500, 1],
      [1, 11],
    ],
    [[5, 2000], [2000]],
    [
      [5, 2000],
      [5, 1],
    ],
    [
      [4, 300, 9],
      [4, 1, 9],
    ],
    [
      [4, 300, 9],
      [300, 1],
    ],
    [
      [6, 1, 130],
      [5, 1],
    ],
    [[129], [1]],
  ];
  it.each(shapes)('%j and %j', (a, b) => {
    for (const name of ['sub', 'mul'] as const)
      for (const layout of [0, 1, 2] as const) {
        const fn = functions.binary.get(name)!;
        const [x, y] = [random(a, 1, layout), random(b, 2, layout)];
        expectAlike((kernels, out) => kernels.binary(fn, x, y, out), [broadcast(a, b)], { absolute: 0, relative: 0 });
      }
  });

  it('are read before they are written over, in place', () => {
    const fn = functions.binary.get('add')!;
    const row = random([9], 3, 0);
    expectAlike(
      (kernels, out) => {
        kernels.copy(random([2000, 9], 4, 0), out);
        kernels.binary(fn, out, row, out);
      },
      [[2000, 9]],
      { absolute: 0, relative: 0 },
    );
  });
});
