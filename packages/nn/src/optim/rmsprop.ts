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

export interface RMSpropOptions {
  lr: number;
  /** Decay rate of the mean square. */
  alpha: number;
  eps: number;
  weightDecay: number;
  momentum: number;
  /** Divide by the deviation: the mean square less the square of the mean. */
  centered: boolean;
  maximize: boolean;
}

interface State {
  squareAvg?: Tensor;
  gradAvg?: Tensor;
  momentumBuffer?: Tensor;
}

/** RMSprop (Hinton, 2012). */
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
    const v = dataOf(state.squareAvg);
    const mean = state.gradAvg && dataOf(state.gradAvg);
    const buffer = state.momentumBuffer && dataOf(state.momentumBuffer);
    const sign = maximize ? -1 : 1;
    updateElements(p, grad, (w, g) => {
      if (!mean && !buffer && stepByKernel('rmsprop', w, g, [v], [sign, weightDecay, lr, alpha, eps])) return;
      for (let i = 0; i < w.length; i++) {
        const d = sign * g[i]! + weightDecay * w[i]!;
        v[i] = alpha * v[i]! + (1 - alpha) * d * d;
        let variance = v[i]!;
        if (mean) {
          mean[i] = alpha * mean[i]! + (1 - alpha) * d;
          variance -= mean[i]! * mean[i]!;
        }
        const move = d / (Math.sqrt(variance) + eps);
        if (buffer) buffer[i] = momentum * buffer[i]! + move;
        w[i] = w[i]! - lr * (buffer ? buffer[i]! : move);
      }
    });
  }
}
