import type { Tensor } from '@gradgate/core';
import { type Group, Optimizer, type ParamGroup } from './optimizer.js';

export interface SGDOptions {
  /** Learning rate. */
  lr: number;
  /** How much of the last step is carried on. */
  momentum: number;
  /** How much of the gradient is kept out of the momentum. */
  dampening: number;
  /** L2 penalty. */
  weightDecay: number;
  /** Nesterov's momentum: looks one step ahead. */
  nesterov: boolean;
  /** Go up the gradient. */
  maximize: boolean;
}

interface State {
  momentumBuffer?: Tensor;
}

/** Stochastic gradient descent, optionally with momentum (Sutskever et al., 2013). */
export class SGD extends Optimizer<SGDOptions, State> {
  constructor(params: Iterable<Tensor> | Iterable<ParamGroup<SGDOptions>>, options: Partial<SGDOptions> = {}) {
    const all = { lr: 1e-3, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false, maximize: false, ...options };
    if (all.nesterov && (all.momentum <= 0 || all.dampening !== 0))
      throw new RangeError('SGD: nesterov needs a momentum above 0 and no dampening');
    super(params, all);
  }

  protected update(p: Tensor, grad: Tensor, state: State, group: Group<SGDOptions>): void {
    const { lr, momentum, dampening, weightDecay, nesterov, maximize } = group;
    let d = maximize ? grad.neg() : grad;
    if (weightDecay !== 0) d = d.add(p.mul(weightDecay));
    if (momentum !== 0) {
      if (!state.momentumBuffer) state.momentumBuffer = d.clone();
      else state.momentumBuffer.mul_(momentum).add_(d.mul(1 - dampening));
      d = nesterov ? d.add(state.momentumBuffer.mul(momentum)) : state.momentumBuffer;
    }
    p.sub_(d.mul(lr));
  }
}
