import type { Tensor, TypedArray } from '@gradgate/core';
import type { StepRule } from '@gradgate/core/internal';
import {
  applyStep,
  BuiltInOptimizer,
  decayRates,
  directed,
  type Group,
  type MemoryKinds,
  memoryFor,
  type ParamGroup,
  rule,
} from './optimizer.js';

type Two = readonly [TypedArray, TypedArray];
type Numbers<N extends number, All extends number[] = []> = All['length'] extends N
  ? All
  : Numbers<N, [...All, number]>;

interface Moments {
  step?: number;
  expAvg?: Tensor;
  expAvgSq?: Tensor;
  expInf?: Tensor;
  muProduct?: number;
}

/** Options of `Adamax` and `RAdam`, which those of `NAdam` and `Lion` are made of. */
export interface MomentOptions {
  /** The learning rate; by default 1e-3 in RAdam, 2e-3 in Adamax and NAdam, 1e-4 in Lion. */
  lr: number;
  /** The decay rates of the two running means; [0.9, 0.999] by default, in Lion [0.9, 0.99]. */
  betas: readonly [number, number];
  /** Added to the denominator; 1e-8 by default. */
  eps: number;
  /** L2 penalty, in Lion decoupled weight decay; 0 by default. */
  weightDecay: number;
  /** Whether to maximize the objective; false by default. */
  maximize: boolean;
}

/** Counts the step, makes the moments at the first one, and returns them. */
function momentsOf(
  p: Tensor,
  state: Moments,
  second: 'expAvgSq' | 'expInf' = 'expAvgSq',
): { step: number; m: Tensor; v: Tensor } {
  state.step = (state.step ?? 0) + 1;
  state.expAvg ??= memoryFor(p);
  state[second] ??= memoryFor(p);
  return { step: state.step, m: state.expAvg, v: state[second] };
}

/**
 * Adamax (Kingma and Ba, 2015): Adam with a decaying maximum of the gradient's size in place of its mean square.
 * Options: `lr` 2e-3, `betas` [0.9, 0.999], `eps` 1e-8, `weightDecay` 0, `maximize` false.
 *
 * ```ts
 * const model = new Linear(3, 1);
 * const optimizer = new optim.Adamax(model.parameters(), { lr: 2e-3 });
 * model(randn([4, 3])).square().mean().backward();
 * optimizer.step();
 * optimizer.zeroGrad();
 * ```
 */
export class Adamax extends BuiltInOptimizer<MomentOptions, Moments> {
  /** @internal */
  protected static override readonly optionKinds = { betas: decayRates };

  constructor(params: Iterable<Tensor> | Iterable<ParamGroup<MomentOptions>>, options?: Partial<MomentOptions>) {
    super(params, { lr: 2e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, maximize: false }, options);
  }

  protected override memory(): MemoryKinds {
    return { step: 'number', expAvg: 'tensor', expInf: 'tensor' };
  }

  override [rule](
    p: Tensor,
    grad: Tensor,
    state: Moments,
    { lr, betas: [beta1, beta2], eps, weightDecay, maximize }: Group<MomentOptions>,
  ): void {
    const { step, m, v } = momentsOf(p, state, 'expInf');
    const numbers = [maximize ? -1 : 1, weightDecay, beta1, beta2, lr / (1 - beta1 ** step), eps];
    applyStep(adamaxRule, p, grad, [m, v], numbers);
  }
}

const adamaxRule: StepRule = {
  name: 'adamax',
  loop(w, g, memory, numbers) {
    const [sign, weightDecay, beta1, beta2, rate, eps] = numbers as Numbers<6>;
    const [mean, norm] = memory as Two;
    for (let i = 0; i < w.length; i++) {
      const d = directed(sign, g[i]!, weightDecay, w[i]!);
      mean[i] = beta1 * mean[i]! + (1 - beta1) * d;
      norm[i] = Math.max(beta2 * norm[i]!, Math.abs(d) + eps);
      w[i] = w[i]! - (rate * mean[i]!) / norm[i]!;
    }
  },
};

