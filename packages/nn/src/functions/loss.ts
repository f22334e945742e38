import {
  clamp,
  IndexError,
  type LossOptions,
  log,
  logSigmoid,
  relu,
  ShapeError,
  softplus,
  type Tensor,
  where,
  zeros,
} from '@gradgate/core';
import {
  check,
  checkIntegers,
  checkOptions,
  checkSameShape,
  checkTensors,
  inFloat32,
  is,
  kernelsOf,
  options as known,
  named,
  reduceLoss,
} from '@gradgate/core/internal';
import { shapeText } from '../shapeText.js';

export const pairwiseDistanceOptions = { p: is.number, eps: is.number, keepdim: is.boolean };
export const marginOptions = { ...known.lossOptions, margin: is.number };
export const tripletMarginLossOptions = {
  ...known.lossOptions,
  margin: is.number,
  p: is.number,
  eps: is.number,
  swap: is.boolean,
};
export const multilabelSoftMarginLossOptions = { ...known.lossOptions, weight: is.nullable(is.tensor) };
export const multiMarginLossOptions = {
  ...known.lossOptions,
  p: is.oneOfNumbers(1, 2),
  margin: is.number,
  weight: is.nullable(is.tensor),
};
export const poissonNllLossOptions = { ...known.lossOptions, logInput: is.boolean, full: is.boolean, eps: is.number };
export const gaussianNllLossOptions = { ...known.lossOptions, full: is.boolean, eps: is.positive };

/**
 * The `p`-norm, 2 by default, of `a - b + eps` along the last dimension: `[..., D]` to `[...]`, or `[..., 1]` with
 * `keepdim`. `eps` is 1e-6 by default.
 *
 * ```ts
 * functional.pairwiseDistance(tensor([0, 0]), tensor([3, 4])); // 5
 * ```
 */
export const pairwiseDistance = /* @__PURE__ */ named(
  'pairwiseDistance',
  (a: Tensor, b: Tensor, options?: { p?: number; eps?: number; keepdim?: boolean }): Tensor => {
    checkTensors('pairwiseDistance', a, b);
    const { p = 2, eps = 1e-6, keepdim = false } = checkOptions('pairwiseDistance', options, pairwiseDistanceOptions);
    return a.sub(b).add(eps).norm(p, -1, { keepdim });
  },
);

/**
 * `max(0, -target * (a - b) + margin)`, where the target is 1 if `a` should rank higher and -1 if `b` should. All have
 * the same shape; `margin` is 0 by default. `reduction` is 'mean' (the default), 'sum' or 'none'.
 *
 * ```ts
 * functional.marginRankingLoss(tensor([1]), tensor([3]), tensor([1])); // 2
 * ```
 */
export const marginRankingLoss = /* @__PURE__ */ inFloat32(
  'marginRankingLoss',
  (a: Tensor, b: Tensor, target: Tensor, options?: LossOptions & { margin?: number }): Tensor => {
    checkTensors('marginRankingLoss', a, b, target);
    const { margin = 0, reduction } = checkOptions('marginRankingLoss', options, marginOptions);
    checkSameShape('marginRankingLoss', a, b);
    return reduceLoss(clamp(target.neg().mul(a.sub(b)).add(margin), 0), reduction);
  },
);

/**
 * `x` where the target is 1, `max(0, margin - x)` where it is -1. Both have the same shape; `margin` is 1 by
 * default. `reduction` is 'mean' (the default), 'sum' or 'none'.
 *
 * ```ts
 * functional.hingeEmbeddingLoss(tensor([0.2, 0.2]), tensor([1, -1])); // 0.5
 * ```
 */
export const hingeEmbeddingLoss = /* @__PURE__ */ inFloat32(
  'hingeEmbeddingLoss',
  (x: Tensor, target: Tensor, options?: LossOptions & { margin?: number }): Tensor => {
    checkTensors('hingeEmbeddingLoss', x, target);
    const { margin = 1, reduction } = checkOptions('hingeEmbeddingLoss', options, marginOptions);
    checkSameShape('hingeEmbeddingLoss', x, target);
    // In PyTorch's way, a target that is neither counts for both.
    const apart = where(target.eq(1), 0, clamp(x.neg().add(margin), 0));
    return reduceLoss(apart.add(where(target.eq(-1), 0, x)), reduction);
  },
);

/**
 * `1 - cos(a, b)` where the target is 1, `max(0, cos(a, b) - margin)` where it is -1. `a` and `b` are `[N, D]`, the
 * target is `[N]`; `margin` is 0 by default. `reduction` is 'mean' (the default), 'sum' or 'none'.
 *
 * ```ts
 * functional.cosineEmbeddingLoss(tensor([[1, 0]]), tensor([[0, 1]]), tensor([1])); // 1
 * ```
 */
