import type { Tensor, TypedArray } from '@gradgate/core';
import type { StepRule } from '@gradgate/core/internal';
import {
  applyStep,
  BuiltInOptimizer,
  directed,
  type Group,
  type MemoryKinds,
  memoryFor,
  type ParamGroup,
  rule,
} from './optimizer.js';

/** Options of `ASGD`. */
export interface ASGDOptions {
  /** The learning rate at the start; 0.01 by default. */
  lr: number;
  /** The decay: of the weights, and of the learning rate, `lr / (1 + lambd * lr * step) ** alpha`; 1e-4 by default. */
  lambd: number;
  /** The power of that decay; 0.75 by default. */
  alpha: number;
  /** The step from which on weights are averaged; 1e6 by default. */
  t0: number;
  /** L2 penalty; 0 by default. */
  weightDecay: number;
  /** Whether to maximize the objective; false by default. */
  maximize: boolean;
}

interface State {
  step?: number;
  eta?: number;
  mu?: number;
  /** The average of the weights. */
  ax?: Tensor;
}

/**
 * Averaged stochastic gradient descent (Polyak and Juditsky, 1992). It keeps the mean of the weights, see `averages()`.
 * Options: `lr` 0.01, `lambd` 1e-4, `alpha` 0.75, `t0` 1e6, `weightDecay` 0, `maximize` false.
 *
 * ```ts
 * const model = new Linear(3, 1);
 * const optimizer = new optim.ASGD(model.parameters(), { lr: 0.01, t0: 0 });
 * model(randn([4, 3])).square().mean().backward();
 * optimizer.step();
 * optimizer.averages().get(model.weight)!.shape; // [1, 3]
 * ```
 */
export class ASGD extends BuiltInOptimizer<ASGDOptions, State> {
  constructor(params: Iterable<Tensor> | Iterable<ParamGroup<ASGDOptions>>, options?: Partial<ASGDOptions>) {
    super(params, { lr: 0.01, lambd: 1e-4, alpha: 0.75, t0: 1e6, weightDecay: 0, maximize: false }, options);
  }

  protected override memory(): MemoryKinds {
    return { step: 'number', eta: 'number', mu: 'number', ax: 'tensor' };
  }

  override [rule](p: Tensor, grad: Tensor, state: State, group: Group<ASGDOptions>): void {
    const { lr, lambd, alpha, t0, weightDecay, maximize } = group;
    state.ax ??= memoryFor(p);
    const step = (state.step ?? 0) + 1;
    const eta = state.eta ?? lr;
    applyStep(asgdRule, p, grad, [state.ax], [maximize ? -1 : 1, weightDecay, lambd, eta, state.mu ?? 1]);
    state.step = step;
    state.eta = lr / (1 + lambd * lr * step) ** alpha;
    state.mu = 1 / Math.max(1, step - t0);
  }

  /** Returns copies of the averages, by the parameters that have had a step. */
  averages(): Map<Tensor, Tensor> {
    return new Map([...this.state].filter(([, { ax }]) => ax !== undefined).map(([p, { ax }]) => [p, ax!.clone()]));
  }
}

const asgdRule: StepRule = {
  name: 'asgd',
  loop(w, g, memory, [sign, weightDecay, lambd, eta, mu]) {
    const [average] = memory as [TypedArray];
    for (let i = 0; i < w.length; i++) {
      const d = directed(sign!, g[i]!, weightDecay!, w[i]!);
      w[i] = w[i]! * (1 - lambd! * eta!) - eta! * d;
      average[i] = mu === 1 ? w[i]! : average[i]! + (w[i]! - average[i]!) * mu!;
    }
  },
};
