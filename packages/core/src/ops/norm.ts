import { kernelsOf } from '../backend/backends.js';
import type { Channels } from '../backend/channels.js';
import { check, checkOptions, show } from '../check.js';
import { named, ShapeError } from '../errors.js';
import { isGradEnabled, isTraining, noGrad } from '../grad/index.js';
import { record } from '../graph/node.js';
import { computedIn, type DType } from '../memory/dtype.js';
import { promoteTypes } from '../memory/promote.js';
import { formatShape, type Shape, sameShape, sizeOf } from '../memory/shape.js';
import { checkTensors, madeOf } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { Tensor } from '../tensor/tensor.js';
import { clamp } from './arithmetic.js';
import { computed, widened } from './computed.js';
import { to } from './copy.js';
import { floatOnly } from './define.js';
import { add, div, mul, neg, sub } from './elementwise.js';
import { rsqrt, square } from './exponential.js';
import { mean, norm, sum } from './reduce.js';
import { reshape } from './shape.js';

type Affine = Tensor | null | undefined;

/** The dtype of `x` and a weight or bias together. */
const joined = (dtype: DType, t: Affine): DType => (t && t.dtype !== dtype ? promoteTypes(dtype, t.dtype) : dtype);

const resultOf = (x: Tensor, weight: Affine, bias: Affine): DType => joined(joined(x.dtype, weight), bias);

const uninitializedLike = (t: Tensor): Tensor => Tensor.uninitialized(t.dtype, t.shape, t.storage.backend);

/** Writes the gradients of `x` and, where needed, of weight and bias to tensors of their shapes. */
type GradientKernel = (
  g: Tensor,
  saved: readonly Tensor[],
  x: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
) => void;

/**
 * Records a normalization of `x`. The rule saves `x`, two statistics and the weight. `composed` computes the three
 * gradients by recorded operators, for where their gradients may be needed.
 */
function recordNorm(
  op: string,
  x: Tensor,
  weight: Affine,
  bias: Affine,
  y: Tensor,
  statistics: readonly [Tensor, Tensor],
  kernel: GradientKernel,
  composed: (g: Tensor, x: Tensor, weight: Tensor | null) => readonly [x: Tensor, weight: Tensor, bias: Tensor],
): Tensor {
  const inputs = [x];
  if (weight) inputs.push(weight);
  if (bias) inputs.push(bias);
  const shape = (weight ?? bias)?.shape;
  const [atWeight, atBias] = [weight ? 1 : -1, bias ? inputs.length - 1 : -1];
  const biasType = bias?.dtype;
  return record(
    op,
    inputs,
    y,
    (g, ctx) => {
      const { saved } = ctx;
      const [x, , , weight = null] = saved as [Tensor, Tensor, Tensor, Tensor?];
      if (isGradEnabled()) {
        const [ofX, ofWeight, ofBias] = composed(widened(g), widened(x), weight && widened(weight));
        return [ofX, ...(atWeight > 0 ? [ofWeight] : []), ...(atBias > 0 ? [ofBias] : [])];
      }
      const { backend } = x.storage;
      const ofX = uninitializedLike(x);
      const ofWeight = atWeight > 0 && ctx.needs(atWeight) ? uninitializedLike(weight!) : null;
      const ofBias = atBias > 0 && ctx.needs(atBias) ? Tensor.uninitialized(biasType!, shape!, backend) : null;
      kernel(g, saved, ofX, ofWeight, ofBias);
      return [ofX, ...(atWeight > 0 ? [ofWeight] : []), ...(atBias > 0 ? [ofBias] : [])];
    },
    weight ? [x, ...statistics, weight] : [x, ...statistics],
  );
}

/** The gradients of a normalization over `dims`, by operators: `x` and `g` have one shape, `w` broadcasts. */
function composedGradients(
  g: Tensor,
  x: Tensor,
  w: Tensor | null,
  dims: number[],
  eps: number,
  isCentered: boolean,
): { ofX: Tensor; ofWeight: Tensor } {
  const over = (t: Tensor) => mean(t, dims, { keepdim: true });
  const centered = isCentered ? sub(x, over(x)) : x;
  const scale = rsqrt(add(over(square(centered)), eps));
  const y = mul(centered, scale);
  const h = w ? mul(g, w) : g;
  const rest = isCentered ? sub(h, over(h)) : h;
  return { ofX: mul(sub(rest, mul(y, over(mul(h, y)))), scale), ofWeight: mul(g, y) };
}

/**
 * Mean 0 (if centered) and mean square 1 over the last dimensions, `shape`, with a weight and a bias for each of their
 * elements.
 */
