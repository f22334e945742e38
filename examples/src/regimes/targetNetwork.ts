/**
 * Q-learning in a corridor of seven cells, with a target network that follows the learner slowly. The target's values
 * are taken under `@noGrad`: nothing flows into it, although the learner is recorded around it.
 */
import { Generator, huberLoss, manualSeed, noGrad, type Tensor, tensor } from '@gradgate/core';
import { Linear, Module, optim } from '@gradgate/nn';

const cells = 7;
const oneHot = (states: number[]) => tensor(Int32Array.from(states)).oneHot(cells).float();

class Values extends Module {
  readonly hidden = new Linear(cells, 24);
  readonly output = new Linear(24, 2);

  /** The value of going left and right from each state. */
  override forward(states: Tensor): Tensor {
    return this.output(this.hidden(states).relu());
  }

  @noGrad best(states: Tensor): Tensor {
    return this.forward(states).amax(1);
  }

  @noGrad choose(state: number): number {
    return this.forward(oneHot([state]))
      .argmax(1)
      .item();
  }
}

manualSeed(1);
const generator = new Generator(1);
const learner = new Values();
const target = new Values();
const follow = new optim.ExponentialMovingAverage(target, learner, 0.95);
const optimizer = new optim.Adam(learner.parameters(), { lr: 0.01 });

for (let step = 0; step < 400; step++) {
  // Random experience: a step left or right; the reward, and the end, are at the right.
  const states = Array.from({ length: 16 }, () => generator.below(cells - 1));
  const actions = states.map(() => generator.below(2));
  const next = states.map((s, i) => Math.max(0, s + (actions[i] ? 1 : -1)));
  const reward = tensor(next.map((s) => Number(s === cells - 1)));
  const goesOn = reward.neg().add(1);

  const goal = reward.add(target.best(oneHot(next)).mul(goesOn).mul(0.9));
  const values = learner(oneHot(states))
    .gather(1, tensor(Int32Array.from(actions)).unsqueeze(1))
    .squeeze(1);
  optimizer.zeroGrad();
  huberLoss(values, goal).backward();
  optimizer.step();
  follow.update();
}
const policy = Array.from({ length: cells - 1 }, (_, s) => (learner.choose(s) ? 'right' : 'left'));
const learned = [...target.parameters()].some((p) => p.grad !== null || p.requiresGrad);
console.log(`policy: ${policy.join(' ')}`);
console.log(
  `value of the first cell ${learner
    .best(oneHot([0]))
    .item()
    .toFixed(2)}, of the last ${learner
    .best(oneHot([cells - 2]))
    .item()
    .toFixed(2)}`,
);
console.log(`the target network ${learned ? 'got' : 'got no'} gradients`);
