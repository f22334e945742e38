import type { TypedArray } from '../../memory/dtype.js';
import type { LossReduction, PairLoss, View } from '../kernels.js';
import { dataOf, elementsOf } from './data.js';

/** `Kernels.crossEntropy` for any dtype. */
export function crossEntropy(
  x: View,
  target: View,
  ignoreIndex: number,
  reduction: LossReduction,
  loss: View,
  p: View,
  classes: View,
): void {
  const [from, given, to, at] = [elementsOf(x), elementsOf(target), dataOf(p), dataOf(classes)];
  const losses = reduction === 'none' ? dataOf(loss) : new Float64Array(at.length);
  const n = x.shape[1]!;
  for (let r = 0, start = 0; r < at.length; r++, start += n) {
    const end = start + n;
    let top = Number.NEGATIVE_INFINITY;
    for (let i = start; i < end; i++) if (from[i]! > top) top = from[i]!;
    let sum = 0;
    for (let i = start; i < end; i++) {
      const e = Math.exp(from[i]! - top);
      to[i] = e;
      sum += e;
    }
    for (let i = start; i < end; i++) to[i] = to[i]! / sum;
    const named = given[r]!;
    at[r] = named === ignoreIndex ? -1 : named;
    losses[r] = named === ignoreIndex ? 0 : Math.log(sum) - (from[start + named]! - top);
  }
  if (reduction !== 'none') dataOf(loss)[0] = reduced(losses, at, reduction);
}

/** The sum of losses, or their mean over the rows that have a class. */
export function reduced(losses: TypedArray, classes: TypedArray, reduction: LossReduction): number {
  let sum = 0;
  for (let r = 0; r < losses.length; r++) sum += losses[r]!;
  return reduction === 'mean' ? sum / countOf(classes) : sum;
}

/** How many rows have a class. */
export function countOf(classes: TypedArray): number {
  let count = 0;
  for (let r = 0; r < classes.length; r++) if (classes[r]! >= 0) count++;
  return count;
}

/** `Kernels.crossEntropyGradient` for any dtype. */
export function crossEntropyGradient(g: View, p: View, classes: View, reduction: LossReduction, out: View): void {
  const [from, at, to] = [elementsOf(p), elementsOf(classes), dataOf(out)];
  const gradient = elementsOf(g);
  const divisor = reduction === 'mean' ? countOf(at) : 1;
  const n = p.shape[1]!;
  for (let r = 0, start = 0; r < at.length; r++, start += n) {
    const scale = reduction === 'none' ? gradient[r]! : gradient[0]! / divisor;
    const named = at[r]!;
    if (named < 0) to.fill(0, start, start + n);
    else {
      for (let i = start; i < start + n; i++) to[i] = from[i]! * scale;
      to[start + named] = (from[start + named]! - 1) * scale;
    }
  }
}

/** A loss of two elements, summed over arrays, and its derivative in the first one. */
interface Definition {
  sum(x: TypedArray, y: TypedArray): number;
  gradient(to: TypedArray, x: TypedArray, y: TypedArray, scale: number): void;
}

const definitions: Readonly<Record<PairLoss, Definition>> = {
  squaredError: {
    sum(x, y) {
      let total = 0;
      for (let i = 0; i < x.length; i++) {
        const d = x[i]! - y[i]!;
        total += d * d;
      }
      return total;
    },
    gradient(to, x, y, scale) {
      for (let i = 0; i < to.length; i++) to[i] = (x[i]! - y[i]!) * 2 * scale;
    },
  },
  logitEntropy: {
    sum(x, y) {
      let total = 0;
      for (let i = 0; i < x.length; i++) {
        const v = x[i]!;
        total += (1 - y[i]!) * v + Math.max(-v, 0) + Math.log1p(Math.exp(-Math.abs(v)));
      }
      return total;
    },
    gradient(to, x, y, scale) {
      for (let i = 0; i < to.length; i++) to[i] = (1 / (1 + Math.exp(-x[i]!)) - y[i]!) * scale;
    },
  },
};

/** `Kernels.pairLoss` for any dtype. */
export function pairLoss(name: PairLoss, x: View, y: View, divisor: number, out: View): void {
  dataOf(out)[0] = definitions[name].sum(elementsOf(x), elementsOf(y)) / divisor;
}

/** `Kernels.pairLossGradient` for any dtype. */
export function pairLossGradient(name: PairLoss, g: View, x: View, y: View, divisor: number, out: View): void {
  definitions[name].gradient(dataOf(out), elementsOf(x), elementsOf(y), elementsOf(g)[0]! / divisor);
}
