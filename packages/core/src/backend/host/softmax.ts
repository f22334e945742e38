import type { TypedArray } from '../../memory/dtype.js';
import type { SoftmaxKind, View } from '../kernels.js';
import { eachLine, movedLast, rowsAlong } from '../rows.js';
import { dataOf, elementsOf } from './data.js';

/** `Kernels.softmax` for any dtype. */
export function softmax(kind: SoftmaxKind, x: View, dim: number, out: View): void {
  const [from, to] = [elementsOf(x), dataOf(out)];
  const rows = rowsAlong(x.shape, dim);
  const { n, inner } = rows;
  const row = kind === 'softmax' ? softmaxRow : logSoftmaxRow;
  eachLine(rows, (start) => row(to, from, start, n, inner));
}

/** The largest of `n` elements, `step` apart. Skips NaN: the sum of exponentials is NaN with any shift. */
function largestOf(x: TypedArray, start: number, n: number, step: number): number {
  let top = Number.NEGATIVE_INFINITY;
  for (let i = 0, p = start; i < n; i++, p += step) if (x[p]! > top) top = x[p]!;
  return top;
}

function sumOfExponentials(x: TypedArray, start: number, n: number, step: number, top: number): number {
  let sum = 0;
  for (let i = 0, p = start; i < n; i++, p += step) sum += Math.exp(x[p]! - top);
  return sum;
}

function softmaxRow(to: TypedArray, x: TypedArray, start: number, n: number, step: number): void {
  const top = largestOf(x, start, n, step);
  let sum = 0;
  for (let i = 0, p = start; i < n; i++, p += step) {
    const e = Math.exp(x[p]! - top);
    to[p] = e;
    sum += e;
  }
  for (let i = 0, p = start; i < n; i++, p += step) to[p] = to[p]! / sum;
}

function logSoftmaxRow(to: TypedArray, x: TypedArray, start: number, n: number, step: number): void {
  const top = largestOf(x, start, n, step);
  const log = Math.log(sumOfExponentials(x, start, n, step, top));
  for (let i = 0, p = start; i < n; i++, p += step) to[p] = x[p]! - top - log;
}

/** `Kernels.softmaxGradient` for any dtype. */
export function softmaxGradient(kind: SoftmaxKind, g: View, y: View, dim: number, scale: number, out: View): void {
  const [gradient, result, to] = [elementsOf(g), elementsOf(y), dataOf(out)];
  const rows = rowsAlong(y.shape, dim);
  const { n, inner } = rows;
  const row = kind === 'softmax' ? softmaxGradientRow : logSoftmaxGradientRow;
  eachLine(rows, (start) => row(to, gradient, result, start, n, inner, scale));
}

type GradientRow = (
  to: TypedArray,
  g: TypedArray,
  y: TypedArray,
  start: number,
  n: number,
  step: number,
  scale: number,
) => void;

const softmaxGradientRow: GradientRow = (to, g, y, start, n, step, scale) => {
  let sum = 0;
  for (let i = 0, p = start; i < n; i++, p += step) sum += g[p]! * y[p]!;
  for (let i = 0, p = start; i < n; i++, p += step) to[p] = y[p]! * (g[p]! - sum) * scale;
};

const logSoftmaxGradientRow: GradientRow = (to, g, y, start, n, step, scale) => {
  let sum = 0;
  for (let i = 0, p = start; i < n; i++, p += step) sum += g[p]!;
  for (let i = 0, p = start; i < n; i++, p += step) to[p] = (g[p]! - Math.exp(y[p]!) * sum) * scale;
};

/** `Kernels.logsumexp` for any dtype. */
export function logsumexp(x: View, dims: readonly number[], out: View): void {
  const from = elementsOf(movedLast(x, dims));
  const to = dataOf(out);
  const n = to.length === 0 ? 0 : from.length / to.length;
  for (let r = 0; r < to.length; r++) {
    const top = largestOf(from, r * n, n, 1);
    // Shifting by an infinity would compute inf - inf.
    const shift = Math.abs(top) === Number.POSITIVE_INFINITY ? 0 : top;
    to[r] = Math.log(sumOfExponentials(from, r * n, n, 1, shift)) + shift;
  }
}

/** `Kernels.attentionWeights` for any dtype. */
export function attentionWeights(scores: View, scale: number, isCausal: boolean, out: View): void {
  const from = elementsOf(scores);
  const to = dataOf(out);
  const [rows, n] = scores.shape.slice(-2) as [number, number];
  for (let r = 0, start = 0; start < to.length; r++, start += n) {
    const end = start + (isCausal ? Math.min(n, (r % rows) + 1) : n);
    let top = Number.NEGATIVE_INFINITY;
    for (let p = start; p < end; p++) if (from[p]! * scale > top) top = from[p]! * scale;
    let sum = 0;
    for (let p = start; p < end; p++) {
      const e = Math.exp(from[p]! * scale - top);
      to[p] = e;
      sum += e;
    }
    for (let p = start; p < end; p++) to[p] = to[p]! / sum;
    for (let p = end; p < start + n; p++) to[p] = 0;
  }
}
