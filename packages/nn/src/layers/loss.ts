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
    throw new TypeError(`${this.constructor.name} has no forward(); define it in the class`);
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
/** Mean squared error of input and target of one shape: a number. */
export class MSELoss extends lossOf(mseLoss, known.lossOptions) {}
/** Mean absolute error of input and target of one shape: a number. */
export class L1Loss extends lossOf(l1Loss, known.lossOptions) {}
/**
 * Squared error below `delta`, 1 by default, and linear beyond (Huber, 1964). Input and target of one shape to a
 * number.
 */
export class HuberLoss extends lossOf(huberLoss, known.huberLossOptions) {}
/**
 * Huber loss divided by `beta`, 1 by default: L1 whose tip is round (Girshick, 2015). Input and target of one shape
 * to a number.
 */
export class SmoothL1Loss extends lossOf(smoothL1Loss, known.smoothL1LossOptions) {}
/**
 * Cross entropy of scores `[N, C, ...]` that are not normalised, and classes `[N, ...]` (int32) or probabilities `[N,
 * C, ...]`: a number. Options: `weight` for each class, `ignoreIndex`, `labelSmoothing`.
 */
export class CrossEntropyLoss extends lossOf(crossEntropy, known.crossEntropyOptions) {}
/**
 * Negative log likelihood of log probabilities `[N, C, ...]` and classes `[N, ...]`: a number. Behind `LogSoftmax`.
 */
export class NLLLoss extends lossOf(nllLoss, known.nllLossOptions) {}
/** Binary cross entropy of probabilities and targets of one shape: a number. `BCEWithLogitsLoss` is more exact. */
export class BCELoss extends lossOf(binaryCrossEntropy, known.binaryCrossEntropyOptions) {}
/**
 * Binary cross entropy of scores, before the sigmoid, and targets of one shape: a number. Options: `weight`,
 * `posWeight`.
 */
export class BCEWithLogitsLoss extends lossOf(
  binaryCrossEntropyWithLogits,
  known.binaryCrossEntropyWithLogitsOptions,
) {}
/**
 * Kullback-Leibler divergence of log probabilities from probabilities `target` (or their logarithms with
 * `logTarget`).
 */
export class KLDivLoss extends lossOf(klDiv, known.klDivOptions) {}
/**
 * Negative log likelihood of counts `target` under Poisson distributions of rates `exp(input)`, or of `input` with
 * `logInput: false`.
 */
export class PoissonNLLLoss extends lossOf(poissonNllLoss, poissonNllLossOptions) {}
/** `log(1 + exp(-target input))` for targets of 1 and -1, of one shape: a number. */
export class SoftMarginLoss extends lossOf(softMarginLoss, known.lossOptions) {}
/**
 * Hinge loss of scores `[N, C]` and classes `[N]`: by how much others come nearer to the right score than `margin`.
 */
export class MultiMarginLoss extends lossOf(multiMarginLoss, multiMarginLossOptions) {}
/** Hinge loss of scores `[N, C]` and several classes each: `[N, C]` indices, ended by -1. */
export class MultiLabelMarginLoss extends lossOf(multilabelMarginLoss, known.lossOptions) {}
/** Binary cross entropy of scores `[N, C]` and targets 0 or 1 `[N, C]`, as a mean over the classes. */
export class MultiLabelSoftMarginLoss extends lossOf(multilabelSoftMarginLoss, multilabelSoftMarginLossOptions) {}
/** `x` where the target is 1, and `max(0, margin - x)` where it is -1; `x` is a distance. */
export class HingeEmbeddingLoss extends lossOf(hingeEmbeddingLoss, marginOptions) {}
/** Cosine of the angle of two tensors along `dim`, 1 by default: their shape without it. */
export class CosineSimilarity extends lossOf(cosineSimilarity, known.cosineSimilarityOptions) {}
/** The `p`-norm, 2 by default, of the difference of vectors `[N, D]`: `[N]`. */
export class PairwiseDistance extends lossOf(pairwiseDistance, pairwiseDistanceOptions) {}
/**
 * `1 - cos` of pairs `[N, D]` where the target `[N]` is 1, and how far the cosine is above `margin` where it is -1.
 */
export class CosineEmbeddingLoss extends lossOf3(cosineEmbeddingLoss, marginOptions) {}
/** `max(0, margin - target (a - b))`: target 1 where `a` is to be the larger one, -1 where `b` is. */
export class MarginRankingLoss extends lossOf3(marginRankingLoss, marginOptions) {}
/**
 * By how much an anchor is not `margin`, 1 by default, nearer to the positive than to the negative: each `[N, D]`.
 */
export class TripletMarginLoss extends lossOf3(tripletMarginLoss, tripletMarginLossOptions) {}
/** Negative log likelihood of a target under normal distributions of mean `input` and variance `variance`. */
export class GaussianNLLLoss extends lossOf3(gaussianNllLoss, gaussianNllLossOptions) {}

/** Connectionist temporal classification; see `functional.ctcLoss`. */
export class CTCLoss extends Loss<[Tensor, Tensor, Lengths, Lengths], CTCLossOptions> {
  constructor(options?: CTCLossOptions) {
    super(options, ctcLossOptions);
  }

  override forward(logProbs: Tensor, targets: Tensor, inputLengths: Lengths, targetLengths: Lengths): Tensor {
    return ctcLoss(logProbs, targets, inputLengths, targetLengths, this.options);
  }
}

type Lengths = Tensor | readonly number[];
