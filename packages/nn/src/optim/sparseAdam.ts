import type { Tensor } from '@gradgate/core';
import type { StepRule } from '@gradgate/core/internal';
import { isSparse } from '@gradgate/core/sparse';
import { shapeText } from '../shapeText.js';
import {
  applyStep,
  BuiltInOptimizer,
  decayRates,
  type Group,
  type MemoryKinds,
  memoryFor,
  type ParamGroup,
  rule,
} from './optimizer.js';

/** Options of `SparseAdam`. */
export interface SparseAdamOptions {
  /** The learning rate; 1e-3 by default. */
  lr: number;
  /** The decay rates of the running means of the gradient and of its square; [0.9, 0.999] by default. */
  betas: readonly [number, number];
  /** Added to the denominator; 1e-8 by default. */
  eps: number;
  /** Whether to maximize the objective; false by default. */
  maximize: boolean;
}

interface State {
  step: number;
  expAvg: Tensor;
  expAvgSq: Tensor;
}

/**
 * Adam for sparse gradients, as those of `new Embedding(n, d, { sparse: true })`: rows without a gradient stay as they
 * are, and so do their running means, so that a step takes the time of the rows in it, not of the table. Options: `lr`
 * 1e-3, `betas` [0.9, 0.999], `eps` 1e-8, `maximize` false. Throws for dense gradients.
 *
 * ```ts
 * const words = new Embedding(1000, 16, { sparse: true });
 * const optimizer = new optim.SparseAdam(words.parameters(), { lr: 1e-2 });
 * words(tensor([5, 7], { dtype: 'int32' })).square().mean().backward();
 * optimizer.step();
 * optimizer.zeroGrad();
 * ```
 */
export class SparseAdam extends BuiltInOptimizer<SparseAdamOptions, Partial<State>> {
  /** @internal */
  protected static override readonly optionKinds = { betas: decayRates };

  constructor(
    params: Iterable<Tensor> | Iterable<ParamGroup<SparseAdamOptions>>,
    options?: Partial<SparseAdamOptions>,
  ) {
    super(params, { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, maximize: false }, options);
  }

  protected override memory(): MemoryKinds {
    return { step: 'number', expAvg: 'tensor', expAvgSq: 'tensor' };
  }

  protected override checkGradient(grad: Tensor): void {
    if (!isSparse(grad))
      throw new TypeError(
        `SparseAdam.step: takes sparse gradients, got a dense one of shape ${shapeText(grad)}; use Adam for this parameter`,
      );
  }

  override [rule](p: Tensor, grad: Tensor, memory: Partial<State>, group: Group<SparseAdamOptions>): void {
    memory.step = (memory.step ?? 0) + 1;
    memory.expAvg ??= memoryFor(p);
    memory.expAvgSq ??= memoryFor(p);
    const { step, expAvg, expAvgSq } = memory as State;
    const { lr, eps, maximize } = group;
    const [beta1, beta2] = group.betas;
    const rate = (lr * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step);
    applyStep(sparseAdamRule, p, grad, [expAvg, expAvgSq], [maximize ? -1 : 1, beta1, beta2, rate, eps]);
  }
}

// Adam's own rule adds eps after the correction of the root, this one before.
const sparseAdamRule: StepRule = {
  name: 'sparseAdam',
  loop(w, g, [m, v], [sign, beta1, beta2, rate, eps]) {
    for (let i = 0; i < w.length; i++) {
      const d = sign! * g[i]!;
      m![i] = m![i]! + (1 - beta1!) * (d - m![i]!);
      v![i] = v![i]! + (1 - beta2!) * (d * d - v![i]!);
      w[i] = w[i]! - (rate! * m![i]!) / (Math.sqrt(v![i]!) + eps!);
    }
  },
};
