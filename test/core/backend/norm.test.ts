import { batchNorm, grad, groupNorm, layerNorm, normalize, ones, rmsNorm, type Tensor, zeros } from '@gradgate/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectAlike, expectRounded, odd, random } from './compare.js';

const layouts = fc.constantFrom(0, 1, 2) as fc.Arbitrary<0 | 1 | 2>;
const close = { absolute: 2e-5, relative: 2e-5 };

describe('normalization in WebAssembly agrees with the definition', () => {
  const rows = fc.record({
    rows: fc.integer({ min: 0, max: 50 }),
    n: fc.integer({ min: 1, max: 65 }),
    layout: layouts,
    hasWeight: fc.boolean(),
    hasBias: fc.boolean(),
    isCentered: fc.boolean(),
    isOdd: fc.boolean(),
    seed: fc.nat(),
  });

  it('of rows, and their gradients', () => {
    fc.assert(
      fc.property(rows, ({ rows, n, layout, hasWeight, hasBias, isCentered, isOdd, seed }) => {
        const shape = [rows, n];
        const x = random(shape, seed, layout, { scale: 2, odd: isOdd ? odd.slice(0, 6) : [] });
        const weight = hasWeight ? random([n], seed + 1, layout) : null;
        const bias = hasBias ? random([n], seed + 2, layout) : null;
        expectAlike(
          (k, out, means, scales) => k.normRows(x, weight, bias, 0.01, isCentered, out!, means!, scales!),
          [shape, [rows], [rows]],
          close,
        );
        const v = random(shape, seed, layout, { scale: 2 });
        const [g, means, scales] = [
          random(shape, seed + 3, 0),
          random([rows], seed + 4, 0),
          random([rows], seed + 5, 0),
        ];
        const shapes = [shape, ...(hasWeight ? [[n]] : []), ...(hasBias ? [[n]] : [])];
        expectAlike(
          (k, out, ...sums) => {
            const ofWeight = hasWeight ? sums[0]! : null;
            const ofBias = hasBias ? sums.at(-1)! : null;
            k.normRowsGradient(g, v, weight, means, scales.abs(), isCentered, out!, ofWeight, ofBias);
          },
          shapes,
          { absolute: 5e-4, relative: 1e-4 },
        );
      }),
      { numRuns: 200 },
    );
  });

  const images = fc.record({
    batch: fc.integer({ min: 1, max: 6 }),
    groups: fc.integer({ min: 1, max: 3 }),
    size: fc.integer({ min: 1, max: 4 }),
    inner: fc.integer({ min: 1, max: 65 }),
    ofBatch: fc.boolean(),
    layout: layouts,
    hasWeight: fc.boolean(),
    hasBias: fc.boolean(),
    seed: fc.nat(),
  });

  it('of channels, and their gradients', () => {
    fc.assert(
      fc.property(images, ({ batch, groups, size, inner, ofBatch, layout, hasWeight, hasBias, seed }) => {
        const channels = groups * size;
        const shape = [batch, channels, inner];
        const x = random(shape, seed, layout, { scale: 2 }).add(3);
        const weight = hasWeight ? random([channels], seed + 1, layout) : null;
        const bias = hasBias ? random([channels], seed + 2, layout) : null;
        const channelsOf = { batch, channels, inner, together: ofBatch ? 0 : size };
        const count = [ofBatch ? channels : batch * groups];
        expectAlike(
          (k, out, means, variances) => k.normChannels(x, weight, bias, channelsOf, 0.01, out!, means!, variances!),
          [shape, count, count],
          close,
        );
        const g = random(shape, seed + 3, 0);
        const [means, variances] = [
          random(count, seed + 4, 0).add(3),
          random(count, seed + 5, 0)
            .abs()
            .add(0.5),
        ];
        const shapes = [shape, ...(hasWeight ? [[channels]] : []), ...(hasBias ? [[channels]] : [])];
        expectAlike(
          (k, out, ...sums) => {
            const ofWeight = hasWeight ? sums[0]! : null;
            const ofBias = hasBias ? sums.at(-1)! : null;
            k.normChannelsGradient(g, x, weight, means, variances, channelsOf, 0.01, out!, ofWeight, ofBias);
          },
          shapes,
          { absolute: 2e-3, relative: 2e-4 },
        );
        const [scale, shift] = [random([channels], seed + 6, layout), random([channels], seed + 7, layout)];
        expectAlike((k, out) => k.scaleChannels(x, scale, shift, out!), [shape], close);
      }),
      { numRuns: 200 },
    );
  });

  it('gives zeros as gradients of weights where there are no rows', () => {
    const none = [random([0, 8], 1, 0), random([0], 1, 0)] as const;
    expectAlike(
      (k, out, ofWeight, ofBias) =>
        k.normRowsGradient(none[0], none[0], null, none[1], none[1], true, out!, ofWeight!, ofBias!),
      [[0, 8], [8], [8]],
      close,
    );
    const [x, w] = [zeros([0, 8], { requiresGrad: true }), ones([8], { requiresGrad: true })];
    expect(grad(layerNorm(x, [8], w).sum(), [w])[0]!.toArray()).toEqual(Array(8).fill(0));
  });
});

