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
import { check, checkOptions, is, options as known, type Schema } from '@gradgate/core/internal';
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

const kindOfOption = {
  text: 'an object of text and is()',
  is: (v: unknown) => typeof (v as { is?: unknown } | null)?.is === 'function',
};

/** The base of loss modules: a loss of the inputs `I`, with its options stored. */
export class Loss<I extends unknown[] = [Tensor, Tensor], O extends object = object> extends Module {
  /** The options that it was made with. */
  readonly options: O;

  constructor(options: O = {} as O, known?: Schema<O>) {
    super();
    if (known) {
      check(new.target.name, 'the kinds of options', Object.values(known), is.arrayOf(kindOfOption));
      checkOptions(new.target.name, options, known);
    }
    this.options = options;
  }

  override forward(..._inputs: I): Tensor {
    throw new TypeError(`${this.constructor.name}: has no forward(); define it in the class`);
  }
}

/** Makes the module class of a loss of two tensors; its constructor takes the options of `f`. */
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

/** The same for a loss of three tensors. */
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

/**
 * The mean of `(input - target)²`; both have the same shape. `reduction` is 'mean' (the default), 'sum' or 'none'.
 *
 * ```ts
 * new MSELoss()(tensor([1, 2]), tensor([1, 4])); // 2
 * ```
 */
export class MSELoss extends lossOf(mseLoss, known.lossOptions) {}

/**
 * The mean of `|input - target|`; both have the same shape. `reduction` is 'mean' (the default), 'sum' or 'none'.
 *
 * ```ts
 * new L1Loss()(tensor([1, 2]), tensor([1, 4])); // 1
 * ```
 */
export class L1Loss extends lossOf(l1Loss, known.lossOptions) {}

/**
 * `(input - target)² / 2` for errors below `delta`, 1 by default, and linear beyond (Huber, 1964). Input and target
 * have the same shape. `reduction` is 'mean' (the default), 'sum' or 'none'.
 *
 * ```ts
 * new HuberLoss()(tensor([0, 0]), tensor([0.5, 3])); // 1.313
 * ```
 */
export class HuberLoss extends lossOf(huberLoss, known.huberLossOptions) {}

/**
 * The Huber loss divided by `beta`, 1 by default: L1, but quadratic for errors below `beta` (Girshick, 2015). Input and
 * target have the same shape. `reduction` is 'mean' (the default), 'sum' or 'none'.
 *
 * ```ts
 * new SmoothL1Loss({ beta: 2 })(tensor([0]), tensor([1])); // 0.25
 * ```
 */
export class SmoothL1Loss extends lossOf(smoothL1Loss, known.smoothL1LossOptions) {}

/**
 * Cross entropy of scores (logits) `[N, C, ...]` and classes `[N, ...]` (integers) or probabilities `[N, C, ...]`.
 * Options: `weight` `[C]`, for each class; `ignoreIndex` -100, a class that does not count; `labelSmoothing` 0. Throws
 * for a class out of range. `reduction` is 'mean' (the default), 'sum' or 'none'.
 *
 * ```ts
 * const loss = new CrossEntropyLoss();
 * loss(tensor([[0, 0], [0, 0]]), tensor([0, 1], { dtype: 'int32' })); // 0.6931
 * ```
 */
export class CrossEntropyLoss extends lossOf(crossEntropy, known.crossEntropyOptions) {}

/**
 * Negative log likelihood of log probabilities `[N, C, ...]`, as from `LogSoftmax`, and classes `[N, ...]`. Options:
 * `weight` `[C]`, for each class; `ignoreIndex` -100, a class that does not count. Throws for a class out of range.
 * `reduction` is 'mean' (the default), 'sum' or 'none'.
 *
 * ```ts
 * new NLLLoss()(tensor([[-0.5, -0.9]]), tensor([1], { dtype: 'int32' })); // 0.9
 * ```
 */
export class NLLLoss extends lossOf(nllLoss, known.nllLossOptions) {}

