// Balances poles by proximal policy optimization (Schulman et al., 2017): node examples/dist/programs/ppoCartPole.js
import { cat, manualSeed, minimum, noGrad, smoothL1Loss, type Tensor, tensor } from '@gradgate/core';
import { Categorical } from '@gradgate/distributions';
import { data, Linear, Module, optim, Sequential, Tanh } from '@gradgate/nn';
import { fit } from '@gradgate/train';
import { CartPoles } from './cartPole.js';

class Agent extends Module {
  policy = new Sequential(new Linear(4, 64), new Tanh(), new Linear(64, 2));
  values = new Sequential(new Linear(4, 64), new Tanh(), new Linear(64, 1));
  choice = (states: Tensor) => new Categorical({ logits: this.policy(states) as Tensor });
  value = (states: Tensor) => (this.values(states) as Tensor).squeeze(1);
  trainingStep([states, actions, before, returns, advantages]: readonly [Tensor, Tensor, Tensor, Tensor, Tensor]) {
    const choice = this.choice(states);
    const ratio = choice.logProb(actions).sub(before).exp();
    const gain = minimum(ratio.mul(advantages), ratio.clamp(0.8, 1.2).mul(advantages)).mean();
    const error = smoothL1Loss(this.value(states), returns);
    return error.mul(0.5).sub(gain).sub(choice.entropy().mean().mul(0.01));
  }
  /** Steps in all worlds: states, actions, their log probabilities, returns and advantages. */
  @noGrad play(poles: CartPoles, count: number) {
    const steps = Array.from({ length: count }, () => {
      const { states } = poles;
      const choice = this.choice(states);
      const actions = choice.sample();
      return {
        states,
        actions,
        before: choice.logProb(actions),
        value: this.value(states),
        goesOn: poles.step(actions),
      };
    });
    let [next, advantage] = [this.value(poles.states), tensor(0)];
    const rows = steps.reverse().map(({ states, actions, before, value, goesOn }) => {
      const error = next
        .mul(0.99)
        .add(advantage.mul(0.95 * 0.99))
        .mul(goesOn)
        .add(1)
        .sub(value);
      [next, advantage] = [value, error];
      return [states, actions, before, error.add(value), error] as const;
    });
    const all = (i: number) => cat(rows.map((row) => row[i]!));
    const scaled = all(4).sub(all(4).mean()).div(all(4).std().add(1e-8));
    return new data.TensorDataset(all(0), all(1), all(2), all(3), scaled);
  }
}

manualSeed(2);
const [agent, poles] = [new Agent(), new CartPoles(8)];
const optimizer = new optim.Adam(agent.parameters(), { lr: 0.003 });
for (let round = 1; round <= Number(process.argv[2] ?? 30); round++) {
  const train = new data.DataLoader(agent.play(poles, 128), { batchSize: 128, shuffle: true });
  await fit(agent, { train, optimizer, epochs: 4, clipGradNorm: 0.5 });
  const last = poles.lengths.splice(0);
  console.log(
    `round ${round}: poles stood for ${(last.reduce((a, b) => a + b, 0) / (last.length || 1)).toFixed(0)} steps`,
  );
}
