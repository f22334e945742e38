import type { Tensor } from '@gradgate/core';
import type { StepRule } from '@gradgate/core/internal';
import { isSparse, toDense } from '@gradgate/core/sparse';
import {
  applyStep,
  BuiltInOptimizer,
  checkNoDecay,
  directed,
  type Group,
  type MemoryKinds,
  memoryFor,
  type ParamGroup,
  rule,
} from './optimizer.js';

/** Options of `SGD`. */
export interface SGDOptions {
  /** The learning rate; 1e-3 by default. */
  lr: number;
  /** The share of the previous step that is carried on; 0 by default. */
  momentum: number;
  /** The share of the gradient that does not go into the momentum; 0 by default. */
  dampening: number;
  /** L2 penalty; 0 by default. */
  weightDecay: number;
  /** Whether to use Nesterov's momentum; false by default. */
  nesterov: boolean;
  /** Whether to maximize the objective; false by default. */
  maximize: boolean;
}

interface State {
  momentumBuffer?: Tensor;
}

/**
 * Stochastic gradient descent, optionally with momentum (Sutskever et al., 2013): `w -= lr * gradient`. Options: `lr`
 * 1e-3, `momentum` 0, `dampening` 0, `weightDecay` 0, `nesterov` false, `maximize` false. Throws for `nesterov` without
 * momentum or with dampening. Takes sparse gradients, without `weightDecay`: without momentum only their
 * rows change.
 *
 * ```ts
 * const model = new Linear(3, 1);
 * const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
 * model(randn([4, 3])).square().mean().backward();
 * optimizer.step();
 * optimizer.zeroGrad();
 * ```
 */
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

  protected override checkGradient(grad: Tensor, { weightDecay }: Group<SGDOptions>): void {
    if (isSparse(grad)) checkNoDecay('SGD', weightDecay);
  }

  override [rule](p: Tensor, grad: Tensor, state: State, group: Group<SGDOptions>): void {
    const { lr, momentum, dampening, weightDecay, nesterov, maximize } = group;
    const first = momentum !== 0 && !state.momentumBuffer;
    if (momentum !== 0) state.momentumBuffer ??= memoryFor(p);
    const sign = maximize ? -1 : 1;
    // As in PyTorch, dampening does not apply to the first step.
    const share = first ? 1 : 1 - dampening;
    const numbers = [sign, weightDecay, lr, momentum, share, nesterov ? 1 : 0, nesterov ? momentum : 1];
    // Momentum goes on in rows that have no gradient.
    if (state.momentumBuffer) applyStep(withMomentum, p, toDense(grad), [state.momentumBuffer], numbers);
    else applyStep(plain, p, grad, [], numbers);
  }
}

const plain: StepRule = {
  name: 'sgd',
  loop(w, g, _, [sign, weightDecay, lr]) {
    for (let i = 0; i < w.length; i++) w[i] = w[i]! - lr! * directed(sign!, g[i]!, weightDecay!, w[i]!);
  },
};

const withMomentum: StepRule = {
  name: 'momentum',
  loop(w, g, [buffer], [sign, weightDecay, lr, momentum, share, nesterov]) {
    for (let i = 0; i < w.length; i++) {
      const d = directed(sign!, g[i]!, weightDecay!, w[i]!);
      const b = momentum! * buffer![i]! + share! * d;
      buffer![i] = b;
      w[i] = w[i]! - lr! * (nesterov ? d + momentum! * b : b);
    }
  },
};
