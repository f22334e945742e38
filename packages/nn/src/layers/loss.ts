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
export class MSELoss extends lossOf(mseLoss, known.lossOptions) {}
export class L1Loss extends lossOf(l1Loss, known.lossOptions) {}
export class HuberLoss extends lossOf(huberLoss, known.huberLossOptions) {}
export class SmoothL1Loss extends lossOf(smoothL1Loss, known.smoothL1LossOptions) {}
export class CrossEntropyLoss extends lossOf(crossEntropy, known.crossEntropyOptions) {}
export class NLLLoss extends lossOf(nllLoss, known.nllLossOptions) {}
export class BCELoss extends lossOf(binaryCrossEntropy, known.binaryCrossEntropyOptions) {}
export class BCEWithLogitsLoss extends lossOf(
  binaryCrossEntropyWithLogits,
  known.binaryCrossEntropyWithLogitsOptions,
) {}
export class KLDivLoss extends lossOf(klDiv, known.klDivOptions) {}
export class PoissonNLLLoss extends lossOf(poissonNllLoss, poissonNllLossOptions) {}
export class SoftMarginLoss extends lossOf(softMarginLoss, known.lossOptions) {}
export class MultiMarginLoss extends lossOf(multiMarginLoss, multiMarginLossOptions) {}
export class MultiLabelMarginLoss extends lossOf(multilabelMarginLoss, known.lossOptions) {}
export class MultiLabelSoftMarginLoss extends lossOf(multilabelSoftMarginLoss, multilabelSoftMarginLossOptions) {}
export class HingeEmbeddingLoss extends lossOf(hingeEmbeddingLoss, marginOptions) {}
export class CosineSimilarity extends lossOf(cosineSimilarity, known.cosineSimilarityOptions) {}
export class PairwiseDistance extends lossOf(pairwiseDistance, pairwiseDistanceOptions) {}
export class CosineEmbeddingLoss extends lossOf3(cosineEmbeddingLoss, marginOptions) {}
export class MarginRankingLoss extends lossOf3(marginRankingLoss, marginOptions) {}
export class TripletMarginLoss extends lossOf3(tripletMarginLoss, tripletMarginLossOptions) {}
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
