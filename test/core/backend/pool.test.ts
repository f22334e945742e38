import { avgPool2d, type DType, grad, maxPool2d, ones, tensor } from '@gradgate/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outputSize } from '../../../packages/core/src/backend/convolution.js';
import { kernels as host } from '../../../packages/core/src/backend/host/kernels.js';
import { windowAreas } from '../../../packages/core/src/backend/pooling.js';
import { InternalTensor } from '../internalTensor.js';
import { expectAlike, odd, random } from './compare.js';

const pair = (least: number, most: number) =>
  fc.tuple(fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most }));
const geometries = fc
  .record({
    batch: fc.integer({ min: 0, max: 2 }),
    channels: fc.integer({ min: 1, max: 2 }),
    h: fc.integer({ min: 1, max: 9 }),
    w: fc.integer({ min: 1, max: 14 }),
    window: fc.record({ kernel: pair(1, 4), stride: pair(1, 3), padding: pair(0, 2), dilation: pair(1, 2) }),
  })
  .filter((g) => outputSize(g.h, 0, g.window) > 0 && outputSize(g.w, 1, g.window) > 0)
  .filter(({ window: { kernel, padding } }) => padding[0] * 2 <= kernel[0] && padding[1] * 2 <= kernel[1]);
const layouts = fc.constantFrom(0, 1, 2) as fc.Arbitrary<0 | 1 | 2>;

type Window = Parameters<typeof outputSize>[2];

/** The places of each window among all elements, by definition. */
function placesOf([batch, channels, h, w]: number[], { kernel, stride, padding, dilation }: Window): number[][] {
  const [rows, columns] = [[h, 0] as const, [w, 1] as const].map(([n, d]) =>
    outputSize(n!, d, { kernel, stride, padding, dilation }),
  ) as [number, number];
  return Array.from({ length: batch! * channels! * rows * columns }, (_, at) => {
    const n = Math.floor(at / (rows * columns));
    const [y, z] = [Math.floor(at / columns) % rows, at % columns];
    const seen: number[] = [];
    for (let i = 0; i < kernel[0]; i++)
      for (let j = 0; j < kernel[1]; j++) {
        const row = y * stride[0] - padding[0] + i * dilation[0];
        const column = z * stride[1] - padding[1] + j * dilation[1];
        if (row >= 0 && row < h! && column >= 0 && column < w!) seen.push((n * h! + row) * w! + column);
      }
    return seen;
  });
}

describe('pooling', () => {
  it('of largest elements agrees with the definition, NaN first, and so does its gradient', () => {
    fc.assert(
      fc.property(
        geometries,
        layouts,
        fc.nat(),
        fc.boolean(),
        ({ batch, channels, h, w, window }, layout, seed, isOdd) => {
          const shape = [batch, channels, h, w];
          const results = [batch, channels, outputSize(h, 0, window), outputSize(w, 1, window)];
          const x = random(shape, seed, layout, { odd: isOdd ? odd.slice(0, 7) : [] });
          const [values, places] = [
            InternalTensor.uninitialized('float32', results),
            InternalTensor.uninitialized('int32', results),
          ];
          host.maxPool(x, window, values, places);
          const [all, got, at] = [x.toTypedArray(), values.toTypedArray(), places.toTypedArray()];
          placesOf(shape, window).forEach((seen, i) => {
            const best = seen.some((p) => Number.isNaN(all[p])) ? Number.NaN : Math.max(...seen.map((p) => all[p]!));
            expect(got[i]).toBe(best);
            // A wide window may miss a small image altogether.
            if (seen.length === 0) expect(at[i]).toBe(-1);
            else expect(seen).toContain(at[i]);
            if (seen.length > 0) expect(all[at[i]!]).toBe(best);
          });
          const exact = { absolute: 0, relative: 0 };
          const dtypes: DType[] = ['float32', 'int32'];
          expectAlike((k, out, where) => k.maxPool(x, window, out!, where!), [results, results], exact, dtypes);
          const g = random(results, seed + 1, layout);
          expectAlike((k, out) => k.maxPoolGradient(g, places, out!), [shape], { absolute: 1e-5, relative: 1e-6 });
          const wanted = new Float64Array(x.numel);
          g.toTypedArray().forEach((v, i) => {
            if (at[i]! >= 0) wanted[at[i]!]! += v;
          });
          const slope = InternalTensor.uninitialized('float32', shape);
          host.maxPoolGradient(g, places, slope);
          slope.toTypedArray().forEach((v, i) => {
            expect(v).toBeCloseTo(wanted[i]!, 4);
          });
        },
      ),
      { numRuns: 150 },
    );
  });

  it('of means agrees with the definition, and so does its gradient', () => {
    fc.assert(
      fc.property(
        geometries,
        layouts,
        fc.nat(),
        fc.boolean(),
        ({ batch, channels, h, w, window }, layout, seed, insideOnly) => {
          const plain = { ...window, dilation: [1, 1] as const };
          if (outputSize(h, 0, plain) < 1 || outputSize(w, 1, plain) < 1) return;
          const shape = [batch, channels, h, w];
          const counts = [outputSize(h, 0, plain), outputSize(w, 1, plain)] as const;
          const results = [batch, channels, ...counts];
          const areas = windowAreas(h, w, plain, counts, insideOnly ? 0 : plain.kernel[0] * plain.kernel[1]);
          const [x, g] = [random(shape, seed, layout), random(results, seed + 1, layout)];
          const [means, slope] = [
            InternalTensor.uninitialized('float32', results),
            InternalTensor.uninitialized('float32', shape),
          ];
          host.avgPool(x, areas, means);
          host.avgPoolGradient(g, areas, slope);
          const [all, got, given] = [x.toTypedArray(), means.toTypedArray(), g.toTypedArray()];
          const wanted = new Float64Array(x.numel);
          placesOf(shape, plain).forEach((seen, i) => {
            const count = insideOnly ? seen.length : plain.kernel[0] * plain.kernel[1];
            expect(got[i]).toBeCloseTo(seen.reduce((sum, p) => sum + all[p]!, 0) / count, 5);
            for (const p of seen) wanted[p]! += given[i]! / count;
          });
          slope.toTypedArray().forEach((v, i) => {
            expect(v).toBeCloseTo(wanted[i]!, 4);
          });
        },
      ),
    );
  });

  it('has gradients of gradients, also where a window misses the image', () => {
    const x = tensor([[[[1, 5, 2, 3]]]], { dtype: 'float64', requiresGrad: true });
    const y = maxPool2d(x.square(), [1, 2], { stride: 2, padding: [0, 1] });
    const first = grad(y.square().sum(), [x], { createGraph: true })[0]!;
    expect(first.toArray()).toEqual([[[[4, 500, 0, 108]]]]);
    expect(grad(first.sum(), [x])[0]!.toArray()).toEqual([[[[12, 300, 0, 108]]]]);
    const wide = maxPool2d(ones([1, 1, 1, 1], { requiresGrad: true }), 3, { stride: 1, padding: 1, dilation: 1 });
    expect(wide.toArray()).toEqual([[[[1]]]]);
    expect(avgPool2d(x, [1, 2]).toArray()).toEqual([[[[3, 2.5]]]]);
  });
});
