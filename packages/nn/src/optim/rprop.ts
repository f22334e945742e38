import type { Tensor, TypedArray } from '@gradgate/core';
import { type StepRule, show } from '@gradgate/core/internal';
import {
  applyStep,
  BuiltInOptimizer,
  type Group,
  type MemoryKinds,
  memoryFor,
  type ParamGroup,
  rule,
} from './optimizer.js';

/** Options of `Rprop`. */
export interface RpropOptions {
  /** The size of the first step; 0.01 by default. */
  lr: number;
  /** The factors of a step where the sign of the gradient changes and where it stays; [0.5, 1.2] by default. */
  etas: readonly [number, number];
  /** The smallest and the largest step; [1e-6, 50] by default. */
  stepSizes: readonly [number, number];
  /** Whether to maximize the objective; false by default. */
  maximize: boolean;
}

interface State {
  step?: number;
  prev?: Tensor;
  stepSize?: Tensor;
}

/**
 * Resilient backpropagation (Riedmiller and Braun, 1993): uses only the sign of the gradient. Each weight has its own
 * step size, which grows while the sign stays. For gradients of the whole data set, not of batches. Options: `lr` 0.01,
 * `etas` [0.5, 1.2], `stepSizes` [1e-6, 50], `maximize` false.
 *
 * ```ts
 * const model = new Linear(3, 1);
 * const optimizer = new optim.Rprop(model.parameters(), { lr: 0.01 });
 * model(randn([4, 3])).square().mean().backward();
 * optimizer.step();
 * ```
 */
export class Rprop extends BuiltInOptimizer<RpropOptions, State> {
  constructor(params: Iterable<Tensor> | Iterable<ParamGroup<RpropOptions>>, options?: Partial<RpropOptions>) {
    super(params, { lr: 0.01, etas: [0.5, 1.2], stepSizes: [1e-6, 50], maximize: false }, options);
  }

  protected override checkGroup({ etas: [less, more], stepSizes: [low, high] }: Group<RpropOptions>): void {
    if (!(less > 0 && less < 1 && more > 1))
      throw new RangeError(
        `Rprop: the first of etas must be between 0 and 1 and the second above 1, got ${show(less)} and ${show(more)}`,
      );
    if (!(low <= high)) throw new RangeError(`Rprop: stepSizes must ascend, got ${show(low)} and ${show(high)}`);
  }

  protected override memory(): MemoryKinds {
    return { step: 'number', prev: 'tensor', stepSize: 'tensor' };
  }

  override [rule](p: Tensor, grad: Tensor, state: State, group: Group<RpropOptions>): void {
    const { lr, etas, stepSizes, maximize } = group;
    state.step = (state.step ?? 0) + 1;
    state.prev ??= memoryFor(p);
    state.stepSize ??= memoryFor(p, lr);
    applyStep(rpropRule, p, grad, [state.prev, state.stepSize], [maximize ? -1 : 1, ...etas, ...stepSizes]);
  }
}

const rpropRule: StepRule = {
  name: 'rprop',
  loop(w, g, memory, [sign, less, more, low, high]) {
    const [before, size] = memory as [TypedArray, TypedArray];
    for (let i = 0; i < w.length; i++) {
      let d = sign! * g[i]!;
      const turn = d * before[i]!;
      size[i] = Math.min(Math.max(size[i]! * (turn > 0 ? more! : turn < 0 ? less! : 1), low!), high!);
      // After a change of sign the step was too long: skip this one, and ignore the sign at the next one.
      if (turn < 0) d = 0;
      w[i] = w[i]! - Math.sign(d) * size[i]!;
      before[i] = d;
    }
  },
};
