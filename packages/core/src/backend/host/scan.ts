import type { TypedArray } from '../../memory/dtype.js';
import type { Kernels, View } from '../kernels.js';
import { rowsAlong } from '../rows.js';
import { dataOf, exactElementsOf, storedOf } from './data.js';
import { int64Elements } from './int64.js';

type Which = Parameters<Kernels['scan']>[0];

/** A line of `n` elements from `start`, `step` apart, in both `x` and the results. */
type Line = (to: TypedArray, x: TypedArray, start: number, step: number, n: number) => void;

/** `Kernels.scan` for any dtype. */
export function scan(which: Which, x: View, dim: number, out: View): void {
  const { n, inner } = rowsAlong(x.shape, dim);
  const isExact = out.dtype === 'int64';
  const [from, to] = isExact
    ? [int64Elements(x) as never, storedOf(out)]
    : [exactElementsOf(x) as TypedArray, dataOf(out)];
  const line = isExact ? exactLines[which as 'sum' | 'prod'] : lines[which];
  for (let block = 0; block < to.length; block += n * inner)
    for (let start = block; start < block + inner; start++) line(to, from, start, inner, n);
}

const lines: Record<Which, Line> = {
  sum(to, x, start, step, n) {
    let sum = 0;
    for (let i = 0, p = start; i < n; i++, p += step) {
      sum += x[p]!;
      to[p] = sum;
    }
  },
  prod(to, x, start, step, n) {
    let product = 1;
    for (let i = 0, p = start; i < n; i++, p += step) {
      product *= x[p]!;
      to[p] = product;
    }
  },
  // Exponentials of differences from the largest element so far: none overflows.
  logsumexp(to, x, start, step, n) {
    let top = Number.NEGATIVE_INFINITY;
    let sum = 0;
    for (let i = 0, p = start; i < n; i++, p += step) {
      const v = x[p]!;
      if (v > top) {
        sum = sum * Math.exp(top - v) + 1;
        top = v;
      } else if (v === top) {
        // Infinity minus infinity is NaN. While all elements are -Infinity, there is nothing to add.
        if (sum !== 0) sum += 1;
      } else sum += Math.exp(v - top);
      to[p] = sum === 0 ? top : top + Math.log(sum);
    }
  },
  argmax(to, x, start, step, n) {
    let at = 0;
    let best = x[start]!;
    for (let i = 0, p = start; i < n; i++, p += step) {
      const v = x[p]!;
      if (isNan(v) || (!isNan(best) && v >= best)) [best, at] = [v, i];
      to[p] = at;
    }
  },
  argmin(to, x, start, step, n) {
    let at = 0;
    let best = x[start]!;
    for (let i = 0, p = start; i < n; i++, p += step) {
      const v = x[p]!;
      if (isNan(v) || (!isNan(best) && v <= best)) [best, at] = [v, i];
      to[p] = at;
    }
  },
};

// biome-ignore lint/suspicious/noSelfCompare: the elements may be bigints.
const isNan = (v: number): boolean => v !== v;

/** Sums and products of 64-bit integers; storing them wraps modulo 2^64. */
const exactLines: Record<'sum' | 'prod', Line> = {
  sum(to, x, start, step, n) {
    let sum = 0n as never;
    for (let i = 0, p = start; i < n; i++, p += step) {
      to[p] = sum + x[p]!;
      sum = to[p] as never;
    }
  },
  prod(to, x, start, step, n) {
    let product = 1n as never;
    for (let i = 0, p = start; i < n; i++, p += step) {
      to[p] = product * x[p]!;
      product = to[p] as never;
    }
  },
};
