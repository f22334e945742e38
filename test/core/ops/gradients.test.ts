import * as core from '@gradgate/core';
import { Generator, grad, randn, type Tensor } from '@gradgate/core';
import { describe, expect, it } from 'vitest';

// float64 gradients are checked by gradcheck; here those of float32, by kernels and by loops, are compared with them.

const functions: Record<string, (x: Tensor) => Tensor> = {
  tanh: core.tanh,
  sigmoid: core.sigmoid,
  silu: core.silu,
  square: core.square,
  abs: core.abs,
  sqrt: (x) => core.sqrt(x.abs().add(0.1)),
  rsqrt: (x) => core.rsqrt(x.abs().add(0.5)),
  reciprocal: (x) => core.reciprocal(x.abs().add(0.5)),
  expm1: core.expm1,
  log: (x) => core.log(x.abs().add(0.1)),
  log1p: (x) => core.log1p(x.abs()),
  clamp: (x) => core.clamp(x, -0.5, 0.75),
  elu: (x) => core.elu(x, { alpha: 1.3 }),
  leakyRelu: (x) => core.leakyRelu(x, 0.2),
  'pow 2': (x) => core.pow(x, 2),
  'pow 3': (x) => core.pow(x, 3),
  'pow 0': (x) => core.pow(x, 0),
  'pow -1.5': (x) => core.pow(x.abs().add(0.5), -1.5),
  'softmax, rows': (x) => core.softmax(x, -1),
  'logSoftmax, rows': (x) => core.logSoftmax(x, -1),
  'logSoftmax, columns': (x) => core.logSoftmax(x, 0),
  'var, rows': (x) => core.var(x, -1),
  'var, columns': (x) => core.var(x, 0, { correction: 0 }),
  'var of all': (x) => core.var(x).reshape(1),
  'norm, rows': (x) => core.norm(x, 2, -1),
  'varMean, rows': (x) => core.varMean(x, -1).reduce((a, b) => a.add(b)),
  'logsumexp, rows': (x) => core.logsumexp(x, -1),
};

function derivatives(fn: (x: Tensor) => Tensor, x: Tensor): Tensor[] {
  const leaf = x.detach().requiresGrad_();
  const y = fn(leaf);
  const g = randn(y.shape, { generator: new Generator(5) }).to(x.dtype);
  const plain = grad(y, leaf, { gradOutputs: g, retainGraph: true } as never) as unknown as Tensor | Tensor[];
  const first = grad(y, leaf, { gradOutputs: g, createGraph: true } as never) as unknown as Tensor | Tensor[];
  const one = (t: Tensor | Tensor[]) => (Array.isArray(t) ? t[0]! : t);
  const second = one(first).requiresGrad ? one(grad(one(first).square().sum(), leaf) as never) : one(first);
  return [y, one(plain), one(first), second].map((t) => t.detach());
}

describe.each(Object.entries(functions))('%s of float32 and its derivatives', (_, fn) => {
  it.each([
    [3, 5],
    [31, 40],
  ])('of [%i, %i], row-major and not', (rows, n) => {
    const x = randn([rows, n], { generator: new Generator(rows) });
    for (const of of [x, x.t()]) {
      const got = derivatives(fn, of);
      const want = derivatives(fn, of.to('float64'));
      got.forEach((t, i) => {
        expect(t.dtype).toBe('float32');
        expect(t.shape).toEqual(want[i]!.shape);
        const [a, b] = [t.toTypedArray(), want[i]!.toTypedArray()];
        for (let j = 0; j < a.length; j++)
          expect(Math.abs(a[j]! - b[j]!), `${i}: ${a[j]}, expected ${b[j]}`).toBeLessThan(3e-5 * (1 + Math.abs(b[j]!)));
      });
    }
  });
});