/**
 * Binary cross entropy of probabilities and targets, both from 0 to 1 and of the same shape. `BCEWithLogitsLoss` is
 * more accurate. Option `weight` scales elements. `reduction` is 'mean' (the default), 'sum' or 'none'.
 *
 * ```ts
 * new BCELoss()(tensor([0.5, 0.9]), tensor([1, 1])); // 0.3993
 * ```
 */
export class BCELoss extends lossOf(binaryCrossEntropy, known.binaryCrossEntropyOptions) {}

/**
 * Binary cross entropy of scores (logits, before the sigmoid) and targets of the same shape. Options: `weight` scales
 * elements, `posWeight` the term of positive targets. `reduction` is 'mean' (the default), 'sum' or 'none'.
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
 * Kullback-Leibler divergence of log probabilities `input` from probabilities `target`, or from log probabilities with
 * `logTarget`. `reduction` is 'mean' (the default, as in PyTorch), which divides the sum by the number of elements;
 * 'batchmean', which divides it by the batch size, as the mathematical definition does; 'sum' or 'none'.
 *
 * ```ts
 * const [p, q] = [tensor([[0.5, 0.5]]), tensor([[0.25, 0.75]])];
 * new KLDivLoss({ reduction: 'batchmean' })(q.log(), p); // 0.1438
 * ```
 */
export class KLDivLoss extends lossOf(klDiv, known.klDivOptions) {}

/**
 * Negative log likelihood of counts `target` under Poisson distributions with rates `exp(input)`, or `input` with
 * `logInput: false`. `full: true` adds the term of the counts alone, by Stirling's approximation; `eps` is 1e-8.
 * `reduction` is 'mean' (the default), 'sum' or 'none'.
 *
 * ```ts
 * new PoissonNLLLoss()(tensor([0]), tensor([2])); // 1
 * ```
 */
export class PoissonNLLLoss extends lossOf(poissonNllLoss, poissonNllLossOptions) {}

/**
 * `log(1 + exp(-target * input))` for targets 1 and -1; both have the same shape. `reduction` is 'mean' (the default),
 * 'sum' or 'none'.
 *
 * ```ts
 * new SoftMarginLoss()(tensor([0]), tensor([1])); // 0.6931
 * ```
 */
export class SoftMarginLoss extends lossOf(softMarginLoss, known.lossOptions) {}

/**
 * Hinge loss of scores `[N, C]` and classes `[N]`: the mean over the wrong classes of `max(0, margin - right + wrong)
 * ** p`. Options: `p` 1, `margin` 1, `weight` `[C]`. Throws for a class out of range. `reduction` is 'mean' (the
 * default), 'sum' or 'none'.
 *
 * ```ts
 * new MultiMarginLoss()(tensor([[0.5, 1]]), tensor([1], { dtype: 'int32' })); // 0.25
 * ```
 */
export class MultiMarginLoss extends lossOf(multiMarginLoss, multiMarginLossOptions) {}

/**
 * Hinge loss of scores `[N, C]` with several right classes each: class indices `[N, C]`, ended by -1. Throws for a
 * class out of range. `reduction` is 'mean' (the default), 'sum' or 'none'.
 *
 * ```ts
 * new MultiLabelMarginLoss()(tensor([[0, 1]]), tensor([[1, -1]], { dtype: 'int32' })); // 0
 * ```
 */
export class MultiLabelMarginLoss extends lossOf(multilabelMarginLoss, known.lossOptions) {}

/**
 * Binary cross entropy of scores `[N, C]` and targets 0 or 1 `[N, C]`, averaged over the classes of each sample;
 * `weight` `[C]` scales classes. `reduction` is 'mean' (the default), 'sum' or 'none'.
 *
 * ```ts
 * new MultiLabelSoftMarginLoss()(tensor([[0, 0]]), tensor([[1, 0]])); // 0.6931
 * ```
 */
export class MultiLabelSoftMarginLoss extends lossOf(multilabelSoftMarginLoss, multilabelSoftMarginLossOptions) {}