function normOfRows(
  op: string,
  x: Tensor,
  shape: Shape,
  weight: Affine,
  bias: Affine,
  eps: number,
  isCentered: boolean,
): Tensor {
  const n = sizeOf(shape);
  const { backend } = x.storage;
  const dtype = resultOf(x, weight, bias);
  const y = Tensor.uninitialized(dtype, x.shape, backend);
  const rows = [n === 0 ? 0 : x.numel / n];
  const means = Tensor.uninitialized(computedIn(dtype), rows, backend);
  const scales = Tensor.uninitialized(computedIn(dtype), rows, backend);
  kernelsOf(op, x, weight, bias).normRows(x, weight ?? null, bias ?? null, eps, isCentered, y, means, scales);
  return recordNorm(
    op,
    x,
    weight,
    bias,
    y,
    [means, scales],
    (g, [x, means, scales, weight], ofX, ofWeight, ofBias) => {
      kernelsOf(op, g, x).normRowsGradient(g, x!, weight ?? null, means!, scales!, isCentered, ofX, ofWeight, ofBias);
    },
    (g, x, weight) => {
      const matrix = (t: Tensor) => reshape(t, [...rows, n]);
      const parts = [matrix(g), matrix(x)] as const;
      const { ofX, ofWeight } = composedGradients(...parts, weight && reshape(weight, n), [1], eps, isCentered);
      return [reshape(ofX, x.shape), reshape(sum(ofWeight, 0), shape), reshape(sum(parts[0], 0), shape)];
    },
  );
}

/**
 * Mean 0 and variance 1 over groups of channels, with a weight and a bias for each channel. Returns the statistics too.
 */
function normOfChannels(
  op: string,
  x: Tensor,
  layout: Channels,
  weight: Affine,
  bias: Affine,
  eps: number,
): { y: Tensor; means: Tensor; variances: Tensor } {
  const { batch, channels, inner, together } = layout;
  const { backend } = x.storage;
  const dtype = resultOf(x, weight, bias);
  const y = Tensor.uninitialized(dtype, x.shape, backend);
  const groups = [together === 0 ? channels : (batch * channels) / together];
  const means = Tensor.uninitialized(computedIn(dtype), groups, backend);
  const variances = Tensor.uninitialized(computedIn(dtype), groups, backend);
  kernelsOf(op, x, weight, bias).normChannels(x, weight ?? null, bias ?? null, layout, eps, y, means, variances);
  recordNorm(
    op,
    x,
    weight,
    bias,
    y,
    [means, variances],
    (g, [x, means, variances, weight = null], ofX, ofWeight, ofBias) => {
      const { normChannelsGradient } = kernelsOf(op, g, x);
      normChannelsGradient(g, x!, weight, means!, variances!, layout, eps, ofX, ofWeight, ofBias);
    },
    (g, x, weight) => {
      // [batch, groups, channels of a group, inner]
      const size = together || 1;
      const parts = (t: Tensor) => reshape(t, [batch, channels / size, size, inner]);
      const w = weight && reshape(weight, [1, channels / size, size, 1]);
      const dims = together === 0 ? [0, 2, 3] : [2, 3];
      const { ofX, ofWeight } = composedGradients(parts(g), parts(x), w, dims, eps, true);
      const perChannel = (t: Tensor) => reshape(sum(t, [0, 3]), [channels]);
      return [reshape(ofX, x.shape), perChannel(ofWeight), perChannel(parts(g))];
    },
  );
  return { y, means, variances };
}

/** `x * scale + shift`, with one scale and one shift for each channel. */
function scaleChannels(x: Tensor, scale: Tensor, shift: Tensor, dtype: DType): Tensor {
  const y = Tensor.uninitialized(dtype, x.shape, x.storage.backend);
  kernelsOf('batchNorm', x, scale, shift).scaleChannels(x, scale, shift, y);
  return record(
    'batchNorm',
    [x, scale, shift],
    y,
    (g, ctx) => {
      const [x, scale] = ctx.saved as [Tensor, Tensor];
      const rest = x.shape.map((_, d) => d).filter((d) => d !== 1);
      const perChannel = (t: Tensor) => sum(t, rest);
      const wide = to(g, scale.dtype);
      return [
        ctx.needs(0) ? mul(g, reshape(scale, [1, -1, ...rest.slice(1).map(() => 1)])) : null,
        ctx.needs(1) ? perChannel(mul(wide, x)) : null,
        ctx.needs(2) ? perChannel(wide) : null,
      ];
    },
    [x, scale],
  );
}

