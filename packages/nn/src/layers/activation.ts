import { relu, type Tensor } from '@gradgate/core';
import { Module } from '../module.js';

/** `max(x, 0)`, elementwise. */
export class ReLU extends Module {
  override forward(x: Tensor): Tensor {
    return relu(x);
  }
}
