import { Generator, randn, type Tensor, tensor } from '@gradgate/core';
import { optim } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

// float64 parameters are stepped in JavaScript; many float32 ones by kernels, and have to follow them.

const options: [name: keyof typeof optim, options: Record<string, unknown>][] = [
  ['SGD', { lr: 0.1 }],
  ['SGD', { lr: 0.1, weightDecay: 0.1, maximize: true }],
  ['SGD', { lr: 0.1, momentum: 0.9, dampening: 0.1 }],
  ['SGD', { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.01 }],
  ['Adam', { lr: 0.01 }],
  ['AdamW', { lr: 0.01, amsgrad: true, maximize: true }],
  ['Adam', { lr: 0.01, amsgrad: true, weightDecay: 0.1 }],
  ['RMSprop', { lr: 0.01, weightDecay: 0.1 }],
  ['RMSprop', { lr: 0.01, momentum: 0.9 }],
  ['RMSprop', { lr: 0.01, centered: true, maximize: true }],
  ['Adagrad', { lr: 0.1, lrDecay: 0.1, weightDecay: 0.1, maximize: true }],
  ['Lion', { lr: 0.01, weightDecay: 0.1, maximize: true }],
];

function walk(
  name: keyof typeof optim,
  given: Record<string, unknown>,
  dtype: 'float32' | 'float64',
  n: number,
): Tensor {
  const w = randn([n], { generator: new Generator(1) })
    .to(dtype)
    .detach()
    .requiresGrad_();
  const optimizer = new (optim as Record<string, any>)[name]([w], given);
  for (let step = 0; step < 5; step++) {
    w.grad = randn([n], { generator: new Generator(step + 2) }).to(dtype);
    optimizer.step();
  }
  return w.detach();
}

describe.each(options)('%s with %j', (name, given) => {
  it.each([10, 1500, 10001])('over %i elements', (n) => {
    const [got, want] = [
      walk(name, given, 'float32', n).toTypedArray(),
      walk(name, given, 'float64', n).toTypedArray(),
    ];
    for (let i = 0; i < n; i++) expect(Math.abs(got[i]! - want[i]!)).toBeLessThan(2e-5 * (1 + Math.abs(want[i]!)));
  });
});

it('Lion keeps what is no number', () => {
  const w = tensor(new Float32Array(2000).fill(1), { requiresGrad: true });
  w.grad = tensor(Float32Array.from({ length: 2000 }, (_, i) => (i === 7 ? Number.NaN : i - 100)));
  new optim.Lion([w], { lr: 0.5 }).step();
  const values = w.toTypedArray();
  expect(values[7]).toBeNaN();
  expect([values[0], values[100], values[101]]).toEqual([1.5, 1, 0.5]);
});

/** The first four weights after steps by these gradients, each repeated over `n` elements. */
function diverging(optimizer: Case, weights: number[], gradients: number[][], dtype: Float, n: number): number[] {
  const [name, given] = optimizer;
  const w = tensor(weights, { dtype })
    .repeat(n / 4)
    .requiresGrad_();
  const made = new (optim as Record<string, any>)[name]([w], given);
  for (const g of gradients) {
    w.grad = tensor(g, { dtype }).repeat(n / 4);
    made.step();
  }
  return [...w.detach().narrow(0, 0, 4).toTypedArray()];
}

type Case = readonly [name: string, options: Record<string, unknown>];
type Float = 'float32' | 'float64';
const { POSITIVE_INFINITY: inf, NaN: nan } = Number;

// As PyTorch, which adds no penalty where there is none: 0 times infinity is NaN.
describe.each<readonly [Float, number]>([
  ['float32', 4],
  ['float32', 2000],
  ['float64', 4],
])('infinite %s numbers, %i of them, stay infinite without weight decay:', (dtype, n) => {
  it.each<Case>([
    ['SGD', { lr: 0.1 }],
    ['SGD', { lr: 0.1, momentum: 0.9 }],
    ['SGD', { lr: 0.1, momentum: 0.9, nesterov: true }],
    ['SGD', { lr: 0.1, momentum: 0.9, dampening: 0.5 }],
    ['RAdam', { lr: 0.1 }],
    ['ASGD', { lr: 0.1 }],
  ])('weights after an infinite gradient, of %s with %j', (...optimizer) => {
    const gradients = [
      [inf, -inf, nan, 1],
      [1, 1, 1, 1],
      [1, 1, 1, 1],
    ];
    const values = diverging(optimizer, [1, 2, 3, 4], gradients, dtype, n);
    expect(values.slice(0, 3)).toEqual([-inf, inf, nan]);
    expect(values[3]).toBeLessThan(4);
  });

  it.each<Case>([
    ['SGD', {}],
    ['SGD', { momentum: 0.9 }],
    ['Adam', {}],
    ['Adam', { amsgrad: true }],
    ['AdamW', {}],
    ['RMSprop', {}],
    ['RMSprop', { momentum: 0.9, centered: true }],
    ['Adagrad', {}],
    ['Adadelta', {}],
    ['Adamax', {}],
    ['NAdam', {}],
    ['RAdam', {}],
    ['ASGD', {}],
    ['Rprop', {}],
    ['Lion', {}],
  ])('infinite weights, of %s with %j', (...optimizer) => {
    const values = diverging(
      optimizer,
      [inf, -inf, nan, 4],
      [
        [1, 1, 1, 1],
        [1, 1, 1, 1],
      ],
      dtype,
      n,
    );
    expect(values.slice(0, 3)).toEqual([inf, -inf, nan]);
    expect(values[3]).toBeLessThan(4);
  });

  it('with weight decay an infinite weight has an infinite penalty', () => {
    const values = diverging(['SGD', { weightDecay: 0.1 }], [inf, -inf, nan, 4], [[1, 1, 1, 1]], dtype, n);
    expect(values.slice(0, 3)).toEqual([nan, nan, nan]);
  });
});