describe.each(['float16', 'bfloat16'] as const)('of %s', (dtype) => {
  const cases: [string, number[], number[], (x: Tensor, w: Tensor, b: Tensor) => Tensor][] = [
    ['layerNorm', [9, 33], [33], (x, w, b) => layerNorm(x, [33], w, b)],
    ['layerNorm without weights', [9, 33], [33], (x) => layerNorm(x, [33])],
    ['rmsNorm', [9, 33], [33], (x, w) => rmsNorm(x, [33], w)],
    ['groupNorm', [3, 6, 5], [6], (x, w, b) => groupNorm(x, 2, w, b)],
    [
      'batchNorm of columns',
      [20, 6],
      [6],
      (x, weight, bias) => batchNorm(x, null, null, { weight, bias, training: true }),
    ],
    ['batchNorm', [4, 6, 5], [6], (x, weight, bias) => batchNorm(x, null, null, { weight, bias, training: true })],
    [
      'batchNorm without training',
      [4, 6, 5],
      [6],
      (x, weight, bias) => batchNorm(x, bias.detach(), weight.detach().abs(), { weight, bias }),
    ],
    ['normalize', [9, 33], [33], (x) => normalize(x)],
  ];

  it.each(cases)('%s is that of float64 rounded once, and so are its gradients', (_, shape, affine, f) => {
    const values = [random(shape, 1, 0), random(affine, 2, 0), random(affine, 3, 0)].map((t) => t.to(dtype));
    const g = random(shape, 4, 0).to(dtype);
    const derivatives = (isDouble: boolean): Tensor[] => {
      const inputs = values.map((t) => (isDouble ? t.double() : t).detach().requiresGrad_()) as [
        Tensor,
        Tensor,
        Tensor,
      ];
      const y = f(...inputs);
      const gradients = grad(y, inputs, { gradOutputs: isDouble ? g.double() : g, allowUnused: true });
      return [y, ...gradients].filter((t) => t !== null).map((t) => t.detach());
    };
    const [got, want] = [derivatives(false), derivatives(true)];
    expect(got).toHaveLength(want.length);
    got.forEach((t, i) => {
      expect(t.dtype).toBe(dtype);
      expectRounded(t, want[i]!);
    });
  });
});

it('weights and biases of another shape are refused by name', () => {
  const x = ones([2, 3]);
  expect(() => layerNorm(x, [3], ones([1]))).toThrow(
    'layerNorm: weight has shape [1], expected the normalized shape [3]',
  );
  expect(() => layerNorm(x, [3], null, ones([2, 3]))).toThrow('layerNorm: bias has shape [2, 3]');
  expect(() => rmsNorm(x, [3], ones([1]))).toThrow('rmsNorm: weight has shape [1]');
  expect(() => groupNorm(x, 3, ones([2]))).toThrow(
    'groupNorm: weight has shape [2], expected [3], one for each channel',
  );
});
