// Kernels in WebAssembly beside the host's plain loops, which define them.

import { Generator, type Tensor } from '@gradgate/core';
import { expect } from 'vitest';
import { kernels as host } from '../../../packages/core/src/backend/host/kernels.js';
import { closeWindows } from '../../../packages/core/src/backend/host/storage.js';
import { kernels as wasm } from '../../../packages/core/src/backend/wasm/kernels.js';
import type { DType } from '../../../packages/core/src/memory/dtype.js';
import { InternalTensor } from '../internalTensor.js';

/** What normal numbers are not. */
export const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-42, -1e-42, 1e30, -1e30, 0, -0];

export interface Values {
  readonly dtype?: DType;
  readonly scale?: number;
  /** Values of which some elements are. */
  readonly odd?: readonly number[];
}

/** A tensor of normal numbers: contiguous at first, then a part of a larger storage, then with its dimensions turned. */
export function random(shape: readonly number[], seed: number, layout: 0 | 1 | 2, values: Values = {}): Tensor {
  const { dtype = 'float32', scale = 1, odd = [] } = values;
  const generator = new Generator(seed);
  const n = shape.reduce((a, b) => a * b, 1);
  const offset = layout === 1 ? 3 : 0;
  const data = Float64Array.from({ length: n + 2 * offset }, () =>
    odd.length > 0 && generator.below(16) === 0 ? odd[generator.below(odd.length)]! : generator.normal() * scale,
  );
  const all = InternalTensor.of(data, 'float64', [data.length]).to(dtype);
  if (layout === 1) return all.narrow(0, offset, n).view(shape);
  return layout === 0
    ? all.view(shape)
    : all.view(shape.toReversed()).permute(shape.map((_, d) => shape.length - 1 - d));
}

/** How far results may be apart: absolute, and in parts of what is expected. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

/** Calls a kernel of either table, which writes all of the results, and compares these. */
export function expectAlike(
  call: (kernels: typeof host, ...results: Tensor[]) => void,
  shapes: readonly (readonly number[])[],
  { absolute, relative }: Tolerance,
  dtypes: readonly DType[] = shapes.map(() => 'float32'),
): void {
  const results = (kernels: typeof host) => {
    const all = shapes.map((shape, i) => {
      const out = InternalTensor.uninitialized(dtypes[i]!, shape);
      // So that an element that is not written is found.
      kernels.fill(12345.5, out);
      return out;
    });
    call(kernels, ...all);
    closeWindows();
    return all.map((t) => t.toTypedArray());
  };
  const [got, want] = [results(wasm), results(host)];
  want.forEach((values, r) => {
    values.forEach((w, i) => {
      const g = got[r]![i]!;
      const alike =
        Object.is(g, w) || (Number.isNaN(g) && Number.isNaN(w)) || Math.abs(g - w) <= Math.abs(w) * relative + absolute;
      if (!alike) expect.fail(`result ${r}, element ${i}: ${g}, expected ${w}`);
    });
  });
}

const bits = { float16: [10, -14], bfloat16: [7, -126] } as const;

/** Of a half type: each element is what is expected, rounded once. float32 on the way may tip a tie, so one step is granted. */
export function expectRounded(got: Tensor, want: Tensor): void {
  expect(got.shape).toEqual(want.shape);
  const dtype = got.dtype as keyof typeof bits;
  const [fraction, least] = bits[dtype];
  const [values, exact, rounded] = [got.toTypedArray(), want.toTypedArray(), want.to(dtype).toTypedArray()];
  exact.forEach((w, i) => {
    if (values[i] === rounded[i]) return;
    const step = 2 ** (Math.max(least, Math.floor(Math.log2(Math.abs(w)))) - fraction);
    // Next to a tie, and hardly more than half a step away.
    if (!(Math.abs(values[i]! - w) <= step * 0.51)) expect.fail(`element ${i}: ${values[i]}, expected ${w}`);
  });
}
