import type { View } from '../kernels.js';
import { eachLine, rowsAlong } from '../rows.js';
import { dataOf, exactElementsOf } from './data.js';

/** The elements as they are compared: numbers, or bigints for int64. */
type Keys = Float64Array | BigInt64Array;

/** Calls `visit` for each line along `dim` with its elements, the indices to be sorted, and the line's offset. */
export function eachSorted(
  x: View,
  dim: number,
  descending: boolean,
  visit: (keys: Keys, sorted: Int32Array, start: number) => void,
): void {
  const data = exactElementsOf(x);
  const rows = rowsAlong(x.shape, dim);
  const { n, inner } = rows;
  const keys = x.dtype === 'int64' ? new BigInt64Array(n) : new Float64Array(n);
  const [order, spare] = [new Int32Array(n), new Int32Array(n)];
  eachLine(rows, (start) => {
    for (let i = 0, p = start; i < n; i++, p += inner) keys[i] = data[p]!;
    visit(keys, sortLine(keys, descending, order, spare), start);
  });
}

/** `Kernels.argsort` for any dtype: a merge sort of each line. */
export function argsort(x: View, dim: number, descending: boolean, out: View): void {
  const to = dataOf(out);
  const { inner } = rowsAlong(x.shape, dim);
  eachSorted(x, dim, descending, (_, sorted, start) => {
    for (let i = 0, p = start; i < sorted.length; i++, p += inner) to[p] = sorted[i]!;
  });
}

/** The indices of the keys in order, in one of the two arrays; NaN counts as the largest. */
function sortLine(keys: Keys, descending: boolean, order: Int32Array, spare: Int32Array): Int32Array {
  const n = keys.length;
  let numbers = n;
  // biome-ignore lint/suspicious/noSelfCompare: the keys may be bigints.
  for (let i = 0; i < n; i++) if (keys[i] !== keys[i]) numbers--;
  // NaN is sorted apart, as comparisons with it are false.
  const first = descending ? n - numbers : 0;
  // biome-ignore lint/suspicious/noSelfCompare: as above.
  for (let i = 0, p = first, q = descending ? 0 : numbers; i < n; i++) order[keys[i] === keys[i] ? p++ : q++] = i;
  spare.set(order);
  let [from, to] = [order, spare];
  const end = first + numbers;
  for (let width = 1; width < numbers; width *= 2) {
    for (let left = first; left < end; left += 2 * width)
      merge(keys, descending, from, to, left, Math.min(left + width, end), Math.min(left + 2 * width, end));
    [from, to] = [to, from];
  }
  return from;
}

/**
 * Merges two sorted runs of `from`, up to `middle` and up to `end`, into `to`; the left of two equal keys comes first.
 */
function merge(
  keys: Keys,
  descending: boolean,
  from: Int32Array,
  to: Int32Array,
  left: number,
  middle: number,
  end: number,
): void {
  let [a, b] = [left, middle];
  for (let p = left; p < end; p++) {
    if (b >= end) to[p] = from[a++]!;
    else if (a >= middle) to[p] = from[b++]!;
    else {
      const [x, y] = [keys[from[a]!]!, keys[from[b]!]!];
      to[p] = (descending ? y > x : y < x) ? from[b++]! : from[a++]!;
    }
  }
}
