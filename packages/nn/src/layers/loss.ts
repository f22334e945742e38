import {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  cosineSimilarity,
  crossEntropy,
  huberLoss,
  klDiv,
  l1Loss,
  mseLoss,
  nllLoss,
  smoothL1Loss,
  type Tensor,
} from '@gradgate/core';
import { checkOptions, options as known, type Schema } from '@gradgate/core/internal';
import { type CTCLossOptions, ctcLoss, ctcLossOptions } from '../functions/ctc.js';
import {
  cosineEmbeddingLoss,
  gaussianNllLoss,
  gaussianNllLossOptions,
  hingeEmbeddingLoss,
  marginOptions,
  marginRankingLoss,
  multilabelMarginLoss,
  multilabelSoftMarginLoss,
  multilabelSoftMarginLossOptions,
  multiMarginLoss,
  multiMarginLossOptions,
  pairwiseDistance,
  pairwiseDistanceOptions,
  poissonNllLoss,
  poissonNllLossOptions,
  softMarginLoss,
  tripletMarginLoss,
  tripletMarginLossOptions,
  tripletMarginWithDistanceLoss,
  tripletMarginWithDistanceLossOptions,
} from '../functions/loss.js';
import { Module } from '../module.js';

/** A loss of `I` tensors with its options kept. */
export class Loss<I extends unknown[] = [Tensor, Tensor], O extends object = object> extends Module {
  readonly options: O;

  constructor(options: O = {} as O, known?: Schema<O>) {
    super();
    if (known) checkOptions(new.target.name, options, known);
    this.options = options;
  }

  override forward(..._inputs: I): Tensor {
    throw new TypeError(`${this.constructor.name}: has no forward(); define it in the class`);
  }
}

/** The module class of a loss of two tensors: its constructor takes the options of `f`. */
function lossOf<O extends object>(
  f: (a: Tensor, b: Tensor, options?: O) => Tensor,
  known: Schema<O>,
): new (
  options?: O,
) => Loss<[Tensor, Tensor], O> {
  return class extends Loss<[Tensor, Tensor], O> {
    constructor(options?: O) {
      super(options, known);
    }

    override forward(a: Tensor, b: Tensor): Tensor {
      return f(a, b, this.options);
    }
  };
}

/** The same of three tensors. */
function lossOf3<O extends object>(
  f: (a: Tensor, b: Tensor, c: Tensor, options?: O) => Tensor,
  known: Schema<O>,
): new (
  options?: O,
) => Loss<[Tensor, Tensor, Tensor], O> {
  return class extends Loss<[Tensor, Tensor, Tensor], O> {
    constructor(options?: O) {
      super(options, known);
    }

    override forward(a: Tensor, b: Tensor, c: Tensor): Tensor {
      return f(a, b, c, this.options);
    }
  };
}

// Each takes the options of the function that it is named after.
/**
 * The mean of `(input - target)²`, of one shape: a number. `{ reduction }` is 'mean', 'sum' or 'none'.
 *
 * ```ts
 * new MSELoss()(tensor([1, 2]), tensor([1, 4])); // 2
 * ```
 */
export class MSELoss extends lossOf(mseLoss, known.lossOptions) {}
/**
 * The mean of `|input - target|`, of one shape: a number. `{ reduction }` is 'mean', 'sum' or 'none'.
 *
 * ```ts
 * new L1Loss()(tensor([1, 2]), tensor([1, 4])); // 1
 * ```
 */
export class L1Loss extends lossOf(l1Loss, known.lossOptions) {}
/**
 * `(input - target)² / 2` for errors below `delta`, 1 by default, and linear beyond (Huber, 1964). Input and target of
 * one shape to a number. `{ reduction }` is 'mean', 'sum' or 'none'.
 *
 * ```ts
 * new HuberLoss()(tensor([0, 0]), tensor([0.5, 3])); // 1.313
 * ```
 */
export class HuberLoss extends lossOf(huberLoss, known.huberLossOptions) {}
/**
 * Huber loss divided by `beta`, 1 by default: L1 whose tip is round (Girshick, 2015). Input and target of one shape to
 * a number. `{ reduction }` is 'mean', 'sum' or 'none'.
 *
 * ```ts
 * new SmoothL1Loss({ beta: 2 })(tensor([0]), tensor([1])); // 0.25
 * ```
 */
export class SmoothL1Loss extends lossOf(smoothL1Loss, known.smoothL1LossOptions) {}
/**
 * Cross entropy of scores `[N, C, ...]` that are not normalised, and classes `[N, ...]` (integers) or probabilities
 * `[N, C, ...]`: a number. Options: `weight` `[C]` for each class; `ignoreIndex`, -100 by default, a class that does
 * not count; `labelSmoothing`, 0 by default. Throws for a class out of range. `{ reduction }` is 'mean', 'sum' or
 * 'none'.
 *
 * ```ts
 * const loss = new CrossEntropyLoss();
 * loss(tensor([[0, 0], [0, 0]]), tensor([0, 1], { dtype: 'int32' })); // 0.6931
 * ```
 */
