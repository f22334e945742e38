/**
 * Meta-learning (MAML, Finn et al., 2017): a network is trained so that one gradient step on ten points of a new sine curve
 * fits it. The adapted weights are tensors of the graph, so gradients of the loss after the step go through the step itself:
 * second-order gradients. `functionalCall` computes with them; the network's own weights stay.
 */
import { grad, manualSeed, mseLoss, rand, type Tensor } from '@gradgate/core';
import { functionalCall, Linear, optim, Sequential, Tanh } from '@gradgate/nn';

manualSeed(0);
const net = new Sequential(new Linear(1, 32), new Tanh(), new Linear(32, 32), new Tanh(), new Linear(32, 1));
const meta = new optim.Adam(net.parameters(), { lr: 0.005 });
const names = [...net.namedParameters()].map(([name]) => name);

/** A sine curve: points of it to learn from, and others to be judged by. */
function task(): { seen: [Tensor, Tensor]; asked: [Tensor, Tensor] } {
  const amplitude = 0.5 + 2 * rand([]).item();
  const phase = Math.PI * rand([]).item();
  const points = (n: number): [Tensor, Tensor] => {
    const x = rand([n, 1]).mul(8).sub(4);
    return [x, x.add(phase).sin().mul(amplitude)];
  };
  return { seen: points(10), asked: points(20) };
}

/** The weights after one gradient step, as functions of the network's own. */
function adapted([x, y]: [Tensor, Tensor]): Record<string, Tensor> {
  const weights = [...net.parameters()];
  const gradients = grad(mseLoss(net(x), y), weights, { createGraph: true });
  return Object.fromEntries(names.map((name, i) => [name, weights[i]!.sub(gradients[i]!.mul(0.05))]));
}

function lossAfterStep(): Tensor {
  const { seen, asked } = task();
  const [x, y] = asked;
  return mseLoss(functionalCall(net, adapted(seen), x), y);
}

const mean = (n: number): number => {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += lossAfterStep().item();
  return sum / n;
};

const before = mean(50);
for (let step = 0; step < 400; step++) {
  meta.zeroGrad();
  for (let i = 0; i < 4; i++) lossAfterStep().div(4).backward();
  meta.step();
}
console.log(
  `loss after one step on a new curve: ${before.toFixed(2)} before meta-learning, ${mean(50).toFixed(2)} after`,
);