/** Refuses a shape that `x` does not end in. */
function checkTail(op: string, x: Tensor, shape: Shape): void {
  check(op, 'the normalized shape', shape, is.arrayOf(is.size));
  const lead = x.ndim - shape.length;
  if (shape.length === 0 || lead < 0 || !shape.every((n, i) => n === x.shape[lead + i]))
    throw new ShapeError(
      op,
      `input ${formatShape(x.shape)} does not end in the normalized shape ${formatShape(shape)}`,
    );
}

/** Refuses a weight or bias that does not have the normalized shape. */
function checkPlaces(op: string, name: string, t: Affine, shape: Shape): void {
  if (t != null) checkTensors(op, t);
  if (t && !sameShape(t.shape, shape))
    throw new ShapeError(
      op,
      `${name} has shape ${formatShape(t.shape)}, expected the normalized shape ${formatShape(shape)}`,
    );
}

/** Refuses tensors that do not have one number for each channel (dimension 1) of `x`. */
function checkChannels(op: string, name: string, t: Affine, x: Tensor): void {
  if (t != null) checkTensors(op, t);
  if (t && (t.ndim !== 1 || t.shape[0] !== x.shape[1]))
    throw new ShapeError(
      op,
      `${name} has shape ${formatShape(t.shape)}, expected [${x.shape[1]}], one for each channel of ${formatShape(x.shape)}`,
    );
}

const epsOnly = { eps: is.nonNegative };

/**
 * Mean 0 and variance 1 over the last dimensions, which have shape `normalizedShape` (Ba et al., 2016).
 *
 * ```ts
 * layerNorm(tensor([[1, 3]]), [2]); // [[-1, 1]]
 * ```
 */
export const layerNorm = /* @__PURE__ */ named(
  'layerNorm',
  (
    x: Tensor,
    normalizedShape: Shape,
    weight?: Tensor | null,
    bias?: Tensor | null,
    options?: { eps?: number },
  ): Tensor => {
    const { eps = 1e-5 } = checkOptions('layerNorm', options, epsOnly);
    checkTensors('layerNorm', x);
    floatOnly('layerNorm', x);
    checkTail('layerNorm', x, normalizedShape);
    checkPlaces('layerNorm', 'weight', weight, normalizedShape);
    checkPlaces('layerNorm', 'bias', bias, normalizedShape);
    return normOfRows('layerNorm', x, normalizedShape, weight, bias, eps, true);
  },
);

/**
 * Divides `x` by the root of its mean square over the last dimensions `normalizedShape`, and multiplies by `weight` (of
 * that shape) if given (Zhang and Sennrich, 2019). `eps` is added to the mean square. The result has the shape of `x`.
 *
 * ```ts
 * rmsNorm(tensor([[1, 7]]), [2]); // [[0.2, 1.4]]
 * ```
 */
export const rmsNorm = /* @__PURE__ */ madeOf(
  'rmsNorm',
  (x: Tensor, normalizedShape: Shape, weight?: Tensor | null, options?: { eps?: number }): Tensor => {
    const { eps = 1.1920928955078125e-7 } = checkOptions('rmsNorm', options, epsOnly);
    floatOnly('rmsNorm', x);
    checkTail('rmsNorm', x, normalizedShape);
    checkPlaces('rmsNorm', 'weight', weight, normalizedShape);
    return normOfRows('rmsNorm', x, normalizedShape, weight, null, eps, false);
  },
);

/**
 * Mean 0 and variance 1 over each of `groups` groups of channels of `x` `[N, C, ...]` (Wu and He, 2018).
 *
 * ```ts
 * groupNorm(randn([4, 6, 8]), 2).shape; // [4, 6, 8]
 * ```
 */
export const groupNorm = /* @__PURE__ */ madeOf(
  'groupNorm',
  (x: Tensor, groups: number, weight?: Tensor | null, bias?: Tensor | null, options?: { eps?: number }): Tensor => {
    const { eps = 1e-5 } = checkOptions('groupNorm', options, epsOnly);
    floatOnly('groupNorm', x);
    const channels = x.shape[1] ?? 0;
    if (x.ndim < 2 || !Number.isInteger(groups) || groups < 1 || channels % groups !== 0)
      throw new ShapeError(
        'groupNorm',
        `${channels} channels of ${formatShape(x.shape)} cannot be split into ${show(groups)} groups`,
      );
    checkChannels('groupNorm', 'weight', weight, x);
    checkChannels('groupNorm', 'bias', bias, x);
    const inner = sizeOf(x.shape.slice(2));
    const together = channels / groups;
    if (!weight && !bias) return normOfRows('groupNorm', x, [together * inner], null, null, eps, true);
    return normOfChannels('groupNorm', x, { batch: x.shape[0]!, channels, inner, together }, weight, bias, eps).y;
  },
);