/**
 * `input`, a distance, where the target is 1, and `max(0, margin - input)` where it is -1; `margin` is 1 by default.
 * `reduction` is 'mean' (the default), 'sum' or 'none'.
 *
 * ```ts
 * new HingeEmbeddingLoss()(tensor([0.2, 0.2]), tensor([1, -1])); // 0.5
 * ```
 */
export class HingeEmbeddingLoss extends lossOf(hingeEmbeddingLoss, marginOptions) {}

/**
 * The cosine of the angle between two tensors along `dim`, 1 by default: the shape of the inputs without `dim`. `eps`,
 * 1e-8 by default, keeps the norms from 0.
 *
 * ```ts
 * new CosineSimilarity()(tensor([[1, 0]]), tensor([[1, 1]])); // [0.7071]
 * ```
 */
export class CosineSimilarity extends lossOf(cosineSimilarity, known.cosineSimilarityOptions) {}

/**
 * The `p`-norm, 2 by default, of the difference of vectors `[N, D]`: `[N]`. `eps`, 1e-6 by default, is added to the
 * difference; `keepdim` keeps the last dimension, as 1.
 *
 * ```ts
 * new PairwiseDistance()(tensor([[0, 0]]), tensor([[3, 4]])); // [5]
 * ```
 */
export class PairwiseDistance extends lossOf(pairwiseDistance, pairwiseDistanceOptions) {}

/**
 * `1 - cos(a, b)` of vectors `[N, D]` where the target `[N]` is 1, and `max(0, cos(a, b) - margin)` where it is -1;
 * `margin` is 0 by default. `reduction` is 'mean' (the default), 'sum' or 'none'.
 *
 * ```ts
 * const loss = new CosineEmbeddingLoss();
 * loss(tensor([[1, 0]]), tensor([[0, 1]]), tensor([1])); // 1
 * ```
 */
export class CosineEmbeddingLoss extends lossOf3(cosineEmbeddingLoss, marginOptions) {}

/**
 * `max(0, margin - target * (a - b))`, where the target is 1 if `a` should be larger and -1 if `b` should; `margin` is
 * 0 by default. `reduction` is 'mean' (the default), 'sum' or 'none'.
 *
 * ```ts
 * const loss = new MarginRankingLoss();
 * loss(tensor([1]), tensor([3]), tensor([1])); // 2
 * ```
 */
export class MarginRankingLoss extends lossOf3(marginRankingLoss, marginOptions) {}

/**
 * `max(0, |anchor - positive| - |anchor - negative| + margin)` for vectors `[N, D]`: the positive should be closer to
 * the anchor than the negative is, by at least `margin`, 1 by default. Options: `p`, the power of the norm, 2 by
 * default; `swap`, to take the distance from positive to negative where it is smaller. `reduction` is 'mean' (the
 * default), 'sum' or 'none'.
 *
 * ```ts
 * const loss = new TripletMarginLoss();
 * loss(tensor([[0, 0]]), tensor([[0, 1]]), tensor([[3, 4]])); // 0
 * ```
 */
export class TripletMarginLoss extends lossOf3(tripletMarginLoss, tripletMarginLossOptions) {}

/**
 * `TripletMarginLoss` with your own distance. Options: `distanceFunction`, that of `PairwiseDistance` by default;
 * `margin` 1; `swap` false; `reduction` 'mean' (the default), 'sum' or 'none'.
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
 * Negative log likelihood of a target under normal distributions with mean `input` and variance `variance`, which
 * counts as at least `eps`, 1e-6 by default. `full: true` adds the constant. Throws for a negative variance.
 * `reduction` is 'mean' (the default), 'sum' or 'none'.
 *
 * ```ts
 * const loss = new GaussianNLLLoss();
 * loss(tensor([0]), tensor([2]), tensor([1])); // 2
 * ```
 */
export class GaussianNLLLoss extends lossOf3(gaussianNllLoss, gaussianNllLossOptions) {}

/**
 * Connectionist temporal classification of log probabilities `[T, N, C]` and labels `[N, S]`, with the lengths of both;
 * see `functional.ctcLoss`. Options: `blank` 0, `zeroInfinity` false, `reduction` 'mean' (the default), 'sum' or
 * 'none'.
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
