/**
 * Fine-tuning: a backbone that was trained on one task is kept, and only a new head learns another. `requiresGrad_(false)`
 * keeps the weights out of learning; the conditional `@noGrad` keeps the whole of the backbone out of the graph.
 */
import { crossEntropy, manualSeed, noGrad, randn, type Tensor } from '@gradgate/core';
import { Linear, Module, optim } from '@gradgate/nn';

class Net extends Module {
  readonly backbone = new Linear(8, 16);
  head = new Linear(16, 2);
  frozen = false;

  @noGrad(function (this: Net) {
    return this.frozen;
  })
  features(x: Tensor): Tensor {
    return this.backbone(x).tanh();
  }

  override forward(x: Tensor): Tensor {
    return this.head(this.features(x));
  }

  @noGrad accuracy(x: Tensor, y: Tensor): number {
    return this.forward(x).argmax(1).eq(y).float().mean().item();
  }
}

manualSeed(0);
const x = randn([256, 8]);
const pretrain = x.narrow(1, 0, 4).sum(1).gt(0).int();
const task = x.narrow(1, 2, 4).sum(1).gt(0).int();
const net = new Net();

function train(target: Tensor, parameters: Iterable<Tensor>, steps: number): number {
  const optimizer = new optim.Adam(parameters, { lr: 0.03 });
  let nodes = 0;
  for (let i = 0; i < steps; i++) {
    optimizer.zeroGrad();
    const features = net.features(x);
    if (features.gradFn !== null) nodes++;
    crossEntropy(net.head(features), target).backward();
    optimizer.step();
  }
  return nodes;
}

const steps = 80;
console.log(
  `pretraining: the backbone was recorded in ${train(pretrain, net.parameters(), steps)} of ${steps} steps, accuracy ${net.accuracy(x, pretrain).toFixed(2)}`,
);
net.backbone.requiresGrad_(false);
net.frozen = true;
net.head = new Linear(16, 2);
const before = net.backbone.weight.toTypedArray();
console.log(`new head: accuracy ${net.accuracy(x, task).toFixed(2)} before`);
const recorded = train(
  task,
  [...net.parameters()].filter((p) => p.requiresGrad),
  steps,
);
const moved = net.backbone.weight.toTypedArray().some((v, i) => v !== before[i]);
console.log(
  `fine-tuning: the backbone was recorded in ${recorded} of ${steps} steps, accuracy ${net.accuracy(x, task).toFixed(2)}, backbone ${moved ? 'moved' : 'unchanged'}`,
);
