// Balances poles by proximal policy optimization (Schulman et al., 2017): node examples/dist/programs/ppoCartPole.js
import { manualSeed, minimum, noGrad, smoothL1Loss, type Tensor } from '@gradgate/core';
import { Categorical } from '@gradgate/distributions';
import { data, Linear, Module, optim, Sequential, Tanh } from '@gradgate/nn';
import { Collector, type Experience, fit, generalizedAdvantages, VectorEnvironments } from '@gradgate/train';
import { CartPole } from './cartPole.js';

class Agent extends Module {
  policy = new Sequential(new Linear(4, 64), new Tanh(), new Linear(64, 2));
  critic = new Sequential(new Linear(4, 64), new Tanh(), new Linear(64, 1));
  choice = (states: Tensor) => new Categorical({ logits: this.policy(states) as Tensor });
  value = (states: Tensor) => (this.critic(states) as Tensor).squeeze(-1);
  trainingStep([states, actions, before, returns, advantages]: readonly [Tensor, Tensor, Tensor, Tensor, Tensor]) {
    const choice = this.choice(states);
    const ratio = choice.logProb(actions).sub(before).exp();
    const gain = minimum(ratio.mul(advantages), ratio.clamp(0.8, 1.2).mul(advantages)).mean();
    const error = smoothL1Loss(this.value(states), returns);
    return error.mul(0.5).sub(gain).sub(choice.entropy().mean().mul(0.01));
  }
  /** States, actions, their log probabilities, returns and advantages. */
  @noGrad lessons({ observations, actions, nextObservations, ...rest }: Experience) {
    const [values, nextValues] = [this.value(observations), this.value(nextObservations)];
    const { advantages, returns } = generalizedAdvantages({ ...rest, values, nextValues });
    const scaled = advantages.sub(advantages.mean()).div(advantages.std().add(1e-8));
    const before = this.choice(observations).logProb(actions);
    const flat = (t: Tensor) => t.flatten(0, 1);
    return new data.TensorDataset(flat(observations), flat(actions), flat(before), flat(returns), flat(scaled));
  }
}

manualSeed(2);
const agent = new Agent();
const carts = new VectorEnvironments(() => new CartPole(), 8, { maxEpisodeSteps: 500 });
const collector = new Collector(carts, (states) => agent.choice(states).sample());
const optimizer = new optim.Adam(agent.parameters(), { lr: 0.003 });
for (let round = 1; round <= Number(process.argv[2] ?? 30); round++) {
  const experience = collector.collect(128);
  const train = new data.DataLoader(agent.lessons(experience), { batchSize: 128, shuffle: true });
  await fit(agent, { train, optimizer, epochs: 4, clipGradNorm: 0.5 });
  const lengths = experience.episodes.map(({ length }) => length);
  const mean = lengths.reduce((a, b) => a + b, 0) / (lengths.length || 1);
  console.log(`round ${round}: poles stood for ${mean.toFixed(0)} steps`);
}
