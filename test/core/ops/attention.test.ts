import { Generator, grad, randn, scaledDotProductAttention, type Tensor } from '@gradgate/core';
import { describe, expect, it } from 'vitest';

describe.each([false, true])('attention of float32 agrees with that of float64, causal: %s', (isCausal) => {
  it.each([
    [40, 40],
    [30, 37],
    [37, 30],
  ])('%i queries over %i keys, with its derivatives', (length, keys) => {
    const generator = new Generator(length);
    const values = [
      randn([2, 3, length, 8], { generator }),
      randn([2, 3, keys, 8], { generator }),
      randn([2, 3, keys, 5], { generator }),
    ];
    const [got, want] = (['float32', 'float64'] as const).map((dtype) => {
      const inputs = values.map((t) => t.to(dtype).detach().requiresGrad_());
      const [q, k, v] = inputs as [Tensor, Tensor, Tensor];
      const y = scaledDotProductAttention(q, k, v, { isCausal, scale: 0.7 });
      const plain = grad(y.square().sum(), inputs, { retainGraph: true });
      const first = grad(y.square().sum(), inputs, { createGraph: true });
      const second = grad(
        first.map((t) => t.square().sum()).reduce((a, b) => a.add(b)),
        inputs,
      );
      return [y, ...plain, ...first, ...second].map((t) => t.detach());
    }) as [Tensor[], Tensor[]];
    got.forEach((t, i) => {
      const error = t.to('float64').sub(want[i]!).abs().max().item();
      expect(error / (1 + want[i]!.abs().max().item()), `of result ${i}`).toBeLessThan(1e-5);
    });
  });
});
