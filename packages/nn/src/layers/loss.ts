import type { Tensor } from '@gradgate/core';
import * as core from '@gradgate/core';
import { Module } from '../module.js';

/** A module class that keeps the options of a loss function. */
function loss<O extends object>(name: string, fn: (input: Tensor, target: Tensor, options?: O) => Tensor) {
  const type = class extends Module {
    constructor(readonly options: O = {} as O) {
      super();
    }
    override forward(input: Tensor, target: Tensor): Tensor {
      return fn(input, target, this.options);
    }
  };
  Object.defineProperty(type, 'name', { value: name });
  return type;
}

export class CrossEntropyLoss extends loss('CrossEntropyLoss', core.crossEntropy) {}
export class NLLLoss extends loss('NLLLoss', core.nllLoss) {}
export class MSELoss extends loss('MSELoss', core.mseLoss) {}
export class L1Loss extends loss('L1Loss', core.l1Loss) {}
export class SmoothL1Loss extends loss('SmoothL1Loss', core.smoothL1Loss) {}
export class HuberLoss extends loss('HuberLoss', core.huberLoss) {}
export class BCELoss extends loss('BCELoss', core.binaryCrossEntropy) {}
export class BCEWithLogitsLoss extends loss('BCEWithLogitsLoss', core.binaryCrossEntropyWithLogits) {}
export class KLDivLoss extends loss('KLDivLoss', core.klDiv) {}
