// Balances poles by proximal policy optimization (Schulman et al., 2017): node examples/dist/programs/ppoCartPole.js
import { manualSeed, minimum, noGrad, rand, smoothL1Loss, type Tensor } from '@gradgate/core';
import { Categorical } from '@gradgate/distributions';
import { data, Linear, Module, optim, Sequential, Tanh } from '@gradgate/nn';
import { Collector, type Experience, fit, generalizedAdvantages, VectorEnvironments } from '@gradgate/train';

/** A cart with a pole (Barto et al., 1983), as Gymnasium has it: its place, speed, angle and angular speed. */
class CartPole {
  state = [0, 0, 0, 0];
  reset() {
    this.state = rand([4]).sub(0.5).mul(0.1).toArray() as number[];
    return this.state;
  }
  /** Pushes to the left (0) or the right (1). */
  step(push: number) {
    const [x, v, angle, spin] = this.state as [number, number, number, number];
    const force = ((push === 1 ? 10 : -10) + 0.05 * spin ** 2 * Math.sin(angle)) / 1.1;
    const inertia = 0.5 * (4 / 3 - (0.1 * Math.cos(angle) ** 2) / 1.1);
    const turn = (9.8 * Math.sin(angle) - Math.cos(angle) * force) / inertia;
    const along = force - (0.05 * turn * Math.cos(angle)) / 1.1;
    const [place, lean] = [x + 0.02 * v, angle + 0.02 * spin];
    this.state = [place, v + 0.02 * along, lean, spin + 0.02 * turn];
    return { observation: this.state, reward: 1, terminated: Math.abs(place) > 2.4 || Math.abs(lean) > 0.2095 };
  }
}

class Agent extends Module {
  policy = new Sequential(new Linear(4, 64), new Tanh(), new Linear(64, 2));
  critic = new Sequential(new Linear(4, 64), new Tanh(), new Linear(64, 1));
  choice = (states: Tensor) => new Categorical({ logits: this.policy(states) });
  value = (states: Tensor) => this.critic(states).squeeze(-1);
  trainingStep([states, actions, before, returns, advantages]: readonly [Tensor, Tensor, Tensor, Tensor, Tensor]) {
    const choice = this.choice(states);
    const ratio = choice.logProb(actions).sub(before).exp();
    const gain = minimum(ratio.mul(advantages), ratio.clamp(0.8, 1.2).mul(advantages)).mean();
    const error = smoothL1Loss(this.value(states), returns);
    return error.mul(0.5).sub(gain).sub(choice.entropy().mean().mul(0.01));
  }
  /** States, actions, their log probabilities, returns and advantages: a sample is a step of all carts. */
  @noGrad lessons({ observations: states, actions, nextObservations, ...rest }: Experience) {
    const [values, nextValues] = [this.value(states), this.value(nextObservations)];
    const { advantages, returns } = generalizedAdvantages({ ...rest, values, nextValues }, { normalize: true });
    return new data.TensorDataset(states, actions, this.choice(states).logProb(actions), returns, advantages);
  }
}

manualSeed(2);
const agent = new Agent();
const carts = new VectorEnvironments(() => new CartPole(), 8, { maxEpisodeSteps: 500 });
const collector = new Collector(carts, (states) => agent.choice(states).sample());
const optimizer = new optim.Adam(agent.parameters(), { lr: 0.003 });
for (let round = 1; round <= Number(process.argv[2] ?? 30); round++) {
  const experience = collector.collect(128);
  const train = new data.DataLoader(agent.lessons(experience), { batchSize: 16, shuffle: true });
  await fit(agent, { train, optimizer, epochs: 4, clipGradNorm: 0.5 });
  console.log(`round ${round}: ${experience.terminated.sum().item()} falls in 1024 steps`);
}
