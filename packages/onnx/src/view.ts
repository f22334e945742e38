import type { View } from '@gradgate/core';

/** How a view comes from the whole of its storage. */
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
 * Reshape, slice, transpose and expand where these make the view of a storage of `length` elements; else the places of its
 * elements.
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

/** A view that is a box in some shape of the storage, its dimensions in any order, and repeated along some. */
function boxOf(length: number, { shape, strides, offset }: Place): Step[] | null {
  // Dimensions of size 1 can lie anywhere; those with stride 0 repeat what there is.
  const real = [...shape.keys()].filter((d) => shape[d]! > 1 && strides[d] !== 0);
  real.sort((a, b) => strides[b]! - strides[a]! || a - b);
  const whole: number[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  let above = length;
  let rest = offset;
  // Each dimension lies in one as large as the stride above it over its own.
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
  // What is left within the smallest stride: one element of it.
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

/** Where the elements of a view lie in its storage. */
export function placesOf({ shape, strides, offset, numel }: Place): number[] {
  let places = [offset];
  for (const [d, n] of shape.entries())
    places = places.flatMap((p) => Array.from({ length: n }, (_, i) => p + i * strides[d]!));
  return numel === 0 ? [] : places;
}
