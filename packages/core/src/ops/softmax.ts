import { record } from '../autograd/node.js';
import { dataOf } from '../backend/host/data.js';
import { checkOptions } from '../check.js';
import { isGradEnabled } from '../grad/index.js';
import { limitedSoftmaxRows, softmaxGradientRows, softmaxRows, streamFrom } from '../kernels/stream.js';
import { checkTensors } from '../tensor/check.js';
import { isFloat } from '../tensor/dtype.js';
import { normalizeDim, normalizeDims } from '../tensor/shape.js';
import { type MethodsFrom, methods, Tensor } from '../tensor/tensor.js';
import { abs, add, div, eq, exp, floatOnly, log, mul, sub, where } from './elementwise.js';
import { keepDim } from './options.js';
import { amax, type Dim, type KeepDim, sum } from './reduce.js';
import { to } from './shape.js';
import type * as self from './softmax.js';

/** `exp(x) / sum(exp(x))` along `dim`, shifted by the maximum so that it does not overflow. */
export function softmax(x: Tensor, dim: number): Tensor {
  checkTensors('softmax', x);
  floatOnly('softmax', x);
  const d = normalizeDim('softmax', dim, x.ndim);
  const y = softmaxForward(x.detach(), d);
  return record('softmax', [x], y, (g, ctx) => [softmaxGradient(g, ctx.saved[0]!, d)], [y]);
}

/** Whether the elements along `d` are rows of float32 that follow each other, and many enough for the kernel. */
const areRows = (d: number, ...tensors: Tensor[]): boolean =>
  tensors.every((t) => t.dtype === 'float32' && t.isContiguous && d === t.ndim - 1 && t.numel >= streamFrom);

/** A kernel's result over the rows of `v`. */
function rowsOf(name: 'softmax' | 'logSoftmax', v: Tensor): Tensor {
  const out = Tensor.unwritten(v.dtype, v.shape);
  const n = v.shape.at(-1)!;
  softmaxRows(name, dataOf(out) as Float32Array, v.elements() as Float32Array, v.numel / n, n);
  return out;
}

function softmaxForward(v: Tensor, d: number): Tensor {
  if (areRows(d, v)) return rowsOf('softmax', v);
  const e = v.numel === 0 ? v.clone() : exp(sub(v, amax(v, d, { keepdim: true })));
  return div(e, sum(e, d, { keepdim: true }));
}

/** The gradient of a kernel of rows, where no gradient of it is wanted; else null. */
function rowsGradient(
  name: 'softmaxGradient' | 'logSoftmaxGradient',
  g: Tensor,
  y: Tensor,
  d: number,
  scale = 1,
): Tensor | null {
  if (isGradEnabled() || !areRows(d, y) || g.dtype !== y.dtype) return null;
  const out = Tensor.unwritten(g.dtype, g.shape);
  const n = g.shape[d]!;
  const [from, of] = [g.elements() as Float32Array, y.elements() as Float32Array];
  softmaxGradientRows(name, dataOf(out) as Float32Array, from, of, g.numel / n, n, scale);
  return out;
}

/** `y (g - sum(g y))`; by recorded operators where a gradient of the gradient may be wanted. */
export function softmaxGradient(g: Tensor, y: Tensor, d: number): Tensor {
  const out = rowsGradient('softmaxGradient', g, y, d);
  if (out) return out;
  const gy = mul(g, y);
  return sub(gy, mul(y, sum(gy, d, { keepdim: true })));
}

/**
 * Softmax of `scores * scale` over the last dimension; if it is `causal`, of each row of a matrix over its first columns,
 * up to the one with the row's number. Null where kernels cannot.
 */
export function attentionWeights(scores: Tensor, scale: number, causal: boolean): Tensor | null {
  const d = scores.ndim - 1;
  if (!areRows(d, scores)) return null;
  const [rows, n] = scores.shape.slice(-2) as [number, number];
  const limits = new Int32Array(scores.numel / n);
  for (let r = 0; r < limits.length; r++) limits[r] = causal ? Math.min(n, (r % rows) + 1) : n;
  const y = Tensor.unwritten('float32', scores.shape);
  limitedSoftmaxRows(dataOf(y) as Float32Array, scores.elements() as Float32Array, limits, n, scale);
  return record(
    'attentionWeights',
    [scores],
    y,
    (g, ctx) => {
      const y = ctx.saved[0]!;
      return [rowsGradient('softmaxGradient', g, y, d, scale) ?? mul(softmaxGradient(g, y, d), scale)];
    },
    [y],
  );
}

/** The logarithm of `softmax`, computed without taking the logarithm of a small number. */
export function logSoftmax(x: Tensor, dim: number): Tensor {
  checkTensors('logSoftmax', x);
  floatOnly('logSoftmax', x);
  const d = normalizeDim('logSoftmax', dim, x.ndim);
  const y = logSoftmaxForward(x.detach(), d);
  return record('logSoftmax', [x], y, (g, ctx) => [logSoftmaxGradient(g, ctx.saved[0]!, d)], [y]);
}

function logSoftmaxForward(v: Tensor, d: number): Tensor {
  if (areRows(d, v)) return rowsOf('logSoftmax', v);
  const shifted = v.numel === 0 ? v.clone() : sub(v, amax(v, d, { keepdim: true }));
  return sub(shifted, log(sum(exp(shifted), d, { keepdim: true })));
}

const logSoftmaxGradient = (g: Tensor, y: Tensor, d: number): Tensor =>
  rowsGradient('logSoftmaxGradient', g, y, d) ?? sub(g, mul(exp(y), sum(g, d, { keepdim: true })));

/** `log(sum(exp(x)))` over `dim`, without overflow. */
export function logsumexp(x: Tensor, dim: Dim, options?: KeepDim): Tensor {
  checkTensors('logsumexp', x);
  if (!isFloat(x.dtype)) return logsumexp(to(x, 'float32'), dim, options);
  const { keepdim = false } = checkOptions('logsumexp', options, keepDim);
  const dims = normalizeDims('logsumexp', dim, x.ndim);
  const y = logsumexpForward(x.detach(), dims);
  const out = keepdim
    ? y
    : new Tensor(
        y.storage,
        y.dtype,
        x.shape.filter((_, i) => !dims.includes(i)),
      );
  const { shape } = y;
  return record(
    'logsumexp',
    [x],
    out,
    (g, ctx) => {
      const [x, y] = ctx.saved as [Tensor, Tensor];
      return [mul(g.reshape(shape), exp(sub(x, y.reshape(shape))))];
    },
    [x, out],
  );
}

/** With the reduced dimensions as 1. */
function logsumexpForward(v: Tensor, dims: readonly number[]): Tensor {
  if (dims.length === 1 && areRows(dims[0]!, v)) {
    const out = Tensor.unwritten(v.dtype, [...v.shape.slice(0, -1), 1]);
    softmaxRows('logsumexp', dataOf(out) as Float32Array, v.elements() as Float32Array, out.numel, v.shape.at(-1)!);
    return out;
  }
  // Of no elements the sum is 0 and its logarithm -Infinity, without a shift.
  const top = v.numel === 0 ? sum(v, dims, { keepdim: true }) : amax(v, dims, { keepdim: true });
  // The shift of a row that holds an infinity would be inf - inf.
  const shift = where(eq(abs(top), Number.POSITIVE_INFINITY), 0, top);
  return add(log(sum(exp(sub(v, shift)), dims, { keepdim: true })), shift);
}

const plain = { softmax, logSoftmax, logsumexp };
methods(plain);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain> {}
}
