import { record } from '../autograd/node.js';
import { checkOptions, show } from '../check.js';
import { IndexError, ShapeError } from '../errors.js';
import { noGrad } from '../grad/index.js';
import { checkIntegers, checkTensors } from '../tensor/check.js';
import { formatShape, sameShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { logSigmoid } from './activation.js';
import { applyUnary, binary, unaryOperator } from './define.js';
import { add, div, log, lt, mul, ne, neg, sub, where } from './elementwise.js';
import { crossEntropyOfClasses, fusable, logitLossOf, type Reduction, squaredErrorOf } from './fusedLoss.js';
import { clamp, square } from './math.js';
import {
  binaryCrossEntropyOptions,
  binaryCrossEntropyWithLogitsOptions,
  cosineSimilarityOptions,
  crossEntropyOptions,
  huberLossOptions,
  klDivOptions,
  lossOptions,
  nllLossOptions,
  smoothL1LossOptions,
} from './options.js';
import { mean, norm, sum } from './reduce.js';
import { logSoftmax } from './softmax.js';
import { logit } from './special.js';

export type { Reduction };

export interface LossOptions {
  reduction?: Reduction;
}

/** Applies a reduction by name. */
export function reduceLoss(op: string, loss: Tensor, reduction: Reduction = 'mean'): Tensor {
  if (reduction === 'none') return loss;
  if (reduction === 'sum') return sum(loss);
  if (reduction === 'mean') return mean(loss);
  throw new TypeError(`${op}: reduction is 'mean', 'sum' or 'none', got ${show(reduction)}`);
}

/** Input and target of equal shape, floating point. */
export function checkSameShape(op: string, input: Tensor, target: Tensor): void {
  checkTensors(op, input, target);
  if (!sameShape(input.shape, target.shape))
    throw new ShapeError(
      op,
      `input ${formatShape(input.shape)} and target ${formatShape(target.shape)} must have equal shapes`,
    );
}

/** The mean of `(input - target)²`. */
export function mseLoss(input: Tensor, target: Tensor, options?: LossOptions): Tensor {
  const { reduction } = checkOptions('mseLoss', options, lossOptions);
  checkSameShape('mseLoss', input, target);
  if (fusable(reduction, input, target)) return squaredErrorOf(input, target, reduction);
  return reduceLoss('mseLoss', square(sub(input, target)), reduction);
}

/** The mean of `|input - target|`. */
export function l1Loss(input: Tensor, target: Tensor, options?: LossOptions): Tensor {
  const { reduction } = checkOptions('l1Loss', options, lossOptions);
  checkSameShape('l1Loss', input, target);
  return reduceLoss('l1Loss', sub(input, target).abs(), reduction);
}

/** Quadratic for errors below `delta`, linear above (Huber, 1964). */
export function huberLoss(input: Tensor, target: Tensor, options?: LossOptions & { delta?: number }): Tensor {
  const { reduction, delta = 1 } = checkOptions('huberLoss', options, huberLossOptions);
  checkSameShape('huberLoss', input, target);
  if (!(delta > 0)) throw new RangeError(`huberLoss: delta is above 0, got ${delta}`);
  return reduceLoss('huberLoss', huber(sub(input, target), delta), reduction);
}

/** In one rule, `g` times the error limited to ±`delta`: that of two parts would be 0 times an infinity for large errors. */
const huber = (error: Tensor, delta: number): Tensor => applyUnary(huberOperator, error, [delta]);

const huberOperator = unaryOperator('huber', {
  forward: (e, delta) => (Math.abs(e) < delta ? (e * e) / 2 : delta * (Math.abs(e) - delta / 2)),
  backward: (g, e, _, [delta]) => mul(g, clamp(e, -delta!, delta!)),
  saves: 'input',
});

/** `huberLoss` divided by `beta`: its linear part has slope 1. */
export function smoothL1Loss(input: Tensor, target: Tensor, options?: LossOptions & { beta?: number }): Tensor {
  const { reduction, beta = 1 } = checkOptions('smoothL1Loss', options, smoothL1LossOptions);
  checkSameShape('smoothL1Loss', input, target);
  if (!(beta >= 0)) throw new RangeError(`smoothL1Loss: beta is from 0 up, got ${beta}`);
  return beta === 0
    ? l1Loss(input, target, { reduction })
    : div(huberLoss(input, target, { reduction, delta: beta }), beta);
}

/** `-(target log(input) + (1 - target) log(1 - input))` of probabilities; logarithms are cut off at -100. */
export function binaryCrossEntropy(
  input: Tensor,
  target: Tensor,
  options?: LossOptions & { weight?: Tensor | null },
): Tensor {
  const { reduction, weight } = checkOptions('binaryCrossEntropy', options, binaryCrossEntropyOptions);
  checkSameShape('binaryCrossEntropy', input, target);
  if (input.lt(0).any().item() || input.gt(1).any().item())
    throw new RangeError(
      'binaryCrossEntropy: input holds values outside of [0, 1]; use binaryCrossEntropyWithLogits for scores',
    );
  const loss = entropies(input, target);
  return reduceLoss('binaryCrossEntropy', weight ? mul(loss, weight) : loss, reduction);
}

const logOf = (p: number): number => Math.max(Math.log(p), -100);

/** The binary cross entropy of each element; its gradient is PyTorch's, which is 0 where a probability of 0 or 1 is right. */
const entropies = binary('binaryCrossEntropy', {
  forward: (x, t) => -t * logOf(x) - (1 - t) * logOf(1 - x),
  backward: [entropyGradient, (g, x) => neg(mul(g, logit(x)))],
  saves: true,
});

/** `g (x - t) / max(x (1 - x), 1e-12)`, with a gradient of its own that is finite at 0 and 1 too. */
function entropyGradient(g: Tensor, x: Tensor, t: Tensor): Tensor {
  const scale = noGrad.run(() => clamp(mul(x, sub(1, x)), 1e-12));
  const slope = noGrad.run(() => div(sub(x, t), scale));
  return record(
    'binaryCrossEntropyGradient',
    [g, x, t],
    noGrad.run(() => mul(g, slope)),
    (gg, ctx) => {
      const [g, x, t, scale] = ctx.saved as [Tensor, Tensor, Tensor, Tensor];
      // x² - 2 x t + t over the square of x (1 - x).
      const curvature = div(add(mul(x, sub(x, mul(t, 2))), t), square(add(mul(x, sub(1, x)), 1e-12)));
      return [
        ctx.needs(0) ? entropyGradient(gg, x, t) : null,
        ctx.needs(1) ? mul(mul(gg, g), curvature) : null,
        ctx.needs(2) ? neg(div(mul(gg, g), scale)) : null,
      ];
    },
    [g, x, t, scale],
  );
}

/** `binaryCrossEntropy` of `sigmoid(input)`, without overflow; `posWeight` scales the positive part. */
export function binaryCrossEntropyWithLogits(
  input: Tensor,
  target: Tensor,
  options?: LossOptions & { weight?: Tensor | null; posWeight?: Tensor | null },
): Tensor {
  const { reduction, weight, posWeight } = checkOptions(
    'binaryCrossEntropyWithLogits',
    options,
    binaryCrossEntropyWithLogitsOptions,
  );
  checkSameShape('binaryCrossEntropyWithLogits', input, target);
  if (!weight && !posWeight && fusable(reduction, input, target)) return logitLossOf(input, target, reduction);
  const positive = mul(target, logSigmoid(input));
  const negative = mul(sub(1, target), logSigmoid(neg(input)));
  const loss = neg((posWeight ? mul(positive, posWeight) : positive).add(negative));
  return reduceLoss('binaryCrossEntropyWithLogits', weight ? mul(loss, weight) : loss, reduction);
}

/** `target (log(target) - input)` with log-probabilities as input; `'batchmean'` divides the sum by the batch size. */
export function klDiv(
  input: Tensor,
  target: Tensor,
  options?: { reduction?: Reduction | 'batchmean'; logTarget?: boolean },
): Tensor {
  const { reduction = 'mean', logTarget = false } = checkOptions('klDiv', options, klDivOptions);
  checkSameShape('klDiv', input, target);
  const loss = logTarget
    ? mul(target.exp(), sub(target, input))
    : sub(where(target.le(0), 0, mul(target, log(where(target.le(0), 1, target)))), mul(target, input));
  if (reduction === 'batchmean') return div(sum(loss), input.shape[0] ?? 1);
  return reduceLoss('klDiv', loss, reduction);
}

/** The cosine of the angle between `a` and `b` along `dim`. */
export function cosineSimilarity(a: Tensor, b: Tensor, options?: { dim?: number; eps?: number }): Tensor {
  const { dim = 1, eps = 1e-8 } = checkOptions('cosineSimilarity', options, cosineSimilarityOptions);
  checkTensors('cosineSimilarity', a, b);
  // Each is divided by its own length first, so that products of lengths don't overflow. As in PyTorch, the lower limit of
  // a length stays out of the gradient, which is finite so.
  const direction = (x: Tensor): Tensor => {
    const length = norm(x, 2, dim, { keepdim: true });
    return div(x, where(lt(length.detach(), eps), add(length, sub(eps, length.detach())), length));
  };
  return sum(mul(direction(a), direction(b)), dim);
}

export interface NllLossOptions extends LossOptions {
  /** A weight for each class, `[C]`. */
  weight?: Tensor | null;
  /** Targets of this class are left out. */
  ignoreIndex?: number;
}

export interface CrossEntropyOptions extends NllLossOptions {
  /** How much of the target is spread evenly over the classes, from 0 to 1. */
  labelSmoothing?: number;
}

/** Scores `[N, C]` or `[N, C, d1, ...]` (or `[C]`) with int32 classes `[N]`, `[N, d1, ...]` (or `[]`). */
function checkClasses(
  op: string,
  input: Tensor,
  target: Tensor,
  weight: Tensor | null | undefined,
  ignoreIndex: number,
): void {
  checkIntegers(op, 'target classes', target);
  const expected = input.shape.filter((_, i) => i !== (input.ndim === 1 ? 0 : 1));
  if (input.ndim === 0 || !sameShape(expected, target.shape))
    throw new ShapeError(
      op,
      `scores ${formatShape(input.shape)} need target classes of shape ${formatShape(expected)}, got ${formatShape(target.shape)}`,
    );
  const classes = input.shape[input.ndim === 1 ? 0 : 1]!;
  if (weight && !sameShape(weight.shape, [classes]))
    throw new ShapeError(
      op,
      `weight has shape ${formatShape(weight.shape)}, expected one for each class: [${classes}]`,
    );
  const all = target.elements();
  for (let i = 0; i < all.length; i++)
    if ((all[i]! < 0 || all[i]! >= classes) && all[i] !== ignoreIndex)
      throw new IndexError(op, `target class ${all[i]} is out of range for ${classes} classes`);
}

/** The negative log likelihood: of log-probabilities, those of the target classes, weighted and averaged. */
export function nllLoss(input: Tensor, target: Tensor, options: NllLossOptions = {}): Tensor {
  checkTensors('nllLoss', input, target);
  const { weight, ignoreIndex = -100, reduction = 'mean' } = checkOptions('nllLoss', options, nllLossOptions);
  checkClasses('nllLoss', input, target, weight, ignoreIndex);
  const dim = input.ndim === 1 ? 0 : 1;
  const counted = ne(target, ignoreIndex);
  const index = where(counted, target, 0);
  const picked = input.gather(dim, index.unsqueeze(dim)).squeeze(dim);
  const each = weight ? weight.indexSelect(0, index.flatten()).reshape(index.shape) : counted.to(input.dtype);
  const w = mul(each, counted);
  const loss = neg(mul(where(counted, picked, 0), w));
  if (reduction === 'mean') return div(sum(loss), sum(w));
  return reduceLoss('nllLoss', loss, reduction);
}

/**
 * The cross entropy of scores before softmax with target classes (int32) or class probabilities (the scores' shape and
 * dtype). Classes are dimension 1, or 0 for a single sample.
 */
export function crossEntropy(input: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  checkTensors('crossEntropy', input, target);
  const { labelSmoothing = 0, ...rest } = checkOptions('crossEntropy', options, crossEntropyOptions);
  const { weight, ignoreIndex = -100, reduction = 'mean' } = rest;
  const dim = input.ndim === 1 ? 0 : 1;
  const classes = input.shape[dim] ?? 1;
  const asColumn = (w: Tensor) => (input.ndim === 1 ? w : w.reshape([1, -1, ...Array<number>(input.ndim - 2).fill(1)]));
  const probabilities = target.dtype === input.dtype && target.ndim === input.ndim && input.ndim > 0;
  if (!probabilities) checkClasses('crossEntropy', input, target, weight, ignoreIndex);
  else checkSameShape('crossEntropy', input, target);
  const plain = !probabilities && !weight && labelSmoothing === 0 && input.ndim === 2 && input.dtype === 'float32';
  if (plain) return crossEntropyOfClasses(input, target, ignoreIndex, reduction);
  const logp = logSoftmax(input, dim);
  if (probabilities) {
    const smooth = labelSmoothing > 0 ? target.mul(1 - labelSmoothing).add(labelSmoothing / classes) : target;
    const weighted = weight ? mul(smooth, asColumn(weight)) : smooth;
    const loss = neg(sum(mul(logp, weighted), dim));
    return reduction === 'mean' ? div(sum(loss), loss.numel) : reduceLoss('crossEntropy', loss, reduction);
  }
  const nll = nllLoss(logp, target, rest);
  if (labelSmoothing === 0) return nll;
  const counted = ne(target, ignoreIndex);
  const all = neg(sum(weight ? mul(logp, asColumn(weight)) : logp, dim));
  const smooth = where(counted, all, 0);
  let smoothLoss: Tensor;
  if (reduction === 'mean') {
    const index = where(counted, target, 0);
    const w = weight ? mul(weight.indexSelect(0, index.flatten()).reshape(index.shape), counted) : counted;
    smoothLoss = div(sum(smooth), sum(w));
  } else smoothLoss = reduceLoss('crossEntropy', smooth, reduction);
  return nll.mul(1 - labelSmoothing).add(smoothLoss.mul(labelSmoothing / classes));
}
