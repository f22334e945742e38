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
