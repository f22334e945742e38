import {
  binaryCrossEntropyWithLogits,
  crossEntropy,
  Generator,
  grad,
  mseLoss,
  rand,
  randn,
  type Tensor,
  tensor,
} from '@gradgate/core';
import { describe, expect, it } from 'vitest';

// In float64 these losses are made of operators, whose gradients are checked elsewhere.

type Reduction = 'mean' | 'sum' | 'none';

/** The loss, its gradients, and the gradients of a number made of those. */
function derivatives(loss: (...inputs: Tensor[]) => Tensor, inputs: Tensor[]): Tensor[] {
  const value = loss(...inputs);
  const weights = tensor(
    Array.from({ length: value.numel }, (_, i) => 0.7 + 0.1 * (i % 5)),
    { dtype: value.dtype },
  ).reshape(value.shape);
  const total = value.mul(weights).sum();
  const plain = grad(total, inputs, { retainGraph: true }) as Tensor[];
  const first = grad(total, inputs, { createGraph: true }) as Tensor[];
  const second = grad(
    first.map((g) => g.square().sum()).reduce((a, b) => a.add(b)),
    inputs,
  ) as Tensor[];
  return [value.detach(), ...plain, ...first.map((g) => g.detach()), ...second];
}

function expectAlike(loss: (...inputs: Tensor[]) => Tensor, inputs: Tensor[]): void {
  const leaves = (dtype: 'float32' | 'float64') => inputs.map((x) => x.to(dtype).detach().requiresGrad_());
  const got = derivatives(loss, leaves('float32'));
  const want = derivatives(loss, leaves('float64'));
  got.forEach((t, i) => {
    expect(t.dtype).toBe('float32');
    expect(t.shape).toEqual(want[i]!.shape);
    const [a, b] = [t.toTypedArray(), want[i]!.toTypedArray()];
    for (let j = 0; j < a.length; j++) expect(Math.abs(a[j]! - b[j]!)).toBeLessThan(2e-5 * (1 + Math.abs(b[j]!)));
  });
}

describe.each(['mean', 'sum', 'none'] as Reduction[])(
  'fused losses, reduced by %s, and their derivatives',
  (reduction) => {
    it.each([
      [4, 3],
      [60, 11],
    ])('crossEntropy of [%i, %i]', (rows, n) => {
      const generator = new Generator(rows);
      const classes = Array.from({ length: rows }, (_, r) => (r % 5 === 2 ? -100 : generator.below(n)));
      const target = tensor(classes, { dtype: 'int32' });
      expectAlike((x) => crossEntropy(x!, target, { reduction }), [randn([rows, n], { generator })]);
      const columns = randn([n, rows], { generator });
      expectAlike((x) => crossEntropy(x!.t(), target, { reduction }), [columns]);
    });

    it.each([7, 1000])('mseLoss and binaryCrossEntropyWithLogits of %i', (n) => {
      const generator = new Generator(n);
      const [x, y] = [randn([n], { generator }), rand([n], { generator })];
      expectAlike((x, y) => mseLoss(x!, y!, { reduction }), [x, y]);
      expectAlike((x) => mseLoss(y.to(x!.dtype), x!, { reduction }), [x]);
      expectAlike((x, y) => binaryCrossEntropyWithLogits(x!, y!, { reduction }), [x, y]);
    });
  },
);

describe('crossEntropy of rows', () => {
  it('leaves ignored rows out, whatever they hold', () => {
    const x = tensor(
      [
        [1, 2, 3],
        [Number.NaN, 0, 1],
      ],
      { requiresGrad: true },
    );
    const loss = crossEntropy(x, tensor([2, 1], { dtype: 'int32' }), { ignoreIndex: 1 });
    expect(loss.item()).toBeCloseTo(0.407606, 5);
    loss.backward();
    expect(x.grad!.toArray()).toEqual([
      [expect.closeTo(0.09003, 5), expect.closeTo(0.244728, 5), expect.closeTo(-0.334759, 5)],
      [0, 0, 0],
    ]);
  });

  it('is NaN where nothing is left, and 0 as a sum', () => {
    const [x, y] = [randn([2, 3]), tensor([-100, -100], { dtype: 'int32' })];
    expect(crossEntropy(x, y).item()).toBeNaN();
    expect(crossEntropy(x, y, { reduction: 'sum' }).item()).toBe(0);
    expect(crossEntropy(randn([0, 3]), tensor([], { dtype: 'int32' })).item()).toBeNaN();
  });

  it('does not mind a write to the scores or the classes before backward, as before', () => {
    const w = randn([4, 3], { requiresGrad: true });
    const x = w.mul(1);
    const y = tensor([0, 1, 2, 0], { dtype: 'int32' });
    const loss = crossEntropy(x, y);
    const want = grad(crossEntropy(w, y), [w])[0]!;
    x.add_(1);
    y.add_(1);
    expect(grad(loss, [w])[0]!.toArray()).toEqual(want.toArray());
  });
});
