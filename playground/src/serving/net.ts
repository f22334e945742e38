import { evaluating, type Tensor } from '@gradgate/core';
import { Dropout, functional, Linear, Module, optim, Sequential, Tanh } from '@gradgate/nn';
import { makePoints } from '../model/data.js';

/** A network with dropout that one flow trains while others ask it for answers. Both wait: for batches, for requests. */
export class Served extends Module {
  layers = new Sequential(new Linear(2, 32), new Tanh(), new Dropout(0.4), new Linear(32, 1));
  /** Whether dropout was on in the last pass. */
  hadDropout = false;
  private readonly data = makePoints('moons', 7);
  private readonly optimizer = new optim.Adam(this.parameters(), { lr: 0.01 });

  override forward(points: Tensor): Tensor {
    this.hadDropout = this.training;
    return this.layers(points);
  }

  async trainStep(batch: Promise<void>): Promise<void> {
    await batch;
    const loss = functional.softMarginLoss(this.forward(this.data.points), this.data.classes);
    this.optimizer.zeroGrad();
    loss.backward();
    this.optimizer.step();
  }
}

/** The mode is a field of the model, which both flows share. */
export class Switched extends Served {
  async answer(x: Tensor, request: Promise<void>): Promise<number> {
    this.eval();
    await request;
    const y = this.forward(x).item();
    this.train();
    return y;
  }
}

/** The mode belongs to the flow that answers. */
export class Gated extends Served {
  answer = evaluating.async(function* (this: Gated, x: Tensor, request: Promise<void>) {
    yield request;
    return this.forward(x).item();
  });
}