export class CrossEntropyLoss extends lossOf(crossEntropy, known.crossEntropyOptions) {}
/**
 * Negative log likelihood of log probabilities `[N, C, ...]`, as `LogSoftmax` gives them, and classes `[N, ...]`: a
 * number. Options: `weight` `[C]`, `ignoreIndex`. `{ reduction }` is 'mean', 'sum' or 'none'.
 *
 * ```ts
 * new NLLLoss()(tensor([[-0.5, -0.9]]), tensor([1], { dtype: 'int32' })); // 0.9
 * ```
 */
export class NLLLoss extends lossOf(nllLoss, known.nllLossOptions) {}
/**
 * Binary cross entropy of probabilities and targets of one shape, from 0 to 1: a number. `BCEWithLogitsLoss` is more
 * exact. `{ reduction }` is 'mean', 'sum' or 'none'.
 *
 * ```ts
 * new BCELoss()(tensor([0.5, 0.9]), tensor([1, 1])); // 0.3993
 * ```
 */
export class BCELoss extends lossOf(binaryCrossEntropy, known.binaryCrossEntropyOptions) {}
/**
 * Binary cross entropy of scores, before the sigmoid, and targets of one shape: a number. Options: `weight` of each
 * element, `posWeight` of the positive part. `{ reduction }` is 'mean', 'sum' or 'none'.
 *
 * ```ts
 * new BCEWithLogitsLoss()(tensor([0]), tensor([1])); // 0.6931
 * ```
 */
export class BCEWithLogitsLoss extends lossOf(
  binaryCrossEntropyWithLogits,
  known.binaryCrossEntropyWithLogitsOptions,
) {}
/**
 * Kullback-Leibler divergence of log probabilities from probabilities `target`, or from their logarithms with
 * `logTarget`. `{ reduction: 'batchmean' }` divides the sum by the batch size, which is what mathematics means; 'mean',
 * the default as in PyTorch, divides by the number of elements.
 *
 * ```ts
 * const [p, q] = [tensor([[0.5, 0.5]]), tensor([[0.25, 0.75]])];
 * new KLDivLoss({ reduction: 'batchmean' })(q.log(), p); // 0.1438
 * ```
 */
export class KLDivLoss extends lossOf(klDiv, known.klDivOptions) {}
/**
 * Negative log likelihood of counts `target` under Poisson distributions of rates `exp(input)`, or of `input` with
 * `logInput: false`. `full: true` adds the term of the counts alone, by Stirling. `{ reduction }` is 'mean', 'sum' or
 * 'none'.
 *
 * ```ts
 * new PoissonNLLLoss()(tensor([0]), tensor([2])); // 1
 * ```
 */
export class PoissonNLLLoss extends lossOf(poissonNllLoss, poissonNllLossOptions) {}
/**
 * `log(1 + exp(-target input))` for targets of 1 and -1, of one shape: a number. `{ reduction }` is 'mean', 'sum' or
 * 'none'.
 *
 * ```ts
 * new SoftMarginLoss()(tensor([0]), tensor([1])); // 0.6931
 * ```
 */
export class SoftMarginLoss extends lossOf(softMarginLoss, known.lossOptions) {}
/**
 * Hinge loss of scores `[N, C]` and classes `[N]`: by how much other scores come nearer to the right one than `margin`,
 * 1 by default, to the power `p`, 1 by default, as a mean over the classes. `{ reduction }` is 'mean', 'sum' or 'none'.
 *
 * ```ts
 * new MultiMarginLoss()(tensor([[0.5, 1]]), tensor([1], { dtype: 'int32' })); // 0.25
 * ```
 */
export class MultiMarginLoss extends lossOf(multiMarginLoss, multiMarginLossOptions) {}
/**
 * Hinge loss of scores `[N, C]` and several classes each: indices `[N, C]`, of which -1 ends the list. `{ reduction }`
 * is 'mean', 'sum' or 'none'.
 *
 * ```ts
 * new MultiLabelMarginLoss()(tensor([[0, 1]]), tensor([[1, -1]], { dtype: 'int32' })); // 0
 * ```
 */
export class MultiLabelMarginLoss extends lossOf(multilabelMarginLoss, known.lossOptions) {}
/**
 * Binary cross entropy of scores `[N, C]` and targets 0 or 1 `[N, C]`, as a mean over the classes. `{ reduction }` is
 * 'mean', 'sum' or 'none'.
 *
 * ```ts
 * new MultiLabelSoftMarginLoss()(tensor([[0, 0]]), tensor([[1, 0]])); // 0.6931
 * ```
 */
