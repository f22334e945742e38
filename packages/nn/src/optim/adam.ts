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

/** Options of `Adam` and `AdamW`. */
export interface AdamOptions {
  /** The learning rate; 1e-3 by default. */
  lr: number;
  /** The decay rates of the running means of the gradient and of its square; [0.9, 0.999] by default. */
  betas: readonly [number, number];
  /** Added to the denominator; 1e-8 by default. */
  eps: number;
  /** L2 penalty in Adam, 0 by default; decoupled weight decay in AdamW, 0.01 by default. */
  weightDecay: number;
  /** Whether to divide by the largest mean square so far (Reddi et al., 2018); false by default. */
  amsgrad: boolean;
  /** Whether to maximize the objective; false by default. */
  maximize: boolean;
}

interface State {
  step: number;
  expAvg: Tensor;
  expAvgSq: Tensor;
  maxExpAvgSq?: Tensor;
}

interface BiasCorrection {
  readonly step: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly first: number;
  readonly second: number;
}

/**
 * Adam (Kingma and Ba, 2015): steps by the running mean of the gradient, divided by the root of the running mean of its
 * square. Options: `lr` 1e-3, `betas` [0.9, 0.999], `eps` 1e-8, `weightDecay` 0, `amsgrad` false, `maximize` false.
 *
 * ```ts
 * const model = new Linear(3, 1);
 * const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
 * model(randn([4, 3])).square().mean().backward();
 * optimizer.step();
 * optimizer.zeroGrad();
 * ```
 */
export class Adam extends BuiltInOptimizer<AdamOptions, Partial<State>> {
  /** @internal */
  protected static override readonly optionKinds = { betas: decayRates };
  /** The default of `weightDecay`. */
  protected static readonly weightDecay: number = 0;
  /** Whether weight decay acts on the weights rather than on the gradient. */
  protected readonly decoupled: boolean = false;
  private bias: BiasCorrection = { step: 0, beta1: 0, beta2: 0, first: 0, second: 0 };

  constructor(params: Iterable<Tensor> | Iterable<ParamGroup<AdamOptions>>, options?: Partial<AdamOptions>) {
    super(
      params,
      {
        lr: 1e-3,
        betas: [0.9, 0.999],
        eps: 1e-8,
        weightDecay: new.target.weightDecay,
        amsgrad: false,
        maximize: false,
      },
      options,
    );
  }

  protected override memory({ amsgrad }: Group<AdamOptions>): MemoryKinds {
    const always = { step: 'number', expAvg: 'tensor', expAvgSq: 'tensor' } as const;
    return amsgrad ? { ...always, maxExpAvgSq: 'tensor' } : always;
  }

  override [rule](p: Tensor, grad: Tensor, memory: Partial<State>, group: Group<AdamOptions>): void {
    memory.step = (memory.step ?? 0) + 1;
    memory.expAvg ??= memoryFor(p);
    memory.expAvgSq ??= memoryFor(p);
    if (group.amsgrad) memory.maxExpAvgSq ??= memoryFor(p);
    const { step, expAvg, expAvgSq, maxExpAvgSq } = memory as State;
    const { lr, eps, weightDecay, maximize } = group;
    const [beta1, beta2] = group.betas;
    const bias = this.biasAt(step, beta1, beta2);
    const keep = this.decoupled ? 1 - lr * weightDecay : 1;
    const penalty = this.decoupled ? 0 : weightDecay;
    const sign = maximize ? -1 : 1;
    const numbers = [keep, penalty, sign, beta1, beta2, lr / bias.first, 1 / Math.sqrt(bias.second), eps];
    if (maxExpAvgSq) applyStep(amsgradRule, p, grad, [expAvg, expAvgSq, maxExpAvgSq], numbers);
    else applyStep(adamRule, p, grad, [expAvg, expAvgSq], numbers);
  }

  /** The bias corrections at a step, since the means start from 0. Cached, as they are the same for all parameters. */
  private biasAt(step: number, beta1: number, beta2: number): BiasCorrection {
    const last = this.bias;
    if (last.step !== step || last.beta1 !== beta1 || last.beta2 !== beta2)
      this.bias = { step, beta1, beta2, first: 1 - beta1 ** step, second: 1 - beta2 ** step };
    return this.bias;
  }
}

const adamRule: StepRule = {
  name: 'adam',
  loop(w, g, memory, numbers) {
    // A loop for float32 only: V8 specializes a loop on the array types it has seen.
    if (w instanceof Float32Array && g instanceof Float32Array) adamLoop(w, g, memory[0]!, memory[1]!, numbers);
    else adamLoopOfAnyDtype(w, g, memory[0]!, memory[1]!, numbers);
  },
};

function adamLoop(w: TypedArray, g: TypedArray, m: TypedArray, v: TypedArray, numbers: readonly number[]): void {
  const [keep, penalty, sign, beta1, beta2, rate, correction, eps] = numbers as Eight;
  for (let i = 0; i < w.length; i++) {
    const x = w[i]! * keep;
    const d = directed(sign, g[i]!, penalty, x);
    m[i] = beta1 * m[i]! + (1 - beta1) * d;
    v[i] = beta2 * v[i]! + (1 - beta2) * d * d;
    w[i] = x - (rate * m[i]!) / (Math.sqrt(v[i]!) * correction + eps);
  }
}

const adamLoopOfAnyDtype: typeof adamLoop = (w, g, m, v, numbers) => {
  const [keep, penalty, sign, beta1, beta2, rate, correction, eps] = numbers as Eight;
  for (let i = 0; i < w.length; i++) {
    const x = w[i]! * keep;
    const d = directed(sign, g[i]!, penalty, x);
    m[i] = beta1 * m[i]! + (1 - beta1) * d;
    v[i] = beta2 * v[i]! + (1 - beta2) * d * d;
    w[i] = x - (rate * m[i]!) / (Math.sqrt(v[i]!) * correction + eps);
  }
};

type Eight = readonly [number, number, number, number, number, number, number, number];

const amsgradRule: StepRule = {
  name: 'amsgrad',
  loop(w, g, memory, numbers) {
    const [keep, penalty, sign, beta1, beta2, rate, correction, eps] = numbers as Eight;
    const [m, v, top] = memory as [TypedArray, TypedArray, TypedArray];
    for (let i = 0; i < w.length; i++) {
      const x = w[i]! * keep;
      const d = directed(sign, g[i]!, penalty, x);
      m[i] = beta1 * m[i]! + (1 - beta1) * d;
      v[i] = beta2 * v[i]! + (1 - beta2) * d * d;
      if (v[i]! > top[i]!) top[i] = v[i]!;
      w[i] = x - (rate * m[i]!) / (Math.sqrt(top[i]!) * correction + eps);
    }
  },
};

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter, 2019): the decay does not go through the gradient.
 * `weightDecay` is 0.01 by default; other options as for `Adam`.
 *
 * ```ts
 * const model = new Linear(3, 1);
 * const optimizer = new optim.AdamW(model.parameters(), { lr: 1e-3, weightDecay: 0.1 });
 * model(randn([4, 3])).square().mean().backward();
 * optimizer.step();
 * optimizer.zeroGrad();
 * ```
 */
export class AdamW extends Adam {
  protected override readonly decoupled = true;
  protected static override readonly weightDecay = 0.01;
}
