import { manualSeed, type Tensor } from '@gradgate/core';
import { functional, optim } from '@gradgate/nn';
import { note } from '../timeline/calls.js';
import { type DataName, makePoints, type Points } from './data.js';
import { Net } from './net.js';

/** One run of training: its data, its model and how far it has come. */
export class Trainer {
  readonly data: Points;
  readonly net: Net;
  /** The loss of each step. */
  readonly losses: number[] = [];
  /** The last loss, with its graph if it has one. */
  loss: Tensor | null = null;
  /** The share of points that the last step found on the right side. */
  accuracy = 0;
  private readonly optimizer: optim.Adam;

  constructor(data: DataName, seed: number) {
    this.data = makePoints(data, seed);
    manualSeed(seed);
    this.net = new Net();
    this.optimizer = new optim.Adam(this.net.parameters(), { lr: 0.015 });
  }

  /** One step on all points. Throws, and changes nothing, where the loss has no graph. */
  step(): void {
    const { points, classes } = this.data;
    note('step');
    const output = this.net(points);
    this.loss = functional.softMarginLoss(output, classes);
    this.optimizer.zeroGrad();
    this.loss.backward();
    this.optimizer.step();
    this.keep(this.loss, output.detach());
  }

  private keep(loss: Tensor, output: Tensor): void {
    this.losses.push(loss.item());
    this.accuracy = output.mul(this.data.classes).gt(0).float().mean().item();
  }
}