/** Options of `NAdam`. */
export interface NAdamOptions extends MomentOptions {
  /** How fast the momentum reaches its full value; 4e-3 by default. */
  momentumDecay: number;
}

/**
 * NAdam (Dozat, 2016): Adam with Nesterov's momentum. Options: `lr` 2e-3, `betas` [0.9, 0.999], `eps` 1e-8,
 * `weightDecay` 0, `momentumDecay` 4e-3, `maximize` false.
 *
 * ```ts
 * const model = new Linear(3, 1);
 * const optimizer = new optim.NAdam(model.parameters(), { lr: 2e-3 });
 * model(randn([4, 3])).square().mean().backward();
 * optimizer.step();
 * optimizer.zeroGrad();
 * ```
 */
export class NAdam extends BuiltInOptimizer<NAdamOptions, Moments> {
  /** @internal */
  protected static override readonly optionKinds = { betas: decayRates };

  constructor(params: Iterable<Tensor> | Iterable<ParamGroup<NAdamOptions>>, options?: Partial<NAdamOptions>) {
    super(
      params,
      {
        lr: 2e-3,
        betas: [0.9, 0.999],
        eps: 1e-8,
        weightDecay: 0,
        momentumDecay: 4e-3,
        maximize: false,
      },
      options,
    );
  }

  protected override memory(): MemoryKinds {
    return { step: 'number', expAvg: 'tensor', expAvgSq: 'tensor', muProduct: 'number' };
  }

  override [rule](p: Tensor, grad: Tensor, state: Moments, group: Group<NAdamOptions>): void {
    const {
      lr,
      betas: [beta1, beta2],
      eps,
      weightDecay,
      momentumDecay,
      maximize,
    } = group;
    const { step, m, v } = momentsOf(p, state);
    const mu = beta1 * (1 - 0.5 * 0.96 ** (step * momentumDecay));
    const muNext = beta1 * (1 - 0.5 * 0.96 ** ((step + 1) * momentumDecay));
    state.muProduct = (state.muProduct ?? 1) * mu;
    const ofGradient = (lr * (1 - mu)) / (1 - state.muProduct);
    const ofMean = (lr * muNext) / (1 - state.muProduct * muNext);
    const correction = 1 - beta2 ** step;
    const numbers = [maximize ? -1 : 1, weightDecay, beta1, beta2, ofGradient, ofMean, correction, eps];
    applyStep(nadamRule, p, grad, [m, v], numbers);
  }
}

const nadamRule: StepRule = {
  name: 'nadam',
  loop(w, g, memory, numbers) {
    const [sign, weightDecay, beta1, beta2, ofGradient, ofMean, correction, eps] = numbers as Numbers<8>;
    const [mean, square] = memory as Two;
    for (let i = 0; i < w.length; i++) {
      const d = directed(sign, g[i]!, weightDecay, w[i]!);
      mean[i] = beta1 * mean[i]! + (1 - beta1) * d;
      square[i] = beta2 * square[i]! + (1 - beta2) * d * d;
      const denominator = Math.sqrt(square[i]! / correction) + eps;
      w[i] = w[i]! - (ofGradient * d + ofMean * mean[i]!) / denominator;
    }
  },
};

/**
 * RAdam (Liu et al., 2020): Adam whose first steps are scaled down while the variance of its mean squares is high.
 * Options: `lr` 1e-3, `betas` [0.9, 0.999], `eps` 1e-8, `weightDecay` 0, `maximize` false.
 *
 * ```ts
 * const model = new Linear(3, 1);
 * const optimizer = new optim.RAdam(model.parameters(), { lr: 1e-3 });
 * model(randn([4, 3])).square().mean().backward();
 * optimizer.step();
 * optimizer.zeroGrad();
 * ```
 */
export class RAdam extends BuiltInOptimizer<MomentOptions, Moments> {
  /** @internal */
  protected static override readonly optionKinds = { betas: decayRates };

