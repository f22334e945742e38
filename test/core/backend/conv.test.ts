import { conv2d, convTranspose2d, Generator, ones } from '@gradgate/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Geometry, outputSize } from '../../../packages/core/src/backend/convolution.js';
import * as host from '../../../packages/core/src/backend/host/conv.js';
import { dataOf } from '../../../packages/core/src/backend/host/data.js';
import * as wasm from '../../../packages/core/src/backend/wasm/conv.js';
import { InternalTensor } from '../internalTensor.js';

const two = (least: number, most: number) =>
  fc.tuple(fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most }));
const geometries = fc
  .record({
    batch: fc.integer({ min: 0, max: 3 }),
    groups: fc.integer({ min: 1, max: 2 }),
    inputs: fc.integer({ min: 1, max: 3 }),
    outputs: fc.integer({ min: 1, max: 3 }),
    h: fc.integer({ min: 1, max: 9 }),
    w: fc.integer({ min: 1, max: 9 }),
    window: fc.record({ kernel: two(1, 3), stride: two(1, 3), padding: two(0, 2), dilation: two(1, 2) }),
  })
  .filter((g) => outputSize(g.h, 0, g.window) > 0 && outputSize(g.w, 1, g.window) > 0)
  .map((g) => ({ ...g, positions: [outputSize(g.h, 0, g.window), outputSize(g.w, 1, g.window)] as const }));

type Make = (n: number, generator?: Generator) => Float32Array | Float64Array;
const kinds: [string, Make][] = [
  ['float32', (n, g) => Float32Array.from({ length: n }, () => g?.normal() ?? 0)],
  ['float64', (n, g) => Float64Array.from({ length: n }, () => g?.normal() ?? 0)],
];

/** Calls `visit` for every product of a convolution: which result, which image element, which kernel element. */
function products(g: Geometry, visit: (out: number, x: number, w: number) => void): void {
  const { kernel, stride, padding, dilation } = g.window;
  const [rows, columns] = [outputSize(g.h, 0, g.window), outputSize(g.w, 1, g.window)];
  for (let n = 0; n < g.batch; n++)
    for (let o = 0; o < g.groups * g.outputs; o++)
      for (let y = 0; y < rows; y++)
        for (let x = 0; x < columns; x++)
          for (let c = 0; c < g.inputs; c++)
            for (let i = 0; i < kernel[0]; i++)
              for (let j = 0; j < kernel[1]; j++) {
                const row = y * stride[0] - padding[0] + i * dilation[0];
                const column = x * stride[1] - padding[1] + j * dilation[1];
                if (row < 0 || row >= g.h || column < 0 || column >= g.w) continue;
                const group = Math.floor(o / g.outputs);
                visit(
                  ((n * g.groups * g.outputs + o) * rows + y) * columns + x,
                  ((n * g.groups * g.inputs + group * g.inputs + c) * g.h + row) * g.w + column,
                  ((o * g.inputs + c) * kernel[0] + i) * kernel[1] + j,
                );
              }
}

const expectClose = (got: ArrayLike<number>, want: Float64Array) => {
  want.forEach((v, i) => {
    expect(Math.abs(got[i]! - v)).toBeLessThan(1e-4);
  });
};

const tables = kinds.flatMap(([dtype, make]) => [
  [dtype, 'host', make, host] as const,
  [dtype, 'wasm', make, wasm] as const,
]);
const view = (data: Float32Array | Float64Array) =>
  InternalTensor.of(data, data instanceof Float32Array ? 'float32' : 'float64', [data.length]);

describe.each(tables)(
  'convolution of %s by %s agrees with the definition, with any stride, padding, dilation and groups',
  (_dtype, _table, make, kernels) => {
    it.each(['forward', 'input', 'weight'] as const)('%s', (which) => {
      fc.assert(
        fc.property(geometries, fc.nat(), fc.boolean(), (g, seed, withBias) => {
          const generator = new Generator(seed);
          const [rows, columns] = [outputSize(g.h, 0, g.window), outputSize(g.w, 1, g.window)];
          const channels = g.groups * g.outputs;
          const x = make(g.batch * g.groups * g.inputs * g.h * g.w, generator);
          const w = make(channels * g.inputs * g.window.kernel[0] * g.window.kernel[1], generator);
          const gradient = make(g.batch * channels * rows * columns, generator);
          const bias = withBias ? make(channels, generator) : null;
          const sizes = { forward: gradient.length, input: x.length, weight: w.length };
          const want = new Float64Array(sizes[which]);
          const out = view(make(sizes[which]).fill(Number.NaN));
          if (which === 'forward') {
            if (bias)
              for (let i = 0; i < want.length; i++) want[i] = bias[Math.floor(i / (rows * columns)) % channels]!;
            products(g, (o, i, k) => {
              want[o]! += x[i]! * w[k]!;
            });
            kernels.conv(view(x), view(w), bias && view(bias), g, out);
          } else if (which === 'input') {
            products(g, (o, i, k) => {
              want[i]! += gradient[o]! * w[k]!;
            });
            kernels.convInput(view(gradient), view(w), g, out);
          } else {
            products(g, (o, i, k) => {
              want[k]! += gradient[o]! * x[i]!;
            });
            kernels.convWeight(view(gradient), view(x), g, out);
          }
          expectClose(dataOf(out), want);
        }),
        { numRuns: 60 },
      );
    });
  },
);

describe('the gradient of images', () => {
  it.each(['float32', 'float64'] as const)(
    '%s: a weight that is no finite number reaches only where it was put',
    (dtype) => {
      for (const channels of [1, 2, 16])
        for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
          const x = ones([1, channels, 4, 4], { dtype, requiresGrad: true });
          const weight = ones([channels, channels, 3, 3], { dtype });
          // The top left element of the first kernel is never put at the last row and column.
          weight.narrow(0, 0, 1).narrow(1, 0, 1).narrow(2, 0, 1).narrow(3, 0, 1).fill_(bad);
          conv2d(x, weight, null, { padding: 1 }).sum().backward();
          const got = x.grad!.toArray() as number[][][][];
          const finite = got[0]![0]!.map((row) => row.map(Number.isFinite));
          expect(finite).toEqual([
            [false, false, false, true],
            [false, false, false, true],
            [false, false, false, true],
            [true, true, true, true],
          ]);
        }
    },
  );
});

describe('what does not fit into kernel memory', () => {
  it('is refused, where its size in bytes is beyond 2^31 and beyond 2^32', () => {
    const x = ones([2, 4, 8, 8]);
    for (const size of [1000, 1500])
      expect(() => convTranspose2d(x, ones([1, 1, 1, 1]).expand([4, 16, size, size]), null, { stride: 2 })).toThrow(
        /needs \d{10,11} bytes of kernel memory/,
      );
    const [image, weight] = [ones([1, 1, 4, 4]), ones([1, 1, 3, 3])];
    expect(() => conv2d(image, weight, null, { padding: 2 ** 17, stride: 2 ** 15 })).toThrow(
      /needs 2748\d{8} bytes of kernel memory/,
    );
  });
});
