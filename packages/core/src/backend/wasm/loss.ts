import { dataOf, elementsOf } from '../host/data.js';
import * as host from '../host/loss.js';
import type { LossReduction, PairLoss, View } from '../kernels.js';
import { arrayOf, floatsOf, isFloat32, kernelFrom } from './floats.js';
import { asFloats, inRows, type Rows } from './rows.js';

const accepts = (x: View, y: View = x): boolean => x.numel >= kernelFrom && isFloat32(x) && isFloat32(y);

/** `Kernels.crossEntropy` for float32. */
export function crossEntropy(
  x: View,
  target: View,
  ignoreIndex: number,
  reduction: LossReduction,
  loss: View,
  p: View,
  classes: View,
): void {
  if (!accepts(x)) {
    host.crossEntropy(x, target, ignoreIndex, reduction, loss, p, classes);
    return;
  }
  const [given, named] = [elementsOf(target), dataOf(classes) as Int32Array];
  for (let r = 0; r < named.length; r++) named[r] = given[r] === ignoreIndex ? -1 : given[r]!;
  const losses = reduction === 'none' ? arrayOf(loss) : new Float32Array(named.length);
  const n = x.shape[1]!;
  const inputs: Rows[] = [
    [floatsOf(x), n],
    [asFloats(named), 1],
  ];
  const results: Rows[] = [
    [losses, 1],
    [arrayOf(p), n],
  ];
  inRows('crossEntropy', named.length, inputs, results, (kernels, count, [from, at, atLosses, atP]) => {
    kernels.crossEntropy(atLosses!, atP!, from!, at!, count, n);
  });
  if (reduction !== 'none') dataOf(loss)[0] = host.reduced(losses, named, reduction);
}

/** `Kernels.crossEntropyGradient` for float32. */
export function crossEntropyGradient(g: View, p: View, classes: View, reduction: LossReduction, out: View): void {
  if (!accepts(p, out) || !isFloat32(g)) {
    host.crossEntropyGradient(g, p, classes, reduction, out);
    return;
  }
  const named = elementsOf(classes) as Int32Array;
  const n = p.shape[1]!;
  const gradient = floatsOf(g);
  const divisor = reduction === 'mean' ? host.countOf(named) : 1;
  const scales = reduction === 'none' ? gradient : new Float32Array(named.length).fill(gradient[0]! / divisor);
  const inputs: Rows[] = [
    [floatsOf(p), n],
    [scales, 1],
    [asFloats(named), 1],
  ];
  const results: Rows[] = [[arrayOf(out), n]];
  inRows('crossEntropy', named.length, inputs, results, (kernels, count, [atP, atG, at, result]) => {
    kernels.crossEntropyGradient(result!, atP!, atG!, at!, count, n);
  });
}

/** The kernels of the losses of pairs, and the constant factor that the gradient's kernel leaves out. */
const pairKernels = {
  squaredError: { sum: 'squaredError', gradient: 'scaledDifference', factor: 2 },
  logitEntropy: { sum: 'logitLosses', gradient: 'logitLossGradient', factor: 1 },
} as const;

/** `Kernels.pairLoss` for float32. */
export function pairLoss(name: PairLoss, x: View, y: View, divisor: number, out: View): void {
  if (!accepts(x, y)) {
    host.pairLoss(name, x, y, divisor, out);
    return;
  }
  let total = 0;
  const inputs: Rows[] = [
    [floatsOf(x), 1],
    [floatsOf(y), 1],
  ];
  inRows(name, x.numel, inputs, [], (kernels, count, [atX, atY]) => {
    total += kernels[pairKernels[name].sum](atX!, atY!, count);
  });
  dataOf(out)[0] = total / divisor;
}

/** `Kernels.pairLossGradient` for float32. */
export function pairLossGradient(name: PairLoss, g: View, x: View, y: View, divisor: number, out: View): void {
  if (!accepts(x, y)) {
    host.pairLossGradient(name, g, x, y, divisor, out);
    return;
  }
  const { gradient, factor } = pairKernels[name];
  const scale = (factor * elementsOf(g)[0]!) / divisor;
  const inputs: Rows[] = [
    [floatsOf(x), 1],
    [floatsOf(y), 1],
  ];
  const results: Rows[] = [[arrayOf(out), 1]];
  inRows(name, x.numel, inputs, results, (kernels, count, [atX, atY, result]) => {
    kernels[gradient](result!, atX!, atY!, count, scale);
  });
}
