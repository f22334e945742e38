import type { Tensor } from '@gradgate/core';
import { adamStep } from '@gradgate/core/kernels';
import { stepByKernel } from './kernel.js';
import { type Group, memoryFor, Optimizer, type ParamGroup, updateElements } from './optimizer.js';

export interface AdamOptions {
  /** Learning rate. */
  lr: number;
  /** Decay rates of the means of the gradient and of its square. */
  betas: readonly [number, number];
  /** Added to the denominator. */
  eps: number;
  /** L2 penalty in Adam, decoupled decay in AdamW. */
  weightDecay: number;
  /** Divide by the largest mean square so far (Reddi et al., 2018). */
  amsgrad: boolean;
  maximize: boolean;
}

interface State {
  step: number;
  expAvg: Tensor;
  expAvgSq: Tensor;
  maxExpAvgSq?: Tensor;
}

/** Fewer elements are stepped faster in JavaScript. */
const kernelFrom = 256;

/** Adam (Kingma and Ba, 2015). */
export class Adam extends Optimizer<AdamOptions, Partial<State>> {
  /** Whether weight decay acts on the weights themselves. */
  protected readonly decoupled: boolean = false;
  protected override readonly keepsGradient = false;

  constructor(params: Iterable<Tensor> | Iterable<ParamGroup<AdamOptions>>, options: Partial<AdamOptions> = {}) {
    super(params, {
      lr: 1e-3,
      betas: [0.9, 0.999],
      eps: 1e-8,
      weightDecay: 0,
      amsgrad: false,
      maximize: false,
      ...options,
    });
  }

  protected update(p: Tensor, grad: Tensor, memory: Partial<State>, group: Group<AdamOptions>): void {
    memory.step = (memory.step ?? 0) + 1;
    memory.expAvg ??= memoryFor(p);
    memory.expAvgSq ??= memoryFor(p);
    if (group.amsgrad) memory.maxExpAvgSq ??= memoryFor(p);
    const { step, expAvg, expAvgSq, maxExpAvgSq } = memory as State;
    const { lr, eps, weightDecay, maximize } = group;
    const [beta1, beta2] = group.betas;
    const rate = lr / (1 - beta1 ** step);
    const correction = 1 / Math.sqrt(1 - beta2 ** step);
    const keep = this.decoupled ? 1 - lr * weightDecay : 1;
    const penalty = this.decoupled ? 0 : weightDecay;
    // One pass over the parameter and its memory, rather than a dozen over temporaries.
    updateElements(p, grad, (w, g) => {
      const [first, second] = [expAvg.storage.data, expAvgSq.storage.data];
      if (w instanceof Float32Array && g instanceof Float32Array && !maxExpAvgSq && w.length >= kernelFrom) {
        const constants = { keep, penalty, sign: maximize ? -1 : 1, beta1, beta2, rate, correction, eps } as const;
        adamStep(w, g, first as Float32Array, second as Float32Array, constants);
        return;
      }
      const m = expAvg.storage.data;
      const v = expAvgSq.storage.data;
      const top = maxExpAvgSq?.storage.data;
      const numbers = [keep, penalty, maximize ? -1 : 1, beta1, beta2, rate, correction, eps];
      if (top && stepByKernel('amsgrad', w, g, [m, v, top], numbers)) return;
      for (let i = 0; i < w.length; i++) {
        const x = w[i]! * keep;
        const d = (maximize ? -g[i]! : g[i]!) + penalty * x;
        m[i] = beta1 * m[i]! + (1 - beta1) * d;
        v[i] = beta2 * v[i]! + (1 - beta2) * d * d;
        let square = v[i]!;
        if (top) {
          if (square > top[i]!) top[i] = square;
          square = top[i]!;
        }
        w[i] = x - (rate * m[i]!) / (Math.sqrt(square) * correction + eps);
      }
    });
  }
}

/** Adam whose weight decay does not go through the gradient (Loshchilov and Hutter, 2019); 0.01 by default. */
export class AdamW extends Adam {
  protected override readonly decoupled = true;

  constructor(params: Iterable<Tensor> | Iterable<ParamGroup<AdamOptions>>, options: Partial<AdamOptions> = {}) {
    super(params, { weightDecay: 0.01, ...options });
  }
}
