import { ceil, floor, frac, round, type Tensor, tensor, trunc } from '@gradgate/core';
import { describe, expect, it } from 'vitest';

const operators: [name: string, round: (x: Tensor) => Tensor, ofHalves: number[]][] = [
  ['floor', floor, [-2, -1, 0, 1, 2]],
  ['ceil', ceil, [-1, 0, 1, 2, 3]],
  ['trunc', trunc, [-1, 0, 0, 1, 2]],
  ['round', round, [-2, 0, 0, 2, 2]],
];

describe.each(operators)('%s', (name, of, ofHalves) => {
  it('rounds numbers, and leaves integers as they are', () => {
    expect(
      of(tensor([-1.5, -0.5, 0.5, 1.5, 2.5]))
        .add(0)
        .toArray(),
    ).toEqual(ofHalves);
    expect(of(tensor([-3, 4], { dtype: 'int32' }))).toEqual(tensor([-3, 4], { dtype: 'int32' }));
  });

  it('refuses bool by name, as in PyTorch', () => {
    expect(() => of(tensor([true, false]))).toThrow(`${name}: takes numbers, got bool; use .int() or .float()`);
  });
});

it('frac refuses bool by name', () => {
  expect(() => frac(tensor([true]))).toThrow('frac: takes numbers, got bool; use .int() or .float()');
  expect(frac(tensor([-1.5, 2.25])).toArray()).toEqual([-0.5, 0.25]);
});
