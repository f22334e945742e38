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
import { type CTCLossOptions, ctcLoss } from '../functions/ctc.js';
import {
  cosineEmbeddingLoss,
  gaussianNllLoss,
  hingeEmbeddingLoss,
  marginRankingLoss,
  multilabelMarginLoss,
  multilabelSoftMarginLoss,
  multiMarginLoss,
  pairwiseDistance,
  poissonNllLoss,
  softMarginLoss,
  tripletMarginLoss,
} from '../functions/loss.js';
import { Module } from '../module.js';

/** A loss of `I` tensors with its options kept. */
export class Loss<I extends unknown[] = [Tensor, Tensor], O extends object = object> extends Module {
  readonly options: O;

  constructor(options: O = {} as O) {
    super();
    this.options = options;
  }

  override forward(..._inputs: I): Tensor {
    throw new TypeError(`${this.constructor.name} has no forward(); define it in the class`);
  }
}

/** The module class of a loss of two tensors: its constructor takes the options of `f`. */
function lossOf<O extends object>(
  f: (a: Tensor, b: Tensor, options?: O) => Tensor,
): new (
  options?: O,
) => Loss<[Tensor, Tensor], O> {
  return class extends Loss<[Tensor, Tensor], O> {
    override forward(a: Tensor, b: Tensor): Tensor {
      return f(a, b, this.options);
    }
  };
}

/** The same of three tensors. */
function lossOf3<O extends object>(
  f: (a: Tensor, b: Tensor, c: Tensor, options?: O) => Tensor,
): new (
  options?: O,
) => Loss<[Tensor, Tensor, Tensor], O> {
  return class extends Loss<[Tensor, Tensor, Tensor], O> {
    override forward(a: Tensor, b: Tensor, c: Tensor): Tensor {
      return f(a, b, c, this.options);
    }
  };
}

// Each takes the options of the function that it is named after.
export class MSELoss extends lossOf(mseLoss) {}
export class L1Loss extends lossOf(l1Loss) {}
export class HuberLoss extends lossOf(huberLoss) {}
export class SmoothL1Loss extends lossOf(smoothL1Loss) {}
export class CrossEntropyLoss extends lossOf(crossEntropy) {}
export class NLLLoss extends lossOf(nllLoss) {}
export class BCELoss extends lossOf(binaryCrossEntropy) {}
export class BCEWithLogitsLoss extends lossOf(binaryCrossEntropyWithLogits) {}
export class KLDivLoss extends lossOf(klDiv) {}
export class PoissonNLLLoss extends lossOf(poissonNllLoss) {}
export class SoftMarginLoss extends lossOf(softMarginLoss) {}
export class MultiMarginLoss extends lossOf(multiMarginLoss) {}
export class MultiLabelMarginLoss extends lossOf(multilabelMarginLoss) {}
export class MultiLabelSoftMarginLoss extends lossOf(multilabelSoftMarginLoss) {}
export class HingeEmbeddingLoss extends lossOf(hingeEmbeddingLoss) {}
export class CosineSimilarity extends lossOf(cosineSimilarity) {}
export class PairwiseDistance extends lossOf(pairwiseDistance) {}
export class CosineEmbeddingLoss extends lossOf3(cosineEmbeddingLoss) {}
export class MarginRankingLoss extends lossOf3(marginRankingLoss) {}
export class TripletMarginLoss extends lossOf3(tripletMarginLoss) {}
export class GaussianNLLLoss extends lossOf3(gaussianNllLoss) {}

/** Connectionist temporal classification; see `functional.ctcLoss`. */
export class CTCLoss extends Loss<[Tensor, Tensor, Lengths, Lengths], CTCLossOptions> {
  override forward(logProbs: Tensor, targets: Tensor, inputLengths: Lengths, targetLengths: Lengths): Tensor {
    return ctcLoss(logProbs, targets, inputLengths, targetLengths, this.options);
  }
}

type Lengths = Tensor | readonly number[];
