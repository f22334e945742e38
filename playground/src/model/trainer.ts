import { manualSeed, type Tensor } from '@gradgate/core';
import { functional, optim } from '@gradgate/nn';
import { note } from '../timeline/calls.js';
import { type DataName, makePoints, type Points } from './data.js';
import { Net } from './net.js';

/** One training run: data, model and progress. */
export class Trainer {
  /** On the host, for drawing. */
  readonly data: Points;
  readonly net: Net;
  /** The loss of each step. */
  readonly losses: number[] = [];
  /** The last loss, with its graph if it has one. */
  loss: Tensor | null = null;
  /** The accuracy of the last step. */
  accuracy = 0;
  private readonly optimizer: optim.Adam;
  private readonly points: Tensor;
  private readonly classes: Tensor;

  constructor(data: DataName, seed: number, device: string) {
    this.data = makePoints(data, seed);
    this.points = this.data.points.to(device);
    this.classes = this.data.classes.to(device);
    manualSeed(seed);
    this.net = new Net().to(device);
    this.optimizer = new optim.Adam(this.net.parameters(), { lr: 0.015 });
  }

  /** One step on all points. If the loss has no graph, it throws and changes nothing. */
  async step(): Promise<void> {
    const { points, classes } = this;
    note('step');
    const output = this.net(points);
    this.loss = functional.softMarginLoss(output, classes);
    this.optimizer.zeroGrad();
    this.loss.backward();
    this.optimizer.step();
    await this.keep(this.loss, output.detach());
  }

  private async keep(loss: Tensor, output: Tensor): Promise<void> {
    const isRight = output.mul(this.classes).gt(0).float().mean();
    this.losses.push(await loss.itemAsync());
    this.accuracy = await isRight.itemAsync();
  }
}