export const cosineEmbeddingLoss = /* @__PURE__ */ inFloat32(
  'cosineEmbeddingLoss',
  (a: Tensor, b: Tensor, target: Tensor, options?: LossOptions & { margin?: number }): Tensor => {
    checkTensors('cosineEmbeddingLoss', a, b, target);
    const { margin = 0, reduction } = checkOptions('cosineEmbeddingLoss', options, marginOptions);
    checkSameShape('cosineEmbeddingLoss', a, b);
    // Not `cosineSimilarity`: as in PyTorch, a small constant added to the squares gives zero vectors a gradient.
    const squares = (x: Tensor) => x.square().sum(-1).add(1e-12);
    const cos = a
      .mul(b)
      .sum(-1)
      .div(squares(a).mul(squares(b)).sqrt());
    if (target.shape.join() !== cos.shape.join())
      throw new ShapeError(
        'cosineEmbeddingLoss',
        `the target must be ${shapeText(cos)} for vectors ${shapeText(a)}, got ${shapeText(target)}`,
      );
    // In PyTorch's way, a target that is neither has no loss.
    const apart = where(target.eq(-1), clamp(cos.sub(margin), 0), 0);
    return reduceLoss(where(target.eq(1), cos.neg().add(1), apart), reduction);
  },
);

/**
 * `max(0, |anchor - positive| - |anchor - negative| + margin)` for vectors `[N, D]`. Options: `margin` 1; `p` 2, the
 * power of the norm; `eps` 1e-6; `swap` false, which with true also takes the distance from positive to negative, if it
 * is smaller. `reduction` is 'mean' (the default), 'sum' or 'none'.
 *
 * ```ts
 * functional.tripletMarginLoss(tensor([[0, 0]]), tensor([[0, 1]]), tensor([[3, 4]])); // 0
 * ```
 */
export const tripletMarginLoss = /* @__PURE__ */ inFloat32(
  'tripletMarginLoss',
  (
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    options?: LossOptions & { margin?: number; p?: number; eps?: number; swap?: boolean },
  ): Tensor => {
    checkTensors('tripletMarginLoss', anchor, positive, negative);
    const {
      margin = 1,
      p = 2,
      eps = 1e-6,
      swap = false,
      reduction,
    } = checkOptions('tripletMarginLoss', options, tripletMarginLossOptions);
    checkSameShape('tripletMarginLoss', anchor, positive);
    checkSameShape('tripletMarginLoss', anchor, negative);
    const near = pairwiseDistance(anchor, positive, { p, eps });
    const far = pairwiseDistance(anchor, negative, { p, eps });
    const distance = swap ? far.minimum(pairwiseDistance(positive, negative, { p, eps })) : far;
    return reduceLoss(clamp(near.sub(distance).add(margin), 0), reduction);
  },
);

/** A distance of two tensors, one number for each pair. */
export type Distance = (a: Tensor, b: Tensor) => Tensor;

export const tripletMarginWithDistanceLossOptions = {
  ...known.lossOptions,
  distanceFunction: is.callback,
  margin: is.number,
  swap: is.boolean,
};

/**
 * `tripletMarginLoss` with your own distance, `distanceFunction`; `pairwiseDistance` by default. Options: `margin` 1,
 * `swap` false. `reduction` is 'mean' (the default), 'sum' or 'none'.
 *
 * ```ts
 * const far = (a: Tensor, b: Tensor) => a.sub(b).abs().sum(-1);
 * const [anchor, near] = [tensor([[0, 0]]), tensor([[1, 0]])];
 * functional.tripletMarginWithDistanceLoss(anchor, near, tensor([[1, 1]]), { distanceFunction: far }); // 0
 * ```
 */
export function tripletMarginWithDistanceLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options?: LossOptions & { distanceFunction?: Distance; margin?: number; swap?: boolean },
): Tensor {
  const op = 'tripletMarginWithDistanceLoss';
  checkTensors(op, anchor, positive, negative);
  const given = checkOptions(op, options, tripletMarginWithDistanceLossOptions);
  const { distanceFunction = named(op, pairwiseDistance), margin = 1, swap = false, reduction } = given;
  const between = (a: Tensor, b: Tensor): Tensor => {
    const found = distanceFunction(a, b);
    check(op, 'the result of distanceFunction', found, is.tensor);
    return found;
  };
  const near = between(anchor, positive);
  const far = between(anchor, negative);
  const swapped = swap ? between(positive, negative) : null;
  const loss = named(op, () => clamp(near.sub(swapped ? far.minimum(swapped) : far).add(margin), 0));
  return reduceLoss(loss(), reduction);
}

