import { mseLoss, noGrad, type Tensor, tensor } from '@gradgate/core';
import { Linear, Module, optim } from '@gradgate/nn';

// Exclusive or: true where one of two inputs is, and not both.
const inputs = tensor([
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
]);
const targets = tensor([[0], [1], [1], [0]]);

export class Net extends Module {
  hidden = new Linear(2, 8);
  output = new Linear(8, 1);

  override forward(x: Tensor): Tensor {
    return this.output(this.hidden(x).tanh());
  }

  // Never records gradients, whoever calls it.
  @noGrad predict(x: Tensor = inputs): number[][] {
    return this.forward(x).toArray() as number[][];
  }
}

/** Goes through the data `steps` times, and gives the loss. */
export function train(net: Net, steps: number): number {
  const optimizer = new optim.Adam(net.parameters(), { lr: 0.03 });
  let loss = tensor(0);
  for (let step = 0; step < steps; step++) {
    loss = mseLoss(net(inputs), targets);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
  }
  return loss.item();
}
