import type { Tensor, TypedArray } from '@gradgate/core';
import { is, type StepRule } from '@gradgate/core/internal';
import { isSparse } from '@gradgate/core/sparse';
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

/** Options of `Adagrad`. */
export interface AdagradOptions {
  /** The learning rate; 0.01 by default. */
  lr: number;
  /** The decay of the learning rate, which is divided by `1 + steps * lrDecay`; 0 by default. */
  lrDecay: number;
  /** L2 penalty; 0 by default. */
  weightDecay: number;
  /** What the sums of squares start from; 0 by default. */
  initialAccumulatorValue: number;
  /** Added to the denominator; 1e-10 by default. */
  eps: number;
  /** Whether to maximize the objective; false by default. */
  maximize: boolean;
}

/**
 * Adagrad (Duchi et al., 2011): divides each step by the root of the sum of all squared gradients so far. Options: `lr`
 * 0.01, `lrDecay` 0, `weightDecay` 0, `initialAccumulatorValue` 0, `eps` 1e-10, `maximize` false. Takes sparse
 * gradients, without `weightDecay`: only their rows change.
 *
 * ```ts
 * const model = new Linear(3, 1);
 * const optimizer = new optim.Adagrad(model.parameters(), { lr: 0.01 });
 * model(randn([4, 3])).square().mean().backward();
 * optimizer.step();
 * optimizer.zeroGrad();
 * ```
 */
export class Adagrad extends BuiltInOptimizer<AdagradOptions, { step?: number; sum?: Tensor }> {
  constructor(params: Iterable<Tensor> | Iterable<ParamGroup<AdagradOptions>>, options?: Partial<AdagradOptions>) {
    super(
      params,
      {
        lr: 0.01,
        lrDecay: 0,
        weightDecay: 0,
        initialAccumulatorValue: 0,
        eps: 1e-10,
        maximize: false,
      },
      options,
    );
  }

  protected override memory(): MemoryKinds {
    return { step: 'number', sum: 'tensor' };
  }

  protected override checkGradient(grad: Tensor, { weightDecay }: Group<AdagradOptions>): void {
    if (isSparse(grad)) checkNoDecay('Adagrad', weightDecay);
  }

  override [rule](p: Tensor, grad: Tensor, state: { step?: number; sum?: Tensor }, group: Group<AdagradOptions>): void {
    const { lr, lrDecay, weightDecay, eps, maximize } = group;
    state.step = (state.step ?? 0) + 1;
    state.sum ??= memoryFor(p, group.initialAccumulatorValue);
    const rate = lr / (1 + (state.step - 1) * lrDecay);
    applyStep(adagradRule, p, grad, [state.sum], [maximize ? -1 : 1, weightDecay, rate, eps]);
  }
}

const adagradRule: StepRule = {
  name: 'adagrad',
  loop(w, g, [memory], [sign, weightDecay, rate, eps]) {
    const sum = memory!;
    for (let i = 0; i < w.length; i++) {
      const d = directed(sign!, g[i]!, weightDecay!, w[i]!);
      sum[i]! += d * d;
      w[i] = w[i]! - (rate! * d) / (Math.sqrt(sum[i]!) + eps!);
    }
  },
};

/** Options of `Adadelta`. */
export interface AdadeltaOptions {
  /** The factor of a step; 1 by default. */
  lr: number;
  /** The decay rate of the running means; 0.9 by default. */
  rho: number;
  /** Added under the roots; 1e-6 by default. */
  eps: number;
  /** L2 penalty; 0 by default. */
  weightDecay: number;
  /** Whether to maximize the objective; false by default. */
  maximize: boolean;
}

/**
 * Adadelta (Zeiler, 2012): scales each step by the root mean square of previous steps over that of gradients, so that
 * it needs no learning rate. Options: `lr` 1, `rho` 0.9, `eps` 1e-6, `weightDecay` 0, `maximize` false.
 *
 * ```ts
 * const model = new Linear(3, 1);
 * const optimizer = new optim.Adadelta(model.parameters(), { rho: 0.95 });
 * model(randn([4, 3])).square().mean().backward();
 * optimizer.step();
 * optimizer.zeroGrad();
 * ```
 */
export class Adadelta extends BuiltInOptimizer<AdadeltaOptions, { squareAvg?: Tensor; accDelta?: Tensor }> {
  /** @internal */
  protected static override readonly optionKinds = { rho: is.probability };

  constructor(params: Iterable<Tensor> | Iterable<ParamGroup<AdadeltaOptions>>, options?: Partial<AdadeltaOptions>) {
    super(params, { lr: 1, rho: 0.9, eps: 1e-6, weightDecay: 0, maximize: false }, options);
  }

  protected override memory(): MemoryKinds {
    return { squareAvg: 'tensor', accDelta: 'tensor' };
  }

  override [rule](
    p: Tensor,
    grad: Tensor,
    state: { squareAvg?: Tensor; accDelta?: Tensor },
    group: Group<AdadeltaOptions>,
  ): void {
    const { lr, rho, eps, weightDecay, maximize } = group;
    state.squareAvg ??= memoryFor(p);
    state.accDelta ??= memoryFor(p);
    applyStep(adadeltaRule, p, grad, [state.squareAvg, state.accDelta], [maximize ? -1 : 1, weightDecay, lr, rho, eps]);
  }
}

const adadeltaRule: StepRule = {
  name: 'adadelta',
  loop(w, g, memory, [sign, weightDecay, lr, rho, eps]) {
    const [v, u] = memory as [TypedArray, TypedArray];
    for (let i = 0; i < w.length; i++) {
      const d = directed(sign!, g[i]!, weightDecay!, w[i]!);
      v[i] = rho! * v[i]! + (1 - rho!) * d * d;
      const move = (Math.sqrt(u[i]! + eps!) / Math.sqrt(v[i]! + eps!)) * d;
      u[i] = rho! * u[i]! + (1 - rho!) * move * move;
      w[i] = w[i]! - lr! * move;
    }
  },
};