  constructor(params: Iterable<Tensor> | Iterable<ParamGroup<MomentOptions>>, options?: Partial<MomentOptions>) {
    super(params, { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, maximize: false }, options);
  }

  protected override memory(): MemoryKinds {
    return { step: 'number', expAvg: 'tensor', expAvgSq: 'tensor' };
  }

  override [rule](
    p: Tensor,
    grad: Tensor,
    state: Moments,
    { lr, betas: [beta1, beta2], eps, weightDecay, maximize }: Group<MomentOptions>,
  ): void {
    const { step, m, v } = momentsOf(p, state);
    const correction1 = 1 - beta1 ** step;
    const correction2 = 1 - beta2 ** step;
    const longest = 2 / (1 - beta2) - 1;
    const length = longest - (2 * step * beta2 ** step) / correction2;
    const rectified =
      length > 5
        ? Math.sqrt(((length - 4) * (length - 2) * longest) / ((longest - 4) * (longest - 2) * length)) *
          Math.sqrt(correction2)
        : 0;
    applyStep(
      radamRule,
      p,
      grad,
      [m, v],
      [maximize ? -1 : 1, weightDecay, beta1, beta2, lr, correction1, rectified, eps],
    );
  }
}

const radamRule: StepRule = {
  name: 'radam',
  loop(w, g, memory, numbers) {
    const [sign, weightDecay, beta1, beta2, lr, correction, rectified, eps] = numbers as Numbers<8>;
    const [mean, square] = memory as Two;
    for (let i = 0; i < w.length; i++) {
      const d = directed(sign, g[i]!, weightDecay, w[i]!);
      mean[i] = beta1 * mean[i]! + (1 - beta1) * d;
      square[i] = beta2 * square[i]! + (1 - beta2) * d * d;
      const adapted = rectified === 0 ? 1 : rectified / (Math.sqrt(square[i]!) + eps);
      w[i] = w[i]! - (lr * mean[i]! * adapted) / correction;
    }
  },
};

/** Options of `Lion`. */
export type LionOptions = Omit<MomentOptions, 'eps'>;

/**
 * Lion (Chen et al., 2023): steps of constant size, by the sign of the momentum. Options: `lr` 1e-4, `betas` [0.9,
 * 0.99], `weightDecay` 0 (decoupled), `maximize` false.
 *
 * ```ts
 * const model = new Linear(3, 1);
 * const optimizer = new optim.Lion(model.parameters(), { lr: 1e-4 });
 * model(randn([4, 3])).square().mean().backward();
 * optimizer.step();
 * optimizer.zeroGrad();
 * ```
 */
export class Lion extends BuiltInOptimizer<LionOptions, Moments> {
  /** @internal */
  protected static override readonly optionKinds = { betas: decayRates };

  constructor(params: Iterable<Tensor> | Iterable<ParamGroup<LionOptions>>, options?: Partial<LionOptions>) {
    super(params, { lr: 1e-4, betas: [0.9, 0.99], weightDecay: 0, maximize: false }, options);
  }

  protected override memory(): MemoryKinds {
    return { expAvg: 'tensor' };
  }

  override [rule](
    p: Tensor,
    grad: Tensor,
    state: Moments,
    { lr, betas: [beta1, beta2], weightDecay, maximize }: Group<LionOptions>,
  ): void {
    state.expAvg ??= memoryFor(p);
    applyStep(lionRule, p, grad, [state.expAvg], [maximize ? -1 : 1, 1 - lr * weightDecay, lr, beta1, beta2]);
  }
}

const lionRule: StepRule = {
  name: 'lion',
  loop(w, g, [memory], numbers) {
    const [sign, keep, lr, beta1, beta2] = numbers as Numbers<5>;
    const mean = memory!;
    for (let i = 0; i < w.length; i++) {
      const d = sign * g[i]!;
      const direction = Math.sign(beta1 * mean[i]! + (1 - beta1) * d);
      w[i] = w[i]! * keep - lr * direction;
      mean[i] = beta2 * mean[i]! + (1 - beta2) * d;
    }
  },
};
