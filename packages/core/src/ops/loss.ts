import { kernelsOf } from '../backend/backends.js';
import type { PairLoss, LossReduction as Reduction } from '../backend/kernels.js';
import { checkOptions } from '../check.js';
import { named, ShapeError } from '../errors.js';
import { isGradEnabled, noGrad } from '../grad/index.js';
import { type Backward, record } from '../graph/node.js';
import { isFloat } from '../memory/dtype.js';
import { formatShape, sameShape } from '../memory/shape.js';
import { checkTensors } from '../tensor/check.js';
import { Tensor } from '../tensor/tensor.js';
import { logSigmoid } from './activation.js';
import { clamp } from './arithmetic.js';
import { inFloat32 } from './casting.js';
import { computed, widened } from './computed.js';
import { to } from './copy.js';
import { applyUnary, binary, realOnly, unaryOperator } from './define.js';
import { add, div, log, mul, neg, sigmoid, sub } from './elementwise.js';
import { square } from './exponential.js';
import {
  binaryCrossEntropyOptions,
  binaryCrossEntropyWithLogitsOptions,
  cosineSimilarityOptions,
  huberLossOptions,
  klDivOptions,
  lossOptions,
  smoothL1LossOptions,
} from './options.js';
import { mean, norm, sum } from './reduce.js';
import { lt } from './relational.js';
import { broadcastTensors } from './shape.js';
import { logit } from './special.js';
import { where } from './where.js';

export type { Reduction };

/** Options of losses. */
export interface LossOptions {
  /** How the losses are combined: `'mean'` by default, `'sum'` or `'none'`. */
  reduction?: Reduction;
}

/** Reduces losses by the named reduction. */
export function reduceLoss(loss: Tensor, reduction: Reduction = 'mean'): Tensor {
  if (reduction === 'none') return loss;
  if (reduction === 'sum') return sum(loss);
  return mean(loss);
}

/** Checks that input and target are real and have one shape. */
export function checkSameShape(op: string, input: Tensor, target: Tensor): void {
  checkTensors(op, input, target);
  realOnly(op, input);
  realOnly(op, target);
  if (!sameShape(input.shape, target.shape))
    throw new ShapeError(
      op,
      `input ${formatShape(input.shape)} and target ${formatShape(target.shape)} must have equal shapes`,
    );
}

/** Whether a kernel computes the loss of pairs; rarer cases consist of operators. */
const fusable = (reduction: Reduction | undefined, input: Tensor, target: Tensor): boolean =>
  (reduction === undefined || reduction === 'mean' || reduction === 'sum') &&
  input.dtype === target.dtype &&
  isFloat(input.dtype);

/** The gradients of a loss of pairs, given the gradient `g` of the loss; `inOnePass` computes the first of them. */
type PairRule = (
  g: Tensor,
  divisor: number,
  x: Tensor,
  y: Tensor,
  needs: readonly [boolean, boolean],
  inOnePass: (x: Tensor, y: Tensor) => Tensor,
) => ReturnType<Backward>;

function lossOfPairs(op: string, loss: PairLoss, rule: PairRule) {
  const gradients: Backward = (g, ctx) => {
    const divisor = ctx.attributes as number;
    const { saved } = ctx;
    return rule(g, divisor, saved[0]!, saved[1]!, [ctx.needs(0), ctx.needs(1)], (x, y) => {
      const out = Tensor.uninitialized(x.dtype, x.shape, x.storage.backend);
      kernelsOf(op, g, x, y).pairLossGradient(loss, g, x, y, divisor, out);
      return out;
    });
  };
  return (input: Tensor, target: Tensor, reduction: Reduction = 'mean'): Tensor => {
    const divisor = reduction === 'mean' ? input.numel : 1;
    const out = Tensor.uninitialized(input.dtype, [], input.storage.backend);
    kernelsOf(op, input, target).pairLoss(loss, input, target, divisor, out);
    const inputs = [input, target];
    return record(op, inputs, out, gradients, inputs, divisor);
  };
}

/** The gradients of the losses of single pairs. */
const share = (g: Tensor, divisor: number): Tensor => (divisor === 1 ? g : div(g, divisor));

const squaredErrorOf = lossOfPairs('mseLoss', 'squaredError', (g, divisor, x, y, needs, inOnePass) => {
  if (isGradEnabled()) {
    const d = mul(sub(x, y), mul(share(g, divisor), 2));
    return [d, neg(d)];
  }
  if (!needs[0]) return [null, inOnePass(y, x)];
  const d = inOnePass(x, y);
  return [d, needs[1] ? neg(d) : null];
});

