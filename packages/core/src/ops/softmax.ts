import { record } from '../autograd/node.js';
import { isGradEnabled } from '../grad/index.js';
import { softmaxGradientRows, softmaxRows, streamFrom } from '../kernels/stream.js';
import { checkTensors } from '../tensor/check.js';
import { normalizeDim, normalizeDims } from '../tensor/shape.js';
import { methods, Tensor } from '../tensor/tensor.js';
import { abs, add, div, eq, exp, floatOnly, log, mul, sub, where } from './elementwise.js';
import { amax, type Dim, type KeepDim, sum } from './reduce.js';

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

function softmaxForward(v: Tensor, d: number): Tensor {
  if (areRows(d, v)) {
    const out = Tensor.unwritten(v.dtype, v.shape);
    const n = v.shape[d]!;
    softmaxRows(out.storage.data as Float32Array, v.elements() as Float32Array, v.numel / n, n);
    return out;
  }
  const e = v.numel === 0 ? v.clone() : exp(sub(v, amax(v, d, { keepdim: true })));
  return div(e, sum(e, d, { keepdim: true }));
}

/** `y (g - sum(g y))`; by recorded operators where a gradient of the gradient may be wanted. */
export function softmaxGradient(g: Tensor, y: Tensor, d: number): Tensor {
  if (!isGradEnabled() && areRows(d, g, y)) {
    const out = Tensor.unwritten(g.dtype, g.shape);
    const n = g.shape[d]!;
    const [from, of] = [g.elements() as Float32Array, y.elements() as Float32Array];
    softmaxGradientRows(out.storage.data as Float32Array, from, of, g.numel / n, n);
    return out;
  }
  const gy = mul(g, y);
  return sub(gy, mul(y, sum(gy, d, { keepdim: true })));
}

/** The logarithm of `softmax`, computed without taking the logarithm of a small number. */
export function logSoftmax(x: Tensor, dim: number): Tensor {
  checkTensors('logSoftmax', x);
  floatOnly('logSoftmax', x);
  const d = normalizeDim('logSoftmax', dim, x.ndim);
  const v = x.detach();
  const shifted = x.numel === 0 ? v.clone() : sub(v, amax(v, d, { keepdim: true }));
  const y = sub(shifted, log(sum(exp(shifted), d, { keepdim: true })));
  return record('logSoftmax', [x], y, (g, ctx) => [sub(g, mul(exp(ctx.saved[0]!), sum(g, d, { keepdim: true })))], [y]);
}

/** `log(sum(exp(x)))` over `dim`, without overflow. */
export function logsumexp(x: Tensor, dim: Dim, options?: KeepDim): Tensor {
  checkTensors('logsumexp', x);
  floatOnly('logsumexp', x);
  const dims = normalizeDims('logsumexp', dim, x.ndim);
  const v = x.detach();
  // Of no elements the sum is 0 and its logarithm -Infinity, without a shift.
  const top = v.numel === 0 ? sum(v, dims, { keepdim: true }) : amax(v, dims, { keepdim: true });
  // The shift of a row that holds an infinity would be inf - inf.
  const shift = where(eq(abs(top), Number.POSITIVE_INFINITY), 0, top);
  const y = add(log(sum(exp(sub(v, shift)), dims, { keepdim: true })), shift);
  const out = options?.keepdim ? y : y.squeeze(dims).clone();
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

methods({ softmax, logSoftmax, logsumexp });

declare module '../tensor/tensor.js' {
  interface Tensor {
    softmax(dim: number): Tensor;
    logSoftmax(dim: number): Tensor;
    logsumexp(dim: Dim, options?: KeepDim): Tensor;
  }
}