/**
 * Mean 0 and variance 1 for each sample and channel of `x` `[N, C, ...]`.
 *
 * ```ts
 * instanceNorm(tensor([[[1, 3]]])); // [[[-1, 1]]]
 * ```
 */
export const instanceNorm = /* @__PURE__ */ madeOf(
  'instanceNorm',
  (x: Tensor, weight?: Tensor | null, bias?: Tensor | null, options?: { eps?: number }): Tensor => {
    checkOptions('instanceNorm', options, epsOnly);
    if (x.ndim < 3)
      throw new ShapeError('instanceNorm', `takes [batch, channels, ...positions], got ${formatShape(x.shape)}`);
    return groupNorm(x, x.shape[1] ?? 1, weight, bias, options);
  },
);

/** Options of `batchNorm`. */
export interface BatchNormOptions {
  /** The gain of each channel `[C]`; 1 by default. */
  weight?: Tensor | null;
  /** What is added to each channel `[C]`; 0 by default. */
  bias?: Tensor | null;
  /** Normalizes by the statistics of the batch, and moves the running ones towards them. */
  training?: boolean;
  /** How far the running statistics move. */
  momentum?: number;
  /** Added to the variance, so that nothing is divided by 0; 1e-5 by default. */
  eps?: number;
}

const batchNormOptions = {
  weight: is.nullable(is.tensor),
  bias: is.nullable(is.tensor),
  training: is.boolean,
  momentum: is.number,
  eps: is.nonNegative,
};

/**
 * Mean 0 and variance 1 for each channel of `x` `[N, C, ...]`, over batch and positions (Ioffe and Szegedy, 2015).
 *
 * ```ts
 * batchNorm(tensor([[1], [3]]), null, null, { training: true }); // [[-1], [1]]
 * ```
 */
export const batchNorm = /* @__PURE__ */ madeOf(
  'batchNorm',
  (x: Tensor, runningMean: Tensor | null, runningVar: Tensor | null, options: BatchNormOptions = {}): Tensor => {
    const op = 'batchNorm';
    floatOnly(op, x);
    const { weight, bias, training = false, momentum = 0.1, eps = 1e-5 } = checkOptions(op, options, batchNormOptions);
    if (x.ndim < 2) throw new ShapeError(op, `takes [N, C, ...], got ${formatShape(x.shape)}`);
    checkChannels(op, 'weight', weight, x);
    checkChannels(op, 'bias', bias, x);
    checkChannels(op, 'runningMean', runningMean, x);
    checkChannels(op, 'runningVar', runningVar, x);
    // Without running statistics there are only those of the batch.
    if (!isTraining(training) && !(training && !runningMean && !runningVar)) {
      if (!runningMean || !runningVar)
        throw new TypeError('batchNorm: without training, runningMean and runningVar are needed');
      const scale = rsqrt(add(widened(runningVar), eps));
      const weighted = weight ? mul(scale, weight) : scale;
      const shift = mul(widened(runningMean), weighted);
      return scaleChannels(
        x,
        weighted,
        bias ? sub(bias, shift) : neg(shift),
        joined(joined(resultOf(x, weight, bias), runningMean), runningVar),
      );
    }
    const count = x.numel / Math.max(1, x.shape[1]!);
    if (count <= 1)
      throw new ShapeError(
        op,
        `in training there must be more than one value for each channel, got ${formatShape(x.shape)}`,
      );
    const [batch, channels, inner] = [x.shape[0]!, x.shape[1]!, sizeOf(x.shape.slice(2))];
    const { y, means, variances } = normOfChannels(op, x, { batch, channels, inner, together: 0 }, weight, bias, eps);
    if (runningMean && runningVar)
      noGrad.run(() => {
        runningMean.mul_(1 - momentum).add_(mul(means, momentum));
        // The running variance is the unbiased estimate for the population.
        runningVar.mul_(1 - momentum).add_(mul(variances, (momentum * count) / (count - 1)));
      });
    return y;
  },
);

const normalizeOptions = { p: is.number, dim: is.integer, eps: is.nonNegative };

/**
 * `x` divided by its `p`-norm along `dim`: `p` is 2, `dim` 1 and the smallest divisor `eps` 1e-12 by default. The
 * result has the shape of `x`.
 *
 * ```ts
 * normalize(tensor([[3, 4]])); // [[0.6, 0.8]]
 * ```
 */
export const normalize = /* @__PURE__ */ madeOf(
  'normalize',
  (x: Tensor, options?: { p?: number; dim?: number; eps?: number }): Tensor => {
    const { p = 2, dim = 1, eps = 1e-12 } = checkOptions('normalize', options, normalizeOptions);
    return computed((x) => div(x, clamp(norm(x, p, dim, { keepdim: true }), eps)), x);
  },
);
