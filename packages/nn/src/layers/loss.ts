import { type CrossEntropyOptions, crossEntropy, type LossOptions, mseLoss, type Tensor } from '@gradgate/core';
import { Module } from '../module.js';

/** `crossEntropy` with options kept. */
export class CrossEntropyLoss extends Module {
  constructor(readonly options: CrossEntropyOptions = {}) {
    super();
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return crossEntropy(input, target, this.options);
  }
}

/** `mseLoss` with options kept. */
export class MSELoss extends Module {
  constructor(readonly options: LossOptions = {}) {
    super();
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return mseLoss(input, target, this.options);
  }
}
