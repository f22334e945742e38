import type { Tensor } from '@gradgate/core';
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

/** Options of `RMSprop`. */
export interface RMSpropOptions {
  /** The learning rate; 0.01 by default. */
  lr: number;
  /** The decay rate of the mean square; 0.99 by default. */
  alpha: number;
  /** Added to the denominator; 1e-8 by default. */
  eps: number;
  /** L2 penalty; 0 by default. */
  weightDecay: number;
  /** The share of the previous step that is carried on; 0 by default. */
  momentum: number;
  /** Whether to divide by the standard deviation rather than the root mean square; false by default. */
  centered: boolean;
  /** Whether to maximize the objective; false by default. */
  maximize: boolean;
}

interface State {
  squareAvg?: Tensor;
  gradAvg?: Tensor;
  momentumBuffer?: Tensor;
}

/**
 * RMSprop (Hinton, 2012): divides each step by the root of the running mean of squared gradients. Options: `lr` 0.01,
 * `alpha` 0.99, `eps` 1e-8, `weightDecay` 0, `momentum` 0, `centered` false, `maximize` false.
 *
 * ```ts
 * const model = new Linear(3, 1);
 * const optimizer = new optim.RMSprop(model.parameters(), { lr: 0.01 });
 * model(randn([4, 3])).square().mean().backward();
 * optimizer.step();
 * optimizer.zeroGrad();
 * ```
 */
export class RMSprop extends BuiltInOptimizer<RMSpropOptions, State> {
  constructor(params: Iterable<Tensor> | Iterable<ParamGroup<RMSpropOptions>>, options?: Partial<RMSpropOptions>) {
    super(
      params,
      {
        lr: 0.01,
        alpha: 0.99,
        eps: 1e-8,
        weightDecay: 0,
        momentum: 0,
        centered: false,
        maximize: false,
      },
      options,
    );
  }

  protected override memory({ centered, momentum }: Group<RMSpropOptions>): MemoryKinds {
    return {
      squareAvg: 'tensor',
      ...(centered ? { gradAvg: 'tensor' } : {}),
      ...(momentum !== 0 ? { momentumBuffer: 'tensor' } : {}),
    };
  }

  override [rule](p: Tensor, grad: Tensor, state: State, group: Group<RMSpropOptions>): void {
    const { lr, alpha, eps, weightDecay, momentum, centered, maximize } = group;
    state.squareAvg ??= memoryFor(p);
    if (centered) state.gradAvg ??= memoryFor(p);
    if (momentum !== 0) state.momentumBuffer ??= memoryFor(p);
    const { squareAvg, gradAvg, momentumBuffer } = state;
    const numbers = [maximize ? -1 : 1, weightDecay, lr, alpha, eps, momentum];
    const memory = [squareAvg, gradAvg, momentumBuffer].filter((t) => t !== undefined);
    applyStep(rules[Number(centered)]![Number(momentum !== 0)]!, p, grad, memory, numbers);
  }
}

/** The rules by whether they are centered and whether they have momentum. */
const rules = [false, true].map((centered) => [false, true].map((momentum) => ruleOf(centered, momentum)));

function ruleOf(centered: boolean, withMomentum: boolean): StepRule {
  return {
    name: `rmsprop${centered ? ' centered' : ''}${withMomentum ? ' with momentum' : ''}`,
    loop(w, g, memory, [sign, weightDecay, lr, alpha, eps, momentum]) {
      const v = memory[0]!;
      const mean = centered ? memory[1]! : null;
      const buffer = withMomentum ? memory.at(-1)! : null;
      for (let i = 0; i < w.length; i++) {
        const d = directed(sign!, g[i]!, weightDecay!, w[i]!);
        v[i] = alpha! * v[i]! + (1 - alpha!) * d * d;
        let variance = v[i]!;
        if (mean) {
          mean[i] = alpha! * mean[i]! + (1 - alpha!) * d;
          variance -= mean[i]! * mean[i]!;
        }
        const move = d / (Math.sqrt(variance) + eps!);
        if (buffer) buffer[i] = momentum! * buffer[i]! + move;
        w[i] = w[i]! - lr! * (buffer ? buffer[i]! : move);
      }
    },
  };
}