const logitEntropyOf = lossOfPairs(
  'binaryCrossEntropyWithLogits',
  'logitEntropy',
  (g, divisor, x, y, needs, inOnePass) => {
    const ofX = () => (isGradEnabled() ? mul(sub(sigmoid(x), y), share(g, divisor)) : inOnePass(x, y));
    const ofY = () => to(mul(widened(x), neg(share(widened(g), divisor))), y.dtype);
    return [needs[0] ? ofX() : null, needs[1] ? ofY() : null];
  },
);

/**
 * The mean of `(input - target)²`, of tensors of one shape. With `reduction` 'sum' the sum, with 'none' each square.
 *
 * ```ts
 * mseLoss(tensor([1, 2]), tensor([1, 4])); // 2
 * ```
 */
export const mseLoss = /* @__PURE__ */ inFloat32(
  'mseLoss',
  (input: Tensor, target: Tensor, options?: LossOptions): Tensor => {
    const { reduction } = checkOptions('mseLoss', options, lossOptions);
    checkSameShape('mseLoss', input, target);
    if (fusable(reduction, input, target)) return squaredErrorOf(input, target, reduction);
    return computed((x, y) => reduceLoss(square(sub(x, y)), reduction), input, target);
  },
);

/**
 * The mean of `|input - target|`, of tensors of one shape. With `reduction` 'sum' the sum, with 'none' each absolute
 * value.
 *
 * ```ts
 * l1Loss(tensor([1, 2]), tensor([1, 4]), { reduction: 'none' }); // [0, 2]
 * ```
 */
export const l1Loss = /* @__PURE__ */ inFloat32(
  'l1Loss',
  (input: Tensor, target: Tensor, options?: LossOptions): Tensor => {
    const { reduction } = checkOptions('l1Loss', options, lossOptions);
    checkSameShape('l1Loss', input, target);
    return computed((x, y) => reduceLoss(sub(x, y).abs(), reduction), input, target);
  },
);

/**
 * Half the square of errors up to `delta`, 1 by default, and linear beyond (Huber, 1964), of tensors of one shape: the
 * mean, or as `reduction` says ('mean', 'sum' or 'none').
 *
 * ```ts
 * huberLoss(tensor([0, 0]), tensor([0.5, 3])); // 1.313
 * ```
 */
export const huberLoss = /* @__PURE__ */ inFloat32(
  'huberLoss',
  (input: Tensor, target: Tensor, options?: LossOptions & { delta?: number }): Tensor => {
    const { reduction, delta = 1 } = checkOptions('huberLoss', options, huberLossOptions);
    checkSameShape('huberLoss', input, target);
    return computed((x, y) => reduceLoss(huber(sub(x, y), delta), reduction), input, target);
  },
);

/**
 * One rule, `g` times the error limited to ±`delta`: with a rule for each part, large errors would give 0 times
 * infinity.
 */
const huber = (error: Tensor, delta: number): Tensor => applyUnary(huberOperator, error, [delta]);

const huberOperator = unaryOperator('huber', {
  forward: (e, delta) => (Math.abs(e) < delta ? (e * e) / 2 : delta * (Math.abs(e) - delta / 2)),
  backward: (g, e, _, [delta]) => mul(g, clamp(e, -delta!, delta!)),
  saves: 'input',
});

/**
 * `huberLoss` with `delta = beta`, divided by `beta`, 1 by default: its linear part has slope 1. `reduction` is 'mean',
 * 'sum' or 'none'.
 *
 * ```ts
 * smoothL1Loss(tensor([0]), tensor([1]), { beta: 2 }); // 0.25
 * ```
 */
export const smoothL1Loss = /* @__PURE__ */ inFloat32(
  'smoothL1Loss',
  (input: Tensor, target: Tensor, options?: LossOptions & { beta?: number }): Tensor => {
    const { reduction, beta = 1 } = checkOptions('smoothL1Loss', options, smoothL1LossOptions);
    checkSameShape('smoothL1Loss', input, target);
    if (beta === 0) return l1Loss(input, target, { reduction });
    return computed((x, y) => div(huberLoss(x, y, { reduction, delta: beta }), beta), input, target);
  },
);

/**
 * `-(target log(input) + (1 - target) log(1 - input))` for probabilities; logarithms are limited to -100.
 *
 * ```ts
 * binaryCrossEntropy(tensor([0.5, 0.9]), tensor([1, 1])); // 0.3993
 * ```
 */
export const binaryCrossEntropy = /* @__PURE__ */ inFloat32(
  'binaryCrossEntropy',
  (input: Tensor, target: Tensor, options?: LossOptions & { weight?: Tensor | null }): Tensor => {
    const { reduction, weight } = checkOptions('binaryCrossEntropy', options, binaryCrossEntropyOptions);
    checkSameShape('binaryCrossEntropy', input, target);
    const refuse = (value: number) =>
      new RangeError(
        `binaryCrossEntropy: input holds ${value}, which is outside of [0, 1]; use binaryCrossEntropyWithLogits for scores`,
      );
    kernelsOf('binaryCrossEntropy', input, target, weight).checkRange(input, 0, 1, refuse);
    return weighted(entropies, input, target, weight, reduction);
  },
);

