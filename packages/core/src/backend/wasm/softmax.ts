import * as host from '../host/softmax.js';
import type { SoftmaxKind, View } from '../kernels.js';
import { movedLast, rowsAlong } from '../rows.js';
import { arrayOf, floatsOf, isFloat32, kernelFrom, largestBlock } from './floats.js';
import { asFloats, inRows } from './rows.js';

/** `Kernels.softmax` for float32. */
export function softmax(kind: SoftmaxKind, x: View, dim: number, out: View): void {
  const to = arrayOf(out);
  const { outer, n, inner } = rowsAlong(x.shape, dim);
  if (to.length < kernelFrom || !isFloat32(x) || n * inner > largestBlock) {
    host.softmax(kind, x, dim, out);
    return;
  }
  const width = n * inner;
  inRows(kind, outer, [[floatsOf(x), width]], [[to, width]], (kernels, count, [atX, result]) => {
    if (inner === 1) kernels[kind](result!, atX!, count, n);
    else kernels.softmaxColumns(result!, atX!, count, n, inner, kind === 'logSoftmax');
  });
}

/** `Kernels.softmaxGradient` for float32. */
export function softmaxGradient(kind: SoftmaxKind, g: View, y: View, dim: number, scale: number, out: View): void {
  const to = arrayOf(out);
  const { outer, n, inner } = rowsAlong(y.shape, dim);
  if (to.length < kernelFrom || !isFloat32(y) || !isFloat32(g) || n * inner > largestBlock) {
    host.softmaxGradient(kind, g, y, dim, scale, out);
    return;
  }
  const width = n * inner;
  const log = Number(kind === 'logSoftmax');
  const inputs = [[floatsOf(g), width] as const, [floatsOf(y), width] as const];
  inRows(kind, outer, inputs, [[to, width]], (kernels, count, [atG, atY, result]) => {
    if (inner === 1) kernels[`${kind}Gradient`](result!, atG!, atY!, count, n, scale);
    else kernels.softmaxColumnsGradient(result!, atG!, atY!, count, n, inner, log, scale);
  });
}

/** `Kernels.logsumexp` for float32. */
export function logsumexp(x: View, dims: readonly number[], out: View): void {
  if (x.numel < kernelFrom || !isFloat32(x)) {
    host.logsumexp(x, dims, out);
    return;
  }
  const from = floatsOf(movedLast(x, dims));
  const to = arrayOf(out);
  const n = from.length / to.length;
  inRows('logsumexp', to.length, [[from, n]], [[to, 1]], (kernels, count, [atX, result]) => {
    kernels.logsumexp(result!, atX!, count, n);
  });
}

/** `Kernels.attentionWeights` for float32. */
export function attentionWeights(scores: View, scale: number, isCausal: boolean, out: View): void {
  if (scores.numel < kernelFrom || !isFloat32(scores)) {
    host.attentionWeights(scores, scale, isCausal, out);
    return;
  }
  const [rows, n] = scores.shape.slice(-2) as [number, number];
  const [from, to] = [floatsOf(scores), arrayOf(out)];
  const limits = new Int32Array(to.length / n);
  for (let r = 0; r < limits.length; r++) limits[r] = isCausal ? Math.min(n, (r % rows) + 1) : n;
  const inputs = [[from, n] as const, [asFloats(limits), 1] as const];
  inRows('softmax', limits.length, inputs, [[to, n]], (kernels, count, [atX, atLimits, result]) => {
    kernels.limitedSoftmax(result!, atX!, atLimits!, count, n, scale);
  });
}
