import {
  batchNorm,
  Generator,
  grad,
  groupNorm,
  instanceNorm,
  layerNorm,
  ones,
  randn,
  rmsNorm,
  type Tensor,
  zeros,
} from '@gradgate/core';
import { describe, expect, it } from 'vitest';

// In float64 these are made of operators, whose gradients are checked elsewhere.

type Norm = (x: Tensor, weight: Tensor | null, bias: Tensor | null) => Tensor;

const cases: [what: string, shape: number[], affine: number[], norm: Norm][] = [
  ['layerNorm', [40, 33], [33], (x, w, b) => layerNorm(x, [33], w, b)],
  ['layerNorm of several dimensions', [3, 40, 4, 5], [4, 5], (x, w, b) => layerNorm(x, [4, 5], w, b)],
  ['layerNorm of long rows', [2, 9001], [9001], (x, w, b) => layerNorm(x, [9001], w, b)],
  ['rmsNorm', [70, 30], [30], (x, w) => rmsNorm(x, [30], w)],
  ['batchNorm', [6, 5, 4, 7], [5], (x, weight, bias) => batchNorm(x, null, null, { weight, bias, training: true })],
  [
    'batchNorm of columns',
    [200, 5],
    [5],
    (x, weight, bias) => batchNorm(x, null, null, { weight, bias, training: true }),
  ],
  ['groupNorm', [3, 6, 5, 7], [6], (x, w, b) => groupNorm(x, 2, w, b)],
  ['instanceNorm', [3, 6, 35], [6], (x, w, b) => instanceNorm(x, w, b)],
];

function derivatives(norm: Norm, x: Tensor, w: Tensor | null, b: Tensor | null): Tensor[] {
  const inputs = [x, w, b].filter((t) => t !== null);
  const y = norm(x, w, b);
  const gradOutputs = randn(y.shape, { generator: new Generator(9) }).to(y.dtype);
  const plain = grad(y, inputs, { gradOutputs, retainGraph: true, allowUnused: true });
  const first = grad(y, inputs, { gradOutputs, createGraph: true, allowUnused: true });
  const total = first.filter((t) => t?.requiresGrad).map((t) => t!.square().sum());
  const second = grad(
    total.reduce((a, b) => a.add(b)),
    inputs,
    { allowUnused: true },
  );
  return [y, ...plain, ...first, ...second].filter((t) => t !== null).map((t) => t.detach());
}

describe.each(cases)('%s of %j', (_, shape, affine, norm) => {
  it.each([
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ])('with a weight: %s, with a bias: %s', (hasWeight, hasBias) => {
    const generator = new Generator(3);
    const values = [randn(shape, { generator }).add(2), randn(affine, { generator }), randn(affine, { generator })];
    const [got, want] = (['float32', 'float64'] as const).map((dtype) => {
      const [x, w, b] = values.map((t) => t.to(dtype).detach().requiresGrad_()) as [Tensor, Tensor, Tensor];
      return derivatives(norm, x, hasWeight ? w : null, hasBias ? b : null);
    }) as [Tensor[], Tensor[]];
    expect(got).toHaveLength(want.length);
    got.forEach((t, i) => {
      expect(t.shape).toEqual(want[i]!.shape);
      const [a, b] = [t.toTypedArray(), want[i]!.toTypedArray()];
      let [worst, scale] = [0, 1];
      for (let j = 0; j < a.length; j++) {
        worst = Math.max(worst, Math.abs(a[j]! - b[j]!));
        scale = Math.max(scale, Math.abs(b[j]!));
      }
      expect(worst / scale, `of result ${i}`).toBeLessThan(1e-5);
    });
  });
});

describe('batchNorm of float32', () => {
  it('without training gives the same whether it is recorded or not', () => {
    const generator = new Generator(4);
    const [x, weight, bias] = [
      randn([3, 5, 7, 9], { generator }),
      randn([5], { generator }),
      randn([5], { generator }),
    ];
    const [m, v] = [randn([5], { generator }), randn([5], { generator }).abs().add(0.5)];
    const plain = batchNorm(x, m, v, { weight, bias });
    expect(plain.requiresGrad).toBe(false);
    const recorded = batchNorm(x.clone().requiresGrad_(), m, v, { weight, bias });
    expect(recorded.requiresGrad).toBe(true);
    expect(plain.sub(recorded.detach()).abs().max().item()).toBeLessThan(1e-5);
    const want = batchNorm(x.to('float64'), m.to('float64'), v.to('float64'));
    expect(batchNorm(x, m, v).to('float64').sub(want).abs().max().item()).toBeLessThan(1e-5);
  });

  it('moves running statistics as with float64', () => {
    const x = randn([4, 3, 50], { generator: new Generator(1) })
      .mul(2)
      .add(5);
    const [got, want] = (['float32', 'float64'] as const).map((dtype) => {
      const [m, v] = [zeros([3], { dtype }), ones([3], { dtype })];
      batchNorm(x.to(dtype), m, v, { training: true });
      return [...m.toTypedArray(), ...v.toTypedArray()];
    }) as [number[], number[]];
    got.forEach((v, i) => {
      expect(v).toBeCloseTo(want[i]!, 5);
    });
  });

  it('holds where means are large beside deviations, and where all values are equal', () => {
    const x = randn([4, 2, 100], { generator: new Generator(2) })
      .mul(0.5)
      .add(1e4);
    const y = batchNorm(x, null, null, { training: true });
    const want = batchNorm(x.to('float64'), null, null, { training: true });
    expect(y.sub(want.float()).abs().max().item()).toBeLessThan(2e-3);
    const same = batchNorm(ones([4, 2, 100]).mul(0.1), null, null, { training: true });
    expect(same.abs().max().item()).toBeLessThan(1e-3);
    const odd = x.clone();
    odd.set(1, 0, 3, Number.NaN);
    const nan = batchNorm(odd, null, null, { training: true }).isnan();
    expect([nan.select(1, 0).all().item(), nan.select(1, 1).any().item()]).toEqual([1, 0]);
  });
});