/**
 * `log(1 + exp(-target * x))` for targets 1 and -1; both have the same shape. `reduction` is 'mean' (the
 * default), 'sum' or 'none'.
 *
 * ```ts
 * functional.softMarginLoss(tensor([0]), tensor([1])); // 0.6931
 * ```
 */
export const softMarginLoss = /* @__PURE__ */ inFloat32(
  'softMarginLoss',
  (x: Tensor, target: Tensor, options?: LossOptions): Tensor => {
    checkTensors('softMarginLoss', x, target);
    const { reduction } = checkOptions('softMarginLoss', options, known.lossOptions);
    checkSameShape('softMarginLoss', x, target);
    return reduceLoss(softplus(target.neg().mul(x)), reduction);
  },
);

/**
 * Binary cross entropy of scores `[N, C]` and targets 0 or 1 `[N, C]`, averaged over the classes of each sample;
 * `weight` `[C]` scales classes. `reduction` is 'mean' (the default), 'sum' or 'none'.
 *
 * ```ts
 * functional.multilabelSoftMarginLoss(tensor([[0, 0]]), tensor([[1, 0]])); // 0.6931
 * ```
 */
export const multilabelSoftMarginLoss = /* @__PURE__ */ inFloat32(
  'multilabelSoftMarginLoss',
  (x: Tensor, target: Tensor, options?: LossOptions & { weight?: Tensor | null }): Tensor => {
    checkTensors('multilabelSoftMarginLoss', x, target);
    const { weight, reduction } = checkOptions('multilabelSoftMarginLoss', options, multilabelSoftMarginLossOptions);
    checkSameShape('multilabelSoftMarginLoss', x, target);
    const each = target
      .mul(logSigmoid(x))
      .add(target.neg().add(1).mul(logSigmoid(x.neg())))
      .neg();
    return reduceLoss((weight ? each.mul(weight) : each).mean(-1), reduction);
  },
);

/**
 * For scores `[N, C]` and classes `[N]`, the mean over the wrong classes of `max(0, margin - right + wrong) ** p`.
 * Options: `p` 1, `margin` 1, `weight` `[C]`. Throws for a class out of range. `reduction` is 'mean' (the default),
 * 'sum' or 'none'.
 *
 * ```ts
 * functional.multiMarginLoss(tensor([[0.5, 1]]), tensor([1], { dtype: 'int32' })); // 0.25
 * ```
 */
export const multiMarginLoss = /* @__PURE__ */ inFloat32(
  'multiMarginLoss',
  (
    x: Tensor,
    target: Tensor,
    options?: LossOptions & { p?: 1 | 2; margin?: number; weight?: Tensor | null },
  ): Tensor => {
    checkTensors('multiMarginLoss', x, target);
    const { p = 1, margin = 1, weight, reduction } = checkOptions('multiMarginLoss', options, multiMarginLossOptions);
    const op = 'multiMarginLoss';
    if (x.ndim !== 2 || target.ndim !== 1 || target.shape[0] !== x.shape[0])
      throw new ShapeError(op, `takes scores [N, C] and classes [N], got ${shapeText(x)} and ${shapeText(target)}`);
    const classes = x.shape[1]!;
    const refuse = (c: number) => new IndexError(op, `target class ${c} is out of range for ${classes} classes`);
    kernelsOf(op, x, target, weight).checkRange(target, 0, classes - 1, refuse);
    const index = target.unsqueeze(1);
    const hinge = relu(x.sub(x.gather(1, index)).add(margin));
    const powered = p === 2 ? hinge.square() : hinge;
    const weighted = weight ? powered.mul(weight.indexSelect(0, target).unsqueeze(1)) : powered;
    // Leave out the term of the target class, which is constant but not 0.
    const own = weighted.gather(1, index).squeeze(1);
    return reduceLoss(weighted.sum(1).sub(own).div(classes), reduction);
  },
);

/**
 * Negative log likelihood of Poisson counts. `input` is the logarithm of the rate, or the rate itself if `logInput` is
 * false; then `eps`, 1e-8 by default, keeps its logarithm finite. `full: true` adds the term of the counts alone, by
 * Stirling's approximation. `reduction` is 'mean' (the default), 'sum' or 'none'.
 *
 * ```ts
 * functional.poissonNllLoss(tensor([0]), tensor([2])); // 1
 * ```
 */
