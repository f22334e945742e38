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

export interface RpropOptions {
  /** The size of the first step. */
  lr: number;
  /** What a step is multiplied by where the sign of the gradient changes, and where it stays. */
  etas: readonly [number, number];
  /** The smallest and the largest step. */
  stepSizes: readonly [number, number];
  maximize: boolean;
}

interface State {
  step?: number;
  prev?: Tensor;
  stepSize?: Tensor;
}

/**
 * Resilient backpropagation (Riedmiller and Braun, 1993): steps by the sign of the gradient alone, each weight's own step
 * growing while the sign stays. For gradients of the whole data, not of batches. Options: `lr` 0.01, `etas` [0.5, 1.2],
 * `stepSizes` [1e-6, 50], `maximize` false.
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
      throw new RangeError(`Rprop: etas are between 0 and 1, and above 1, got ${show(less)} and ${show(more)}`);
    if (!(low <= high))
      throw new RangeError(`Rprop: stepSizes are in rising order, got ${show(low)} and ${show(high)}`);
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
      // Where the sign has changed, the step went too far: no step, and no change of sign at the next one.
      if (turn < 0) d = 0;
      w[i] = w[i]! - Math.sign(d) * size[i]!;
      before[i] = d;
    }
  },
};
