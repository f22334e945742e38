// Compares WebAssembly kernels with the host's plain loops, which define them.

import { Generator, type Tensor } from '@gradgate/core';
import { expect } from 'vitest';
import { kernels as host } from '../../../packages/core/src/backend/host/kernels.js';
import { closeWindows } from '../../../packages/core/src/backend/host/storage.js';
import { kernels as wasm } from '../../../packages/core/src/backend/wasm/kernels.js';
import type { DType } from '../../../packages/core/src/memory/dtype.js';
import { InternalTensor } from '../internalTensor.js';

/** Values other than normal numbers. */
export const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-42, -1e-42, 1e30, -1e30, 0, -0];

export interface Values {
  readonly dtype?: DType;
  readonly scale?: number;
  /** Normal numbers, some of them replaced by such values. */
  readonly odd?: readonly number[];
}

/** The same numbers in three layouts: contiguous, inside a larger storage, and transposed. */
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

/** The tolerance: absolute, and relative to the expected value. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

/** Calls a kernel of both tables, which must write all of the results, and compares these. */
export function expectAlike(
  call: (kernels: typeof host, ...results: Tensor[]) => void,
  shapes: readonly (readonly number[])[],
  { absolute, relative }: Tolerance,
  dtypes: readonly DType[] = shapes.map(() => 'float32'),
): void {
  const results = (kernels: typeof host) => {
    const all = shapes.map((shape, i) => {
      const out = InternalTensor.uninitialized(dtypes[i]!, shape);
      // Marks every element, so that one that is not written is found.
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

/**
 * For half types: each element is the expected value, rounded once. float32 in between may decide a tie differently, so one
 * step is allowed.
 */
export function expectRounded(got: Tensor, want: Tensor): void {
  expect(got.shape).toEqual(want.shape);
  const dtype = got.dtype as keyof typeof bits;
  const [fraction, least] = bits[dtype];
  const [values, exact, rounded] = [got.toTypedArray(), want.toTypedArray(), want.to(dtype).toTypedArray()];
  exact.forEach((w, i) => {
    if (values[i] === rounded[i]) return;
    const step = 2 ** (Math.max(least, Math.floor(Math.log2(Math.abs(w)))) - fraction);
    // Close to a tie, and hardly more than half a step away.
    if (!(Math.abs(values[i]! - w) <= step * 0.51)) expect.fail(`element ${i}: ${values[i]}, expected ${w}`);
  });
}
