import { keepResult, keptResult } from '../autograd/keep.js';
import { kernelsOf } from '../backend/backends.js';
import type { SoftmaxKind } from '../backend/kernels.js';
import { checkOptions } from '../check.js';
import { isGradEnabled } from '../grad/index.js';
import { type Backward, record } from '../graph/node.js';
import { computedIn, isFloat } from '../memory/dtype.js';
import { normalizeDim, normalizeDims } from '../memory/shape.js';
import { checkTensors } from '../tensor/check.js';
import { type MethodsFrom, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import { computed } from './computed.js';
import { to } from './copy.js';
import { floatOnly } from './define.js';
import { exp, mul, sub } from './elementwise.js';
import { keepDim } from './options.js';
import { type Dim, type KeepDim, sum } from './reduce.js';
import type * as self from './softmax.js';

/**
 * `exp(x) / sum(exp(x))` along `dim`, shifted by the maximum so that it does not overflow.
 *
 * ```ts
 * softmax(tensor([[0, 0]]), -1); // [[0.5, 0.5]]
 * ```
 */
export function softmax(x: Tensor, dim: number): Tensor {
  return along('softmax', x, dim);
}

/**
 * The logarithm of `softmax`, computed without taking the logarithm of a small number.
 *
 * ```ts
 * logSoftmax(tensor([0, 0]), 0); // [-0.6931, -0.6931]
 * ```
 */
export function logSoftmax(x: Tensor, dim: number): Tensor {
  return along('logSoftmax', x, dim);
}

function along(kind: SoftmaxKind, x: Tensor, dim: number): Tensor {
  checkTensors(kind, x);
  floatOnly(kind, x);
  const d = normalizeDim(kind, dim, x.ndim);
  const y = keptResult(kind) ?? keepResult(kind, byKernel(kind, x, d));
  return record(kind, [x], y, gradients[kind], [y], d);
}

function byKernel(kind: SoftmaxKind, x: Tensor, d: number): Tensor {
  const y = Tensor.uninitialized(x.dtype, x.shape, x.storage.backend);
  kernelsOf(kind, x).softmax(kind, x, d, y);
  return y;
}

const gradients: Record<SoftmaxKind, Backward> = {
  softmax: (g, ctx) => [softmaxGradient(g, ctx.saved[0]!, ctx.attributes as number)],
  logSoftmax: (g, ctx) => {
    const y = ctx.saved[0]!;
    const d = ctx.attributes as number;
    if (isGradEnabled()) return [sub(g, mul(exp(y), sum(g, d, { keepdim: true })))];
    return [gradientByKernel('logSoftmax', g, y, d)];
  },
};

function gradientByKernel(kind: SoftmaxKind, g: Tensor, y: Tensor, d: number, scale = 1): Tensor {
  const out = Tensor.uninitialized(y.dtype, y.shape, y.storage.backend);
  kernelsOf(kind, g, y).softmaxGradient(kind, g, y, d, scale, out);
  return out;
}

/** `scale y (g - sum(g y))`; by recorded operators where a gradient of the gradient may be needed. */
export function softmaxGradient(g: Tensor, y: Tensor, d: number, scale = 1): Tensor {
  if (!isGradEnabled()) return gradientByKernel('softmax', g, y, d, scale);
  const gy = mul(g, y);
  const slope = sub(gy, mul(y, sum(gy, d, { keepdim: true })));
  return scale === 1 ? slope : mul(slope, scale);
}

/**
 * Softmax of `scores * scale` over the last dimension. If it is causal, row `i` of each matrix is 0 after column `i`.
 */
export function attentionWeights(scores: Tensor, scale: number, isCausal: boolean): Tensor {
  const y = keptResult('attentionWeights') ?? keepResult('attentionWeights', weightsByKernel(scores, scale, isCausal));
  return record('attentionWeights', [scores], y, attentionGradient, [y], scale);
}

function weightsByKernel(scores: Tensor, scale: number, isCausal: boolean): Tensor {
  const y = Tensor.uninitialized(scores.dtype, scores.shape, scores.storage.backend);
  kernelsOf('scaledDotProductAttention', scores).attentionWeights(scores, scale, isCausal, y);
  return y;
}

const attentionGradient: Backward = (g, ctx) => {
  const y = ctx.saved[0]!;
  return [softmaxGradient(g, y, y.ndim - 1, ctx.attributes as number)];
};

/**
 * `log(sum(exp(x)))` over `dim`, without overflow. With `keepdim` the dimension stays, with size 1.
 *
 * ```ts
 * logsumexp(tensor([0, 0]), 0); // 0.6931
 * ```
 */
export function logsumexp(x: Tensor, dim: Dim, options?: KeepDim): Tensor {
  checkTensors('logsumexp', x);
  if (!isFloat(x.dtype)) return logsumexp(to(x, 'float32'), dim, options);
  if (computedIn(x.dtype) !== x.dtype) return computed((x) => logsumexp(x, dim, options), x);
  const { keepdim = false } = checkOptions('logsumexp', options, keepDim);
  const dims = normalizeDims('logsumexp', dim, x.ndim);
  const kept = x.shape.map((n, i) => (dims.includes(i) ? 1 : n));
  const shape = keepdim ? kept : x.shape.filter((_, i) => !dims.includes(i));
  const y = Tensor.uninitialized(x.dtype, shape, x.storage.backend);
  kernelsOf('logsumexp', x).logsumexp(x, dims, y);
  return record(
    'logsumexp',
    [x],
    y,
    (g, ctx) => {
      const [x, y] = ctx.saved as [Tensor, Tensor];
      return [mul(g.reshape(kept), exp(sub(x, y.reshape(kept))))];
    },
    [x, y],
  );
}

const plain = { softmax, logSoftmax, logsumexp };
methods(plain);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain> {}
}
