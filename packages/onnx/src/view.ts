import type { View } from '@gradgate/core';

/** A step from a whole storage to a view of it. */
export type Step =
  | { readonly kind: 'reshape'; readonly shape: readonly number[] }
  | {
      readonly kind: 'slice';
      readonly starts: readonly number[];
      readonly ends: readonly number[];
      readonly shape: readonly number[];
    }
  | { readonly kind: 'transpose'; readonly order: readonly number[] }
  | { readonly kind: 'expand'; readonly shape: readonly number[] }
  | { readonly kind: 'places'; readonly places: readonly number[]; readonly shape: readonly number[] };

type Place = Pick<View, 'shape' | 'strides' | 'offset' | 'numel' | 'isContiguous'>;

/**
 * The steps from a storage of `length` elements to a view: reshape, slice, transpose and expand if these are enough,
 * otherwise the indices of its elements.
 */
export function stepsOf(length: number, view: Place): Step[] {
  const { shape, numel } = view;
  if (numel === 0 || length === 0) return [{ kind: 'reshape', shape }];
  if (view.isContiguous && view.offset === 0 && numel === length) return [{ kind: 'reshape', shape }];
  return (
    boxOf(length, view) ?? [
      { kind: 'reshape', shape: [length] },
      { kind: 'places', places: placesOf(view), shape },
    ]
  );
}

/** The steps to a view that is a box in some shape of the storage, permuted and expanded; null if it is none. */
function boxOf(length: number, { shape, strides, offset }: Place): Step[] | null {
  // Dimensions of size 1 can be anywhere; those with stride 0 are expanded.
  const real = [...shape.keys()].filter((d) => shape[d]! > 1 && strides[d] !== 0);
  real.sort((a, b) => strides[b]! - strides[a]! || a - b);
  const whole: number[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  let above = length;
  let rest = offset;
  // Each dimension is part of one whose size is the next larger stride divided by its own.
  for (const d of real) {
    const stride = strides[d]!;
    const first = Math.floor(rest / stride);
    rest -= first * stride;
    if (above % stride !== 0 || first + shape[d]! > above / stride) return null;
    whole.push(above / stride);
    starts.push(first);
    ends.push(first + shape[d]!);
    above = stride;
  }
  // The rest, within the smallest stride: one element of it.
  if (above > 1) {
    whole.push(above);
    starts.push(rest);
    ends.push(rest + 1);
  }
  const sliced = ends.map((end, i) => end - starts[i]!);
  const steps: Step[] = [{ kind: 'reshape', shape: whole }];
  if (sliced.some((n, i) => n !== whole[i])) steps.push({ kind: 'slice', starts, ends, shape: sliced });
  steps.push({ kind: 'reshape', shape: real.map((d) => shape[d]!) });
  const inOrder = [...real].sort((a, b) => a - b);
  steps.push({ kind: 'transpose', order: inOrder.map((d) => real.indexOf(d)) });
  steps.push({ kind: 'reshape', shape: shape.map((n, d) => (strides[d] === 0 ? 1 : n)) });
  if (shape.some((n, d) => n > 1 && strides[d] === 0)) steps.push({ kind: 'expand', shape });
  return steps;
}

/** The indices of a view's elements in its storage. */
export function placesOf({ shape, strides, offset, numel }: Place): number[] {
  let places = [offset];
  for (const [d, n] of shape.entries())
    places = places.flatMap((p) => Array.from({ length: n }, (_, i) => p + i * strides[d]!));
  return numel === 0 ? [] : places;
}
