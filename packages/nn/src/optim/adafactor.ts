import { type Tensor, zeros } from '@gradgate/core';
import { show } from '@gradgate/core/internal';
import { BuiltInOptimizer, type Group, type MemoryKinds, type ParamGroup, rule } from './optimizer.js';

/** Options of `Adafactor`. */
export interface AdafactorOptions {
  /** The largest learning rate; from some step on it is one over the root of the number of steps. 0.01 by default. */
  lr: number;
  /** The exponent `e` by which a step weighs `step ** e` in the means of squares; -0.8 by default, at most 0. */
  beta2Decay: number;
  /**
   * The smallest root mean square of gradients (null for the dtype's machine epsilon), and of weights; [null, 1e-3] by
   * default.
   */
  eps: readonly [number | null, number];
  /** The largest root mean square of a step before it is scaled down; 1 by default, and at least 1. */
  d: number;
  /** Decoupled weight decay; 0 by default. */
  weightDecay: number;
  /** Whether to maximize the objective; false by default. */
  maximize: boolean;
}

interface State {
  step?: number;
  rowVar?: Tensor;
  colVar?: Tensor;
  variance?: Tensor;
}

/**
 * Adafactor (Shazeer and Stern, 2018): steps relative to the size of the weights. For a matrix it stores mean squares
 * of rows and columns only, a fraction of Adam's memory. Options: `lr` 0.01, `beta2Decay` -0.8, `eps` [null, 1e-3], `d`
 * 1, `weightDecay` 0, `maximize` false.
 *
 * ```ts
 * const model = new Linear(3, 2);
 * const optimizer = new optim.Adafactor(model.parameters(), { lr: 0.01 });
 * model(randn([4, 3])).square().mean().backward();
 * optimizer.step();
 * ```
 */
export class Adafactor extends BuiltInOptimizer<AdafactorOptions, State> {
  constructor(params: Iterable<Tensor> | Iterable<ParamGroup<AdafactorOptions>>, options?: Partial<AdafactorOptions>) {
    const defaults = { lr: 0.01, beta2Decay: -0.8, eps: [null, 1e-3] as const, d: 1, weightDecay: 0, maximize: false };
    super(params, defaults, options);
  }

  protected override checkGroup({ beta2Decay, d }: Group<AdafactorOptions>): void {
    if (!(beta2Decay <= 0)) throw new RangeError(`Adafactor: beta2Decay must be at most 0, got ${show(beta2Decay)}`);
    if (!(d >= 1)) throw new RangeError(`Adafactor: d must be at least 1, got ${show(d)}`);
  }

  protected override memory(_: Group<AdafactorOptions>, p: Tensor): MemoryKinds {
    if (p.ndim < 2) return { step: 'number', variance: 'tensor' };
    const [lead, rows, columns] = [p.shape.slice(0, -2), p.shape.at(-2)!, p.shape.at(-1)!];
    return { step: 'number', rowVar: [...lead, rows, 1], colVar: [...lead, 1, columns] };
  }

  override [rule](p: Tensor, gradient: Tensor, state: State, group: Group<AdafactorOptions>): void {
    const { lr, beta2Decay, d, weightDecay, maximize } = group;
    const [given, smallest] = group.eps;
    const eps = given ?? (p.dtype === 'float64' ? Number.EPSILON : 2 ** -23);
    const grad = maximize ? gradient.neg() : gradient;
    const step = (state.step ?? 0) + 1;
    const share = step ** beta2Decay;
    // Tensors rather than numbers: some devices can only be read asynchronously.
    const size = (x: Tensor) => x.norm().div(Math.sqrt(x.numel));
    const rate = size(p)
      .clamp(smallest)
      .mul(Math.min(lr, 1 / Math.sqrt(step)));
    const estimate = this.estimate(grad, state, share, eps);
    const update = grad.mul(estimate.clamp(eps * eps).rsqrt());
    const limit = size(update).div(d).clamp(1);
    if (weightDecay !== 0) p.mul_(1 - lr * weightDecay);
    p.sub_(update.mul(rate.div(limit)));
    state.step = step;
  }

  /** The mean squares of the gradient; for a matrix, estimated from those of rows and columns. */
  private estimate(grad: Tensor, state: State, share: number, eps: number): Tensor {
    const { dtype, device } = grad;
    const start = (shape: readonly number[]) => zeros([...shape], { dtype, device });
    const squares = grad.square();
    if (grad.ndim < 2) {
      state.variance ??= start(grad.shape);
      return state.variance.lerp_(squares, share);
    }
    const rows = squares.mean(-1, { keepdim: true });
    const columns = squares.mean(-2, { keepdim: true });
    state.rowVar ??= start(rows.shape);
    state.colVar ??= start(columns.shape);
    state.rowVar.lerp_(rows, share);
    state.colVar.lerp_(columns, share);
    return state.rowVar.mul(state.colVar).div(state.rowVar.mean(-2, { keepdim: true }).clamp(eps));
  }
}
