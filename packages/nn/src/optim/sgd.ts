import type { Tensor } from '@gradgate/core';
import { dataOf } from '@gradgate/core/internal';
import { stepByKernel } from './kernel.js';
import {
  BuiltInOptimizer,
  type Group,
  type MemoryKinds,
  memoryFor,
  type ParamGroup,
  rule,
  updateElements,
} from './optimizer.js';

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
export class SGD extends BuiltInOptimizer<SGDOptions, State> {
  constructor(params: Iterable<Tensor> | Iterable<ParamGroup<SGDOptions>>, options?: Partial<SGDOptions>) {
    const defaults = { lr: 1e-3, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false, maximize: false };
    super(params, defaults, options);
  }

  protected override checkGroup({ nesterov, momentum, dampening }: Group<SGDOptions>): void {
    if (nesterov && (momentum <= 0 || dampening !== 0))
      throw new RangeError('SGD: nesterov needs a momentum above 0 and no dampening');
  }

  protected override memory({ momentum }: Group<SGDOptions>): MemoryKinds {
    return momentum === 0 ? {} : { momentumBuffer: 'tensor' };
  }

  override [rule](p: Tensor, grad: Tensor, state: State, group: Group<SGDOptions>): void {
    const { lr, momentum, dampening, weightDecay, nesterov, maximize } = group;
    const first = momentum !== 0 && !state.momentumBuffer;
    if (momentum !== 0) state.momentumBuffer ??= memoryFor(p);
    const buffer = state.momentumBuffer && dataOf(state.momentumBuffer);
    const sign = maximize ? -1 : 1;
    // The first step takes the gradient whole.
    const share = first ? 1 : 1 - dampening;
    const numbers = [sign, weightDecay, lr, momentum, share, nesterov ? 1 : 0, nesterov ? momentum : 1];
    updateElements(p, grad, (w, g) => {
      if (stepByKernel(buffer ? 'momentum' : 'sgd', w, g, buffer ? [buffer] : [], numbers)) return;
      for (let i = 0; i < w.length; i++) {
        let d = sign * g[i]! + weightDecay * w[i]!;
        if (buffer) {
          const b = momentum * buffer[i]! + share * d;
          buffer[i] = b;
          d = nesterov ? d + momentum * b : b;
        }
        w[i] = w[i]! - lr * d;
      }
    });
  }
}
