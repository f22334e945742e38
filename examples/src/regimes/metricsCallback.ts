/**
 * Metrics in the middle of a training step: between forward and backward a callback looks at activations and weights.
 * It runs under `noGrad`, so it adds nothing to the graph, and what it does to the mode ends with it.
 */
import {
  enableGrad,
  isGradEnabled,
  manualSeed,
  mseLoss,
  noGrad,
  randn,
  setGradEnabled,
  type Tensor,
} from '@gradgate/core';
import { Linear, Module, optim } from '@gradgate/nn';

class Metrics {
  readonly history: { active: number; weightNorm: number; recorded: boolean }[] = [];

  @noGrad onForward(net: Net, hidden: Tensor): void {
    const active = hidden.gt(0).float().mean();
    const weightNorm = net.hidden.weight.norm();
    this.history.push({ active: active.item(), weightNorm: weightNorm.item(), recorded: weightNorm.requiresGrad });
    // A careless callback: this would switch recording off for the rest of the step, and for all steps after it.
    setGradEnabled(false);
  }
}

class Net extends Module {
  readonly hidden = new Linear(5, 32);
  readonly output = new Linear(32, 1);

  override forward(x: Tensor, metrics?: Metrics): Tensor {
    const hidden = this.hidden(x).relu();
    metrics?.onForward(this, hidden);
    return this.output(hidden);
  }
}

manualSeed(4);
const x = randn([128, 5]);
const y = x.square().sum(1, { keepdim: true });
const run = (metrics?: Metrics) => {
  manualSeed(5);
  const net = new Net();
  const optimizer = new optim.Adam(net.parameters(), { lr: 0.02 });
  let last = 0;
  for (let step = 0; step < 100; step++) {
    optimizer.zeroGrad();
    const loss = mseLoss(net(x, metrics), y);
    loss.backward();
    optimizer.step();
    last = loss.item();
  }
  return last;
};
const metrics = new Metrics();
const [with_, without] = [enableGrad.run(() => run(metrics)), run()];
const { active, weightNorm } = metrics.history.at(-1)!;
console.log(`last step: ${(100 * active).toFixed(0)}% of units active, weights of norm ${weightNorm.toFixed(2)}`);
console.log(
  `recorded in the callback: ${metrics.history.filter((m) => m.recorded).length} of ${metrics.history.length} times`,
);
console.log(`loss with metrics ${with_.toFixed(5)}, without ${without.toFixed(5)}, the same: ${with_ === without}`);
console.log(`gradients are ${isGradEnabled() ? 'on' : 'off'} afterwards`);
