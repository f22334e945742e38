import { kernelsOf } from '../backend/backends.js';
import type { LossReduction as Reduction } from '../backend/kernels.js';
import { checkOptions } from '../check.js';
import { IndexError, ShapeError } from '../errors.js';
import { isGradEnabled } from '../grad/index.js';
import { recordMany } from '../graph/node.js';
import { computedIn, type DType, isFloat } from '../memory/dtype.js';
import { formatShape, sameShape } from '../memory/shape.js';
import { checkIntegers, checkTensors } from '../tensor/check.js';
import { arange } from '../tensor/creation.js';
import { Tensor } from '../tensor/tensor.js';
import { inFloat32 } from './casting.js';
import { computed } from './computed.js';
import { to } from './copy.js';
import { add, div, mul, neg, sub } from './elementwise.js';
import { checkSameShape, type LossOptions, reduceLoss } from './loss.js';
import { crossEntropyOptions, nllLossOptions } from './options.js';
import { sum } from './reduce.js';
import { eq, ge, ne } from './relational.js';
import { permute, reshape, unsqueeze } from './shape.js';
import { logSoftmax, softmaxGradient } from './softmax.js';
import { where } from './where.js';

/** Options of `nllLoss`. */
export interface NllLossOptions extends LossOptions {
  /** A weight for each class, `[C]`. */
  weight?: Tensor | null;
  /** Targets of this class are left out. */
  ignoreIndex?: number;
}

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions extends NllLossOptions {
  /** How much of the target is spread evenly over all classes, from 0 to 1. */
  labelSmoothing?: number;
}

/** The dimension of the classes. */
const classDim = (input: Tensor): 0 | 1 => (input.ndim === 1 ? 0 : 1);

/** Scores `[N, C]` or `[N, C, d1, ...]` (or `[C]`) with integer classes `[N]`, `[N, d1, ...]` (or `[]`). */
function checkClasses(
  op: string,
  input: Tensor,
  target: Tensor,
  weight: Tensor | null | undefined,
  ignoreIndex: number,
): void {
  checkIntegers(op, 'target classes', target);
  const expected = input.shape.filter((_, i) => i !== classDim(input));
  if (input.ndim === 0 || !sameShape(expected, target.shape))
    throw new ShapeError(
      op,
      `scores ${formatShape(input.shape)} need target classes of shape ${formatShape(expected)}, got ${formatShape(target.shape)}`,
    );
  const classes = input.shape[classDim(input)]!;
  if (weight && !sameShape(weight.shape, [classes]))
    throw new ShapeError(
      op,
      `weight has shape ${formatShape(weight.shape)}, expected one for each class: [${classes}]`,
    );
  const refuse = (value: number) => new IndexError(op, `target class ${value} is out of range for ${classes} classes`);
  kernelsOf(op, input, target, weight).checkRange(target, 0, classes - 1, refuse, ignoreIndex);
}

/**
 * The negative log likelihood: takes log-probabilities, picks those of the target classes, and averages them by weight.
 *
 * ```ts
 * nllLoss(tensor([[-0.5, -0.9]]), tensor([1], { dtype: 'int32' })); // 0.9
 * ```
 */
export const nllLoss = /* @__PURE__ */ inFloat32(
  'nllLoss',
  (input: Tensor, target: Tensor, options: NllLossOptions = {}): Tensor => {
    checkTensors('nllLoss', input, target);
    const { weight, ignoreIndex = -100, reduction = 'mean' } = checkOptions('nllLoss', options, nllLossOptions);
    checkClasses('nllLoss', input, target, weight, ignoreIndex);
    const dim = classDim(input);
    const counted = ne(target, ignoreIndex);
    const index = where(counted, target, 0);
    const likelihood = (input: Tensor, weight?: Tensor): Tensor => {
      const picked = input.gather(dim, index.unsqueeze(dim)).squeeze(dim);
      const each = weight ? weight.indexSelect(0, index.flatten()).reshape(index.shape) : counted.to(input.dtype);
      const w = mul(each, counted);
      const loss = neg(mul(where(counted, picked, 0), w));
      return reduction === 'mean' ? div(sum(loss), sum(w)) : reduceLoss(loss, reduction);
    };
    return weight ? computed(likelihood, input, weight) : computed(likelihood, input);
  },
);

/**
 * The cross entropy of scores before softmax with target classes (int32) or class probabilities (the scores' shape and
 * dtype). Classes are dimension 1, or 0 for a single sample.
 *
 * ```ts
 * crossEntropy(zeros([2, 4]), tensor([0, 3], { dtype: 'int32' })); // 1.386
 * ```
 */