/** The losses of `x` and `y`, weighted and reduced. */
function weighted(
  losses: (x: Tensor, y: Tensor) => Tensor,
  input: Tensor,
  target: Tensor,
  weight: Tensor | null | undefined,
  reduction: Reduction | undefined,
): Tensor {
  const loss = (x: Tensor, y: Tensor, w?: Tensor) => reduceLoss(w ? mul(losses(x, y), w) : losses(x, y), reduction);
  return weight ? computed(loss, input, target, weight) : computed(loss, input, target);
}

const logOf = (p: number): number => Math.max(Math.log(p), -100);

/**
 * The binary cross entropy of each element. Its gradient is PyTorch's, which is 0 where a probability of 0 or 1 is
 * right.
 */
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

/**
 * `binaryCrossEntropy` of `sigmoid(input)`, without overflow; `posWeight` scales the positive part.
 *
 * ```ts
 * binaryCrossEntropyWithLogits(tensor([0]), tensor([1])); // 0.6931
 * ```
 */
export const binaryCrossEntropyWithLogits = /* @__PURE__ */ inFloat32(
  'binaryCrossEntropyWithLogits',
  (
    input: Tensor,
    target: Tensor,
    options?: LossOptions & { weight?: Tensor | null; posWeight?: Tensor | null },
  ): Tensor => {
    const { reduction, weight, posWeight } = checkOptions(
      'binaryCrossEntropyWithLogits',
      options,
      binaryCrossEntropyWithLogitsOptions,
    );
    checkSameShape('binaryCrossEntropyWithLogits', input, target);
    if (!weight && !posWeight && fusable(reduction, input, target)) return logitEntropyOf(input, target, reduction);
    const losses = (x: Tensor, y: Tensor) => {
      const positive = mul(y, logSigmoid(x));
      const negative = mul(sub(1, y), logSigmoid(neg(x)));
      return neg((posWeight ? mul(positive, posWeight) : positive).add(negative));
    };
    return weighted(losses, input, target, weight, reduction);
  },
);

/**
 * `target (log(target) - input)` with log-probabilities as input; `'batchmean'` divides the sum by the batch size.
 *
 * ```ts
 * klDiv(log(tensor([0.25, 0.75])), tensor([0.5, 0.5]), { reduction: 'sum' }); // 0.1438
 * ```
 */
export const klDiv = /* @__PURE__ */ inFloat32(
  'klDiv',
  (input: Tensor, target: Tensor, options?: { reduction?: Reduction | 'batchmean'; logTarget?: boolean }): Tensor => {
    const { reduction = 'mean', logTarget = false } = checkOptions('klDiv', options, klDivOptions);
    checkSameShape('klDiv', input, target);
    const divergence = (input: Tensor, target: Tensor) => {
      const loss = logTarget
        ? mul(target.exp(), sub(target, input))
        : sub(where(target.le(0), 0, mul(target, log(where(target.le(0), 1, target)))), mul(target, input));
      if (reduction === 'batchmean') return div(sum(loss), input.shape[0] ?? 1);
      return reduceLoss(loss, reduction);
    };
    return computed(divergence, input, target);
  },
);

/**
 * The cosine of the angle between `a` and `b` along `dim`, 1 by default; the shape is that of the two broadcast,
 * without `dim`. Lengths count as at least `eps`, 1e-8 by default.
 *
 * ```ts
 * cosineSimilarity(tensor([[1, 0]]), tensor([[1, 1]])); // [0.7071]
 * ```
 */
export const cosineSimilarity = /* @__PURE__ */ named(
  'cosineSimilarity',
  (a: Tensor, b: Tensor, options?: { dim?: number; eps?: number }): Tensor => {
    const { dim = 1, eps = 1e-8 } = checkOptions('cosineSimilarity', options, cosineSimilarityOptions);
    checkTensors('cosineSimilarity', a, b);
    realOnly('cosineSimilarity', a);
    // Divides each by its own length first, so that products of lengths do not overflow. As in PyTorch, the lower limit
    // of the lengths takes no part in the gradient, which stays finite.
    const direction = (x: Tensor): Tensor => {
      const length = norm(x, 2, dim, { keepdim: true });
      return div(x, where(lt(length.detach(), eps), add(length, sub(eps, length.detach())), length));
    };
    return computed(
      (a, b) => sum(mul(direction(a), direction(b)), dim),
      ...(broadcastTensors([a, b]) as [Tensor, Tensor]),
    );
  },
);
