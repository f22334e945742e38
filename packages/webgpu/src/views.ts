import type { Shape, Storage, View } from '@gradgate/core';

// Addresses of elements of views. Neighboring dimensions that all operands traverse with one stride are merged, so
// that most calls have one dimension and few programs are needed.

/** A view (or a tensor) as a plain object, to derive other views from. */
export const viewOf = ({ storage, dtype, shape, numel, strides, offset, isContiguous }: View): View => ({
  storage,
  dtype,
  shape,
  numel,
  strides,
  offset,
  isContiguous,
});

/** The view of all elements of a storage. */
export const wholeOf = (storage: Storage): View => ({
  storage,
  dtype: storage.dtype,
  shape: [storage.length],
  numel: storage.length,
  strides: [1],
  offset: 0,
  isContiguous: true,
});

/** The addresses of elements of several views, in the order of one shape. */
export interface Addresses {
  readonly shape: readonly number[];
  /** The strides and the offset of each view. */
  readonly strides: readonly (readonly number[])[];
  readonly offsets: readonly number[];
  /** WGSL that computes the address `at_name` of element `i` in each view. */
  code(names: readonly string[]): string;
}

/** The strides of a view broadcast to a shape. */
function broadcast({ shape, strides }: Pick<View, 'shape' | 'strides'>, to: Shape): number[] {
  const lead = to.length - shape.length;
  return to.map((_, d) => (d < lead || shape[d - lead] === 1 ? 0 : strides[d - lead]!));
}

/** Merges neighboring dimensions that every view traverses with one stride. */
function mergeDims(shape: Shape, strides: readonly (readonly number[])[]): [number[], number[][]] {
  const sizes: number[] = [];
  const steps = strides.map((): number[] => []);
  for (let d = 0; d < shape.length; d++) {
    const n = shape[d]!;
    if (n === 1) continue;
    const last = sizes.length - 1;
    if (last >= 0 && strides.every((s, v) => steps[v]![last] === s[d]! * n)) {
      sizes[last]! *= n;
      for (const [v, s] of strides.entries()) steps[v]![last] = s[d]!;
    } else {
      sizes.push(n);
      for (const [v, s] of strides.entries()) steps[v]!.push(s[d]!);
    }
  }
  if (sizes.length === 0) {
    sizes.push(1);
    for (const s of steps) s.push(0);
  }
  return [sizes, steps];
}

/** The addresses of views that broadcast to a shape. */
export function addressesOf(shape: Shape, views: readonly View[]): Addresses {
  const [sizes, strides] = mergeDims(
    shape,
    views.map((v) => broadcast(v, shape)),
  );
  return {
    shape: sizes,
    strides,
    offsets: views.map((v) => v.offset),
    code: (names) => codeFor(names, sizes.length),
  };
}

/** The names of the numbers that `code` reads. */
export const strideNames = (names: readonly string[], rank: number): string[] => [
  ...Array.from({ length: rank }, (_, d) => `s${d}`),
  ...names.flatMap((name) => [`${name}_o`, ...Array.from({ length: rank }, (_, d) => `${name}_${d}`)]),
];

/** Those numbers. */
export const addressNumbers = ({ shape, strides, offsets }: Addresses): number[] => [
  ...shape,
  ...strides.flatMap((s, v) => [offsets[v]!, ...s]),
];

function codeFor(names: readonly string[], rank: number): string {
  const lines = rank > 1 ? ['var rest = i;'] : [];
  for (let d = rank - 1; d > 0; d--) lines.push(`let d${d} = rest % u.s${d}; rest /= u.s${d};`);
  lines.push(`let d0 = ${rank > 1 ? 'rest' : 'i'};`);
  for (const name of names) {
    const steps = Array.from({ length: rank }, (_, d) => `d${d} * u.${name}_${d}`);
    lines.push(`let at_${name} = u.${name}_o + ${steps.join(' + ')};`);
  }
  return lines.join('\n');
}

/** Some dimensions of a view, merged where possible. */
export function dimsOf({ shape, strides }: View, dims: readonly number[]): [sizes: number[], strides: number[]] {
  const [sizes, [steps]] = mergeDims(
    dims.map((d) => shape[d]!),
    [dims.map((d) => strides[d]!)],
  );
  return [sizes, steps!];
}
