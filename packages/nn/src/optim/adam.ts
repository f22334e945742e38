import { maximum, type Tensor, zerosLike } from '@gradgate/core';
import { type Group, Optimizer, type ParamGroup } from './optimizer.js';

export interface AdamOptions {
  /** Learning rate. */
  lr: number;
  /** Decay rates of the means of the gradient and of its square. */
  betas: readonly [number, number];
  /** Added to the denominator. */
  eps: number;
  /** L2 penalty in Adam, decoupled decay in AdamW. */
  weightDecay: number;
  /** Divide by the largest mean square so far (Reddi et al., 2018). */
  amsgrad: boolean;
  maximize: boolean;
}

interface State {
  step: number;
  expAvg: Tensor;
  expAvgSq: Tensor;
  maxExpAvgSq?: Tensor;
}

/** Adam (Kingma and Ba, 2015). */
export class Adam extends Optimizer<AdamOptions, Partial<State>> {
  constructor(params: Iterable<Tensor> | Iterable<ParamGroup<AdamOptions>>, options: Partial<AdamOptions> = {}) {
    super(params, {
      lr: 1e-3,
      betas: [0.9, 0.999],
      eps: 1e-8,
      weightDecay: 0,
      amsgrad: false,
      maximize: false,
      ...options,
    });
  }

  protected decay(p: Tensor, grad: Tensor, { weightDecay }: Group<AdamOptions>): Tensor {
    return weightDecay === 0 ? grad : grad.add(p.mul(weightDecay));
  }

  protected update(p: Tensor, grad: Tensor, memory: Partial<State>, group: Group<AdamOptions>): void {
    const [beta1, beta2] = group.betas;
    const g = this.decay(p, group.maximize ? grad.neg() : grad, group);
    memory.step = (memory.step ?? 0) + 1;
    memory.expAvg ??= zerosLike(p);
    memory.expAvgSq ??= zerosLike(p);
    const { step, expAvg, expAvgSq } = memory as State;
    expAvg.mul_(beta1).add_(g.mul(1 - beta1));
    expAvgSq.mul_(beta2).add_(g.square().mul(1 - beta2));
    let square = expAvgSq;
    if (group.amsgrad) {
      memory.maxExpAvgSq = memory.maxExpAvgSq ? maximum(memory.maxExpAvgSq, expAvgSq) : expAvgSq.clone();
      square = memory.maxExpAvgSq;
    }
    const denominator = square
      .sqrt()
      .div(Math.sqrt(1 - beta2 ** step))
      .add(group.eps);
    p.sub_(expAvg.div(denominator).mul(group.lr / (1 - beta1 ** step)));
  }
}
