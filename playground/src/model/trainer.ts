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
    note('trainStep');
    this.optimizer.zeroGrad();
    const { points, classes } = this.data;
    const output: Tensor = this.net(points);
    this.loss = functional.softMarginLoss(output, classes);
    this.loss.backward();
    this.optimizer.step();
    this.losses.push(this.loss.item());
    this.accuracy = output.detach().mul(classes).gt(0).float().mean().item();
  }
}
