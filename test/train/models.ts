import { crossEntropy, evaluating, Generator, isGradEnabled, randn, type Tensor } from '@gradgate/core';
import { Dropout, data, Linear, Module, metrics, ReLU, Sequential } from '@gradgate/nn';

/** Points in the plane, classified by the side of a line they are on. */
export function points(count: number, seed: number) {
  const x = randn([count, 2], { generator: new Generator(seed) });
  const y = x.sum(1).gt(0).to('int64');
  return new data.TensorDataset(x, y);
}

export const loaderOf = (count: number, seed: number, batchSize = 8) =>
  new data.DataLoader(points(count, seed), { batchSize, shuffle: true, generator: new Generator(seed) });

/** A classifier with dropout and metrics, which records the modes that its steps run in. */
export class Classifier extends Module {
  readonly accuracy = new metrics.Accuracy();
  readonly modes: string[] = [];
  body = new Sequential(new Linear(2, 16), new ReLU(), new Dropout(0.2), new Linear(16, 2));

  override forward(x: Tensor): Tensor {
    return this.body(x) as Tensor;
  }

  trainingStep([x, y]: readonly [Tensor, Tensor]) {
    this.note('training');
    const scores = this.forward(x);
    this.accuracy.update(scores, y);
    return { loss: crossEntropy(scores, y), accuracy: this.accuracy };
  }

  @evaluating async validationStep([x, y]: readonly [Tensor, Tensor]) {
    await new Promise((resolve) => setTimeout(resolve));
    this.note('validation');
    const scores = this.forward(x);
    this.accuracy.update(scores, y);
    return { loss: crossEntropy(scores, y), accuracy: this.accuracy };
  }

  private note(step: string): void {
    this.modes.push(`${step}: grad ${isGradEnabled()}, dropout ${this.training}`);
  }
}