export class MultiLabelSoftMarginLoss extends lossOf(multilabelSoftMarginLoss, multilabelSoftMarginLossOptions) {}
/**
 * The input, a distance, where the target is 1, and `max(0, margin - input)` where it is -1; `margin` is 1 by default.
 * `{ reduction }` is 'mean', 'sum' or 'none'.
 *
 * ```ts
 * new HingeEmbeddingLoss()(tensor([0.2, 0.2]), tensor([1, -1])); // 0.5
 * ```
 */
export class HingeEmbeddingLoss extends lossOf(hingeEmbeddingLoss, marginOptions) {}
/**
 * The cosine of the angle of two tensors along `dim`, 1 by default: their shape without it.
 *
 * ```ts
 * new CosineSimilarity()(tensor([[1, 0]]), tensor([[1, 1]])); // [0.7071]
 * ```
 */
export class CosineSimilarity extends lossOf(cosineSimilarity, known.cosineSimilarityOptions) {}
/**
 * The `p`-norm, 2 by default, of the difference of vectors `[N, D]`: `[N]`. `eps`, 1e-6 by default, is added to the
 * difference.
 *
 * ```ts
 * new PairwiseDistance()(tensor([[0, 0]]), tensor([[3, 4]])); // [5]
 * ```
 */
export class PairwiseDistance extends lossOf(pairwiseDistance, pairwiseDistanceOptions) {}
/**
 * `1 - cos` of pairs `[N, D]` where the target `[N]` is 1, and how far the cosine is above `margin`, 0 by default,
 * where it is -1. `{ reduction }` is 'mean', 'sum' or 'none'.
 *
 * ```ts
 * const loss = new CosineEmbeddingLoss();
 * loss(tensor([[1, 0]]), tensor([[0, 1]]), tensor([1])); // 1
 * ```
 */
export class CosineEmbeddingLoss extends lossOf3(cosineEmbeddingLoss, marginOptions) {}
/**
 * `max(0, margin - target (a - b))`: target 1 where `a` is to be the larger one, -1 where `b` is; `margin` is 0 by
 * default. `{ reduction }` is 'mean', 'sum' or 'none'.
 *
 * ```ts
 * const loss = new MarginRankingLoss();
 * loss(tensor([1]), tensor([3]), tensor([1])); // 2
 * ```
 */
export class MarginRankingLoss extends lossOf3(marginRankingLoss, marginOptions) {}
/**
 * By how much an anchor is not `margin`, 1 by default, nearer to the positive than to the negative: each `[N, D]`.
 * Options: `p`, 2 by default; `swap` also looks at the distance of positive and negative. `{ reduction }` is 'mean',
 * 'sum' or 'none'.
 *
 * ```ts
 * const loss = new TripletMarginLoss();
 * loss(tensor([[0, 0]]), tensor([[0, 1]]), tensor([[3, 4]])); // 0
 * ```
 */
export class TripletMarginLoss extends lossOf3(tripletMarginLoss, tripletMarginLossOptions) {}
/**
 * `TripletMarginLoss` with a distance of your own. Options: `distanceFunction`, by default that of `PairwiseDistance`;
 * `margin` 1, `swap` false, `reduction`.
 *
 * ```ts
 * const loss = new TripletMarginWithDistanceLoss({ distanceFunction: (a, b) => a.sub(b).abs().sum(-1) });
 * loss(tensor([[0, 0]]), tensor([[1, 0]]), tensor([[1, 1]])); // 0
 * ```
 */
export class TripletMarginWithDistanceLoss extends lossOf3(
  tripletMarginWithDistanceLoss,
  tripletMarginWithDistanceLossOptions,
) {}
/**
 * Negative log likelihood of a target under normal distributions of mean `input` and variance `variance`, which is at
 * least `eps`, 1e-6 by default. `full: true` adds the constant. Throws for a negative variance. `{ reduction }` is
 * 'mean', 'sum' or 'none'.
 *
 * ```ts
 * const loss = new GaussianNLLLoss();
 * loss(tensor([0]), tensor([2]), tensor([1])); // 2
 * ```
 */
export class GaussianNLLLoss extends lossOf3(gaussianNllLoss, gaussianNllLossOptions) {}

/**
 * Connectionist temporal classification of log probabilities `[T, N, C]` and labels `[N, S]`, with how much of each
 * counts; see `functional.ctcLoss`. Options: `blank` 0, `zeroInfinity` false, `reduction`.
 *
 * ```ts
 * const logProbs = logSoftmax(zeros([3, 1, 2]), -1);
 * new CTCLoss()(logProbs, tensor([[1]], { dtype: 'int32' }), [3], [1]); // 0.2877
 * ```
 */
export class CTCLoss extends Loss<[Tensor, Tensor, Lengths, Lengths], CTCLossOptions> {
  constructor(options?: CTCLossOptions) {
    super(options, ctcLossOptions);
  }

  override forward(logProbs: Tensor, targets: Tensor, inputLengths: Lengths, targetLengths: Lengths): Tensor {
    return ctcLoss(logProbs, targets, inputLengths, targetLengths, this.options);
  }
}

type Lengths = Tensor | readonly number[];