export const poissonNllLoss = /* @__PURE__ */ inFloat32(
  'poissonNllLoss',
  (
    input: Tensor,
    target: Tensor,
    options?: LossOptions & { logInput?: boolean; full?: boolean; eps?: number },
  ): Tensor => {
    checkTensors('poissonNllLoss', input, target);
    const {
      logInput = true,
      full = false,
      eps = 1e-8,
      reduction,
    } = checkOptions('poissonNllLoss', options, poissonNllLossOptions);
    checkSameShape('poissonNllLoss', input, target);
    const loss = logInput ? input.exp().sub(target.mul(input)) : input.sub(target.mul(log(input.add(eps))));
    if (!full) return reduceLoss(loss, reduction);
    // Stirling's approximation of log(target!), for targets above 1.
    const safe = where(target.gt(1), target, 1);
    const stirling = safe
      .mul(log(safe))
      .sub(safe)
      .add(log(safe.mul(2 * Math.PI)).mul(0.5));
    return reduceLoss(loss.add(where(target.gt(1), stirling, 0)), reduction);
  },
);

/**
 * Negative log likelihood of `target` under normal distributions with mean `input` and variance `variance`, which
 * counts as at least `eps`, 1e-6 by default. `full: true` adds the constant. Throws for a negative variance.
 * `reduction` is 'mean' (the default), 'sum' or 'none'.
 *
 * ```ts
 * functional.gaussianNllLoss(tensor([0]), tensor([2]), tensor([1])); // 2
 * ```
 */
export const gaussianNllLoss = /* @__PURE__ */ inFloat32(
  'gaussianNllLoss',
  (
    input: Tensor,
    target: Tensor,
    variance: Tensor,
    options?: LossOptions & { full?: boolean; eps?: number },
  ): Tensor => {
    checkTensors('gaussianNllLoss', input, target, variance);
    const { full = false, eps = 1e-6, reduction } = checkOptions('gaussianNllLoss', options, gaussianNllLossOptions);
    checkSameShape('gaussianNllLoss', input, target);
    const isNegative = variance.lt(0);
    const refuse = () => new RangeError('gaussianNllLoss: variance has negative values');
    kernelsOf('gaussianNllLoss', isNegative).checkRange(isNegative, 0, 0, refuse);
    // As in PyTorch, the lower limit does not affect the gradient.
    const v = variance.add(clamp(variance.detach(), eps).sub(variance.detach()));
    const loss = log(v).add(input.sub(target).square().div(v)).mul(0.5);
    return reduceLoss(full ? loss.add(0.5 * Math.log(2 * Math.PI)) : loss, reduction);
  },
);

/**
 * For scores `[N, C]` and integer targets `[N, C]` (the classes of each sample, then -1): the sum of `max(0, 1 - right
 * + wrong)` over all pairs of a right and a wrong class, divided by `C`. Throws for a class out of range. `reduction`
 * is 'mean' (the default), 'sum' or 'none'.
 *
 * ```ts
 * functional.multilabelMarginLoss(tensor([[0, 1]]), tensor([[1, -1]], { dtype: 'int32' })); // 0
 * ```
 */
export const multilabelMarginLoss = /* @__PURE__ */ inFloat32(
  'multilabelMarginLoss',
  (x: Tensor, target: Tensor, options?: LossOptions): Tensor => {
    checkTensors('multilabelMarginLoss', x, target);
    const { reduction } = checkOptions('multilabelMarginLoss', options, known.lossOptions);
    const op = 'multilabelMarginLoss';
    checkSameShape(op, x, target);
    if (x.ndim === 1) return multilabelMarginLoss(x.unsqueeze(0), target.unsqueeze(0), { reduction });
    checkIntegers(op, 'targets', target);
    if (x.ndim !== 2) throw new ShapeError(op, `takes scores and targets [N, C], got ${shapeText(x)}`);
    const [n, classes] = x.shape as [number, number];
    // Targets after the first -1 are ignored; a class that is listed twice counts twice.
    const counts = target.eq(-1).cumsum(1).eq(0);
    const classesOf = where(counts, target, 0);
    const refuse = (c: number) => new IndexError(op, `target class ${c} is out of range for ${classes} classes`);
    kernelsOf(op, classesOf).checkRange(classesOf, 0, classes - 1, refuse);
    const none = zeros([n, classes], { dtype: x.dtype, device: x.device });
    const right = none.scatterAdd(1, classesOf, counts.to(x.dtype));
    const pairs = right.unsqueeze(2).mul(right.eq(0).unsqueeze(1));
    const hinge = relu(x.unsqueeze(1).sub(x.unsqueeze(2)).add(1));
    return reduceLoss(hinge.mul(pairs).sum([1, 2]).div(classes), reduction);
  },
);