export const crossEntropy = /* @__PURE__ */ inFloat32(
  'crossEntropy',
  (input: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor => {
    checkTensors('crossEntropy', input, target);
    const { labelSmoothing = 0, ...rest } = checkOptions('crossEntropy', options, crossEntropyOptions);
    const { weight, ignoreIndex = -100, reduction = 'mean' } = rest;
    const probabilities = target.dtype === input.dtype && target.ndim === input.ndim && input.ndim > 0;
    if (probabilities) {
      checkSameShape('crossEntropy', input, target);
      const entropy = (input: Tensor, target: Tensor, weight?: Tensor) =>
        entropyOfProbabilities(input, target, weight, labelSmoothing, reduction);
      return weight ? computed(entropy, input, target, weight) : computed(entropy, input, target);
    }
    checkClasses('crossEntropy', input, target, weight, ignoreIndex);
    if (!weight && labelSmoothing === 0 && isFloat(input.dtype))
      return entropyOfClasses(input, target, ignoreIndex, reduction);
    const entropy = (input: Tensor, weight?: Tensor) => {
      const logp = logSoftmax(input, classDim(input));
      const nll = nllLoss(logp, target, { weight, ignoreIndex, reduction });
      return labelSmoothing === 0 ? nll : smoothed(nll, logp, target, weight, ignoreIndex, reduction, labelSmoothing);
    };
    return weight ? computed(entropy, input, weight) : computed(entropy, input);
  },
);

/** The weight of each class, in a shape that broadcasts with scores. */
const asColumn = (weight: Tensor, input: Tensor): Tensor =>
  input.ndim === 1 ? weight : weight.reshape([1, -1, ...Array<number>(input.ndim - 2).fill(1)]);

function entropyOfProbabilities(
  input: Tensor,
  target: Tensor,
  weight: Tensor | undefined,
  labelSmoothing: number,
  reduction: Reduction,
): Tensor {
  const dim = classDim(input);
  const classes = input.shape[dim]!;
  const smooth = labelSmoothing > 0 ? target.mul(1 - labelSmoothing).add(labelSmoothing / classes) : target;
  const weighted = weight ? mul(smooth, asColumn(weight, input)) : smooth;
  const loss = neg(sum(mul(logSoftmax(input, dim), weighted), dim));
  return reduction === 'mean' ? div(sum(loss), loss.numel) : reduceLoss(loss, reduction);
}

/** The loss if a part of the target is spread evenly over the classes. */
function smoothed(
  nll: Tensor,
  logp: Tensor,
  target: Tensor,
  weight: Tensor | undefined,
  ignoreIndex: number,
  reduction: Reduction,
  labelSmoothing: number,
): Tensor {
  const dim = classDim(logp);
  const counted = ne(target, ignoreIndex);
  const all = neg(sum(weight ? mul(logp, asColumn(weight, logp)) : logp, dim));
  const smooth = where(counted, all, 0);
  let smoothLoss: Tensor;
  if (reduction === 'mean') {
    const index = where(counted, target, 0);
    const w = weight ? mul(weight.indexSelect(0, index.flatten()).reshape(index.shape), counted) : counted;
    smoothLoss = div(sum(smooth), sum(w));
  } else smoothLoss = reduceLoss(smooth, reduction);
  return nll.mul(1 - labelSmoothing).add(smoothLoss.mul(labelSmoothing / logp.shape[dim]!));
}

/** The cross entropy of scores with classes, in one pass over rows. */
function entropyOfClasses(input: Tensor, target: Tensor, ignoreIndex: number, reduction: Reduction): Tensor {
  if (input.ndim === 2) return entropyOfRows(input, target, ignoreIndex, reduction);
  const last = input.shape.map((_, d) => d).filter((d) => d !== 1);
  const moved = input.ndim === 1 ? input : permute(input, [...last, 1]);
  const rows = reshape(moved, [target.numel, input.shape[classDim(input)]!]);
  const loss = entropyOfRows(rows, reshape(target, [target.numel]), ignoreIndex, reduction);
  return reduction === 'none' ? reshape(loss, target.shape) : loss;
}

function entropyOfRows(input: Tensor, target: Tensor, ignoreIndex: number, reduction: Reduction): Tensor {
  const { dtype, shape } = input;
  const { backend } = input.storage;
  const rows = [shape[0]!];
  const p = Tensor.uninitialized(computedIn(dtype), shape, backend);
  const classes = Tensor.uninitialized('int32', rows, backend);
  const loss = Tensor.uninitialized(dtype, reduction === 'none' ? rows : [], backend);
  kernelsOf('crossEntropy', input, target).crossEntropy(input, target, ignoreIndex, reduction, loss, p, classes);
  // The softmax is an output that nobody else sees, so that a gradient of the gradient can go through it.
  recordMany(
    'crossEntropy',
    [input],
    [loss, p],
    ([g, ofP], ctx) => {
      const [p, classes] = ctx.saved as [Tensor, Tensor];
      const ofLoss = g ? gradientOfRows(g, p, classes, reduction, dtype) : null;
      const through = ofP ? softmaxGradient(ofP, p, 1) : null;
      return [ofLoss && through ? add(ofLoss, through) : (ofLoss ?? through)];
    },
    [p, classes],
  );
  return loss;
}

/** `(p - 1 for the class) g`, row by row, with `g` the gradient of each loss; 0 for rows without a class. */
function gradientOfRows(g: Tensor, p: Tensor, classes: Tensor, reduction: Reduction, dtype: DType): Tensor {
  if (!isGradEnabled()) {
    const out = Tensor.uninitialized(dtype, p.shape, p.storage.backend);
    kernelsOf('crossEntropy', g, p).crossEntropyGradient(g, p, classes, reduction, out);
    return out;
  }
  const column = unsqueeze(classes, 1);
  const counted = ge(column, 0);
  const chosen = to(eq(column, arange(p.shape[1]!, { dtype: 'int32', device: p.device })), p.dtype);
  const each = reduction === 'none' ? unsqueeze(g, 1) : reduction === 'mean' ? div(g, sum(counted)) : g;
  return where(counted, mul(sub(p, chosen), each), 0);
}
