import { record } from '../autograd/node.js';
import { dataOf } from '../backend/host/data.js';
import { checkOptions } from '../check.js';
import { ShapeError } from '../errors.js';
import { isGradEnabled, isTraining, noGrad } from '../grad/index.js';
import type { Layout } from '../kernels/standardize.js';
import * as kernel from '../kernels/standardize.js';
import { checkTensors } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { formatShape, type Shape, sizeOf } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';
import { floatOnly } from './define.js';
import { add, div, mul, sub } from './elementwise.js';
import { fusable, normOfChannels, normOfRows, shiftedChannels } from './fusedNorm.js';
import { clamp, rsqrt, square } from './math.js';
import { mean, norm } from './reduce.js';
import { reshape } from './shape.js';

interface Standardized {
  readonly y: Tensor;
  /** Of each group, without gradients. */
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** `(x - mean) / sqrt(var + eps)` over the groups of `layout`; the variance is biased. */
function standardize(x: Tensor, layout: Layout, eps: number): Standardized {
  const y = Tensor.unwritten(x.dtype, x.shape);
  const [average, variance] = [Tensor.empty(x.dtype, [layout.groups]), Tensor.empty(x.dtype, [layout.groups])];
  kernel.standardize(x.elements(), layout, eps, dataOf(y), dataOf(average), dataOf(variance));
  record(
    'standardize',
    [x],
    y,
    (g, ctx) => {
      const [x, y, variance] = ctx.saved as [Tensor, Tensor, Tensor];
      if (isGradEnabled()) return [composedGradient(g, x, layout, eps)];
      const out = Tensor.unwritten(g.dtype, g.shape);
      kernel.standardizeGradient(g.elements(), y.elements(), variance.elements(), layout, eps, dataOf(out));
      return [out];
    },
    [x, y, variance],
  );
  return { y, mean: average, variance };
}

/** The gradient of `standardize` made of recorded operators, for gradients of gradients. */
function composedGradient(g: Tensor, x: Tensor, { outer, groups, inner }: Layout, eps: number): Tensor {
  const [v, h] = [x, g].map((t) => reshape(t, [outer, groups, inner])) as [Tensor, Tensor];
  const over = (t: Tensor) => mean(t, [0, 2], { keepdim: true });
  const centered = sub(v, over(v));
  const scale = rsqrt(add(over(square(centered)), eps));
  const y = mul(centered, scale);
  return reshape(mul(sub(sub(h, over(h)), mul(y, over(mul(h, y)))), scale), x.shape);
}

const affine = (x: Tensor, weight?: Tensor | null, bias?: Tensor | null): Tensor => {
  const scaled = weight ? mul(x, weight) : x;
  return bias ? add(scaled, bias) : scaled;
};

function checkTail(op: string, x: Tensor, shape: Shape): number[] {
  if (shape.length === 0 || shape.join() !== x.shape.slice(-shape.length).join())
    throw new ShapeError(
      op,
      `input ${formatShape(x.shape)} does not end in the normalized shape ${formatShape(shape)}`,
    );
  return shape.map((_, i) => x.ndim - 1 - i);
}

/** A value for each channel (dimension 1) in a shape that broadcasts with `x`. */
const perChannel = (op: string, name: string, x: Tensor, t: Tensor | null | undefined): Tensor | null => {
  if (!t) return null;
  if (t.ndim !== 1 || t.shape[0] !== x.shape[1])
    throw new ShapeError(
      op,
      `${name} has shape ${formatShape(t.shape)}, expected [${x.shape[1]}], one for each channel of ${formatShape(x.shape)}`,
    );
  return reshape(t, [1, -1, ...Array<number>(x.ndim - 2).fill(1)]);
};

const epsOnly = { eps: is.nonNegative };

/** Mean 0 and variance 1 over the last dimensions, which have shape `normalizedShape` (Ba et al., 2016). */
export function layerNorm(
  x: Tensor,
  normalizedShape: Shape,
  weight?: Tensor | null,
  bias?: Tensor | null,
  options?: { eps?: number },
): Tensor {
  const { eps = 1e-5 } = checkOptions('layerNorm', options, epsOnly);
  checkTensors('layerNorm', x);
  floatOnly('layerNorm', x);
  checkTail('layerNorm', x, normalizedShape);
  const inner = sizeOf(normalizedShape);
  if (fusable(x, normalizedShape, 4, inner, weight, bias))
    return normOfRows('layerNorm', x, normalizedShape, inner, weight, bias, eps, true);
  return affine(standardize(x, { outer: 1, groups: inner === 0 ? 0 : x.numel / inner, inner }, eps).y, weight, bias);
}

/** Mean square 1 over the last dimensions (Zhang and Sennrich, 2019). */
export function rmsNorm(x: Tensor, normalizedShape: Shape, weight?: Tensor | null, options?: { eps?: number }): Tensor {
  const { eps = 1.1920928955078125e-7 } = checkOptions('rmsNorm', options, epsOnly);
  checkTensors('rmsNorm', x);
  floatOnly('rmsNorm', x);
  const dims = checkTail('rmsNorm', x, normalizedShape);
  const inner = sizeOf(normalizedShape);
  if (fusable(x, normalizedShape, 4, inner, weight))
    return normOfRows('rmsNorm', x, normalizedShape, inner, weight, null, eps, false);
  return affine(mul(x, rsqrt(add(mean(square(x), dims, { keepdim: true }), eps))), weight);
}

/** Mean 0 and variance 1 over each of `groups` groups of channels of `x` `[N, C, ...]` (Wu and He, 2018). */
export function groupNorm(
  x: Tensor,
  groups: number,
  weight?: Tensor | null,
  bias?: Tensor | null,
  options?: { eps?: number },
): Tensor {
  const { eps = 1e-5 } = checkOptions('groupNorm', options, epsOnly);
  checkTensors('groupNorm', x);
  floatOnly('groupNorm', x);
  const channels = x.shape[1] ?? 0;
  if (x.ndim < 2 || !Number.isInteger(groups) || groups < 1 || channels % groups !== 0)
    throw new ShapeError(
      'groupNorm',
      `${channels} channels of ${formatShape(x.shape)} cannot be split into ${groups} groups`,
    );
  const [batch, inner] = [x.shape[0]!, sizeOf(x.shape.slice(2))];
  if ((weight || bias) && fusable(x, [channels], 4, inner, weight, bias))
    return normOfChannels('groupNorm', x, { batch, channels, inner, together: channels / groups }, weight, bias, eps).y;
  const rows = batch * groups;
  const { y } = standardize(x, { outer: 1, groups: rows, inner: rows === 0 ? 0 : x.numel / rows }, eps);
  return affine(y, perChannel('groupNorm', 'weight', x, weight), perChannel('groupNorm', 'bias', x, bias));
}

/** Mean 0 and variance 1 for each sample and channel of `x` `[N, C, ...]`. */
export function instanceNorm(
  x: Tensor,
  weight?: Tensor | null,
  bias?: Tensor | null,
  options?: { eps?: number },
): Tensor {
  checkTensors('instanceNorm', x);
  checkOptions('instanceNorm', options, epsOnly);
  if (x.ndim < 3)
    throw new ShapeError('instanceNorm', `takes [batch, channels, ...positions], got ${formatShape(x.shape)}`);
  return groupNorm(x, x.shape[1] ?? 1, weight, bias, options);
}

export interface BatchNormOptions {
  weight?: Tensor | null;
  bias?: Tensor | null;
  /** Normalise by the batch's own statistics, and move the running ones towards them. */
  training?: boolean;
  /** How far the running statistics move. */
  momentum?: number;
  eps?: number;
}

const batchNormOptions = {
  weight: is.nullable(is.tensor),
  bias: is.nullable(is.tensor),
  training: is.boolean,
  momentum: is.number,
  eps: is.nonNegative,
};

/** Mean 0 and variance 1 for each channel of `x` `[N, C, ...]`, over batch and positions (Ioffe and Szegedy, 2015). */
export function batchNorm(
  x: Tensor,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  options: BatchNormOptions = {},
): Tensor {
  checkTensors('batchNorm', x);
  const op = 'batchNorm';
  floatOnly(op, x);
  const { weight, bias, training = false, momentum = 0.1, eps = 1e-5 } = checkOptions(op, options, batchNormOptions);
  if (x.ndim < 2) throw new ShapeError(op, `takes [N, C, ...], got ${formatShape(x.shape)}`);
  const w = perChannel(op, 'weight', x, weight);
  const b = perChannel(op, 'bias', x, bias);
  const m = perChannel(op, 'runningMean', x, runningMean);
  const v = perChannel(op, 'runningVar', x, runningVar);
  // Without running statistics the batch's own are all there is.
  if (!isTraining(training) && !(training && !m && !v)) {
    if (!m || !v) throw new TypeError('batchNorm: without training, runningMean and runningVar are needed');
    // One scale and one shift for each channel: two passes over x rather than four.
    const scale = w ? mul(rsqrt(add(v, eps)), w) : rsqrt(add(v, eps));
    const shift = b ? sub(b, mul(m, scale)) : mul(m, scale).neg();
    return shiftedChannels(x, scale, shift, sizeOf(x.shape.slice(2))) ?? add(mul(x, scale), shift);
  }
  const count = x.numel / Math.max(1, x.shape[1]!);
  if (count <= 1)
    throw new ShapeError(
      op,
      `in training there must be more than one value for each channel, got ${formatShape(x.shape)}`,
    );
  const [batch, channels, inner] = [x.shape[0]!, x.shape[1]!, sizeOf(x.shape.slice(2))];
  let y: Tensor;
  let batchMean: Tensor;
  let variance: Tensor;
  if (fusable(x, [channels], 4, inner, weight, bias)) {
    const found = normOfChannels(op, x, { batch, channels, inner, together: 0 }, weight, bias, eps);
    y = found.y;
    [batchMean, variance] = [found.statistics.means, found.statistics.variances].map((values) =>
      Tensor.of(Float32Array.from(values), 'float32', [channels]),
    ) as [Tensor, Tensor];
  } else {
    const found = standardize(x, { outer: batch, groups: channels, inner }, eps);
    y = affine(found.y, w, b);
    ({ mean: batchMean, variance } = found);
  }
  if (runningMean && runningVar)
    noGrad.run(() => {
      runningMean.mul_(1 - momentum).add_(mul(batchMean, momentum));
      // The running variance is that of the population, estimated without bias.
      runningVar.mul_(1 - momentum).add_(mul(variance, (momentum * count) / (count - 1)));
    });
  return y;
}

const normalizeOptions = { p: is.number, dim: is.integer, eps: is.nonNegative };

/** `x` with `p`-norm 1 along `dim`. */
export function normalize(x: Tensor, options?: { p?: number; dim?: number; eps?: number }): Tensor {
  const { p = 2, dim = 1, eps = 1e-12 } = checkOptions('normalize', options, normalizeOptions);
  checkTensors('normalize', x);
  return div(x, clamp(norm(x, p, dim, { keepdim: true }), eps));
}
