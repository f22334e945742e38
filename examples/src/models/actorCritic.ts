// A policy and its value, and the clipped objective of proximal policy optimization (Schulman et al., 2017).
import { maximum, type Tensor } from '@gradgate/core';
import { Categorical } from '@gradgate/distributions';
import { Linear, Module, Sequential, Tanh } from '@gradgate/nn';

export interface Steps {
  observations: Tensor;
  actions: Tensor;
  /** Log probabilities of the actions when they were taken. */
  before: Tensor;
  returns: Tensor;
  advantages: Tensor;
}

export class ActorCritic extends Module {
  actor: Sequential<[Linear, Tanh, Linear]>;
  critic: Sequential<[Linear, Tanh, Linear]>;

  constructor(observations: number, actions: number, hidden = 64) {
    super();
    this.actor = new Sequential(new Linear(observations, hidden), new Tanh(), new Linear(hidden, actions));
    this.critic = new Sequential(new Linear(observations, hidden), new Tanh(), new Linear(hidden, 1));
  }

  policy(observations: Tensor): Categorical {
    return new Categorical({ logits: this.actor(observations) });
  }

  loss({ observations, actions, before, returns, advantages }: Steps, clip = 0.2): Tensor {
    const policy = this.policy(observations);
    const ratio = policy.logProb(actions).sub(before).exp();
    const losses = maximum(advantages.neg().mul(ratio), advantages.neg().mul(ratio.clamp(1 - clip, 1 + clip)));
    const error = this.critic(observations).squeeze(-1).sub(returns).square().mean();
    return losses.mean().add(error.mul(0.5)).sub(policy.entropy().mean().mul(0.01));
  }
}
