import { DeviceError, enableGrad, noGrad, Tensor, tensor } from '@gradgate/core';
import { heldGrad, is, show } from '@gradgate/core/internal';
import { isThenable } from '../plain.js';
import { type Point, strongWolfe } from './lineSearch.js';
import { type Group, Optimizer } from './optimizer.js';
import type { OptimizerState } from './state.js';

/** Options of `LBFGS`. */
export interface LBFGSOptions {
  /** The length of a step, or with a line search the first length that is tried; 1 by default. */
  lr: number;
  /** The largest number of iterations in one `step`; 20 by default. */
  maxIter: number;
  /** The largest number of calls of the closure in one `step`; `maxIter * 1.25` by default. */
  maxEval: number;
  /** Stop when no element of the gradient is larger; 1e-7 by default. */
  toleranceGrad: number;
  /** Stop when the loss or all parameters change by less; 1e-9 by default. */
  toleranceChange: number;
  /** The number of past steps from which the curvature is estimated; 100 by default. */
  historySize: number;
  /** The line search: null (the default) for steps of length `lr`, or 'strongWolfe'. */
  lineSearchFn: 'strongWolfe' | null;
}

/** The state between steps. */
interface Memory {
  iterations: number;
  evaluations: number;
  /** The last direction, step length and gradient. */
  direction: Float64Array;
  length: number;
  gradient: Float64Array;
  /** The loss before that step. */
  loss: number;
  /** The scale of the initial inverse curvature. */
  scale: number;
  /** Past changes of the parameters and of the gradient. */
  steps: Float64Array[];
  changes: Float64Array[];
}

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};
const largest = (a: Float64Array): number => a.reduce((m, v) => Math.max(m, Math.abs(v)), 0);

/**
 * Limited-memory BFGS (Nocedal, 1980). `step` takes a closure that clears the gradients, computes the loss, calls
 * `backward()` and returns the loss, and calls it several times. All parameters are in one group. Options: `lr` 1,
 * `maxIter` 20, `maxEval` 1.25 times that, `toleranceGrad` 1e-7, `toleranceChange` 1e-9, `historySize` 100,
 * `lineSearchFn` null or 'strongWolfe'. Works on the CPU only.
 *
 * ```ts
 * const x = tensor([-1, 2], { requiresGrad: true });
 * const optimizer = new optim.LBFGS([x], { lineSearchFn: 'strongWolfe' });
 * optimizer.step(() => {
 *   optimizer.zeroGrad();
 *   const loss = x.sub(3).square().sum();
 *   loss.backward();
 *   return loss;
 * });
 * x; // [3, 3]
 * ```
 */
export class LBFGS extends Optimizer<LBFGSOptions> {
  private memoryOfSteps: Memory | null = null;

  constructor(params: Iterable<Tensor>, options?: Partial<LBFGSOptions>) {
    // What is no number is refused below, by the kind of the default.
    const maxIter = is.nonNegative.is(options?.maxIter) ? options!.maxIter! : 20;
    super(
      params,
      {
        lr: 1,
        maxIter,
        maxEval: Math.floor((maxIter * 5) / 4),
        toleranceGrad: 1e-7,
        toleranceChange: 1e-9,
        historySize: 100,
        lineSearchFn: null,
      },
      options,
    );
  }

  protected override checkGroup(_group: Group<LBFGSOptions>): void {
    if (this.paramGroups.length > 0)
      throw new TypeError('LBFGS: works on all parameters together; pass one list, not groups');
  }

  protected update(): void {
    throw new TypeError(
      'LBFGS.step: needs a closure that clears the gradients, computes the loss, calls backward() and returns it',
    );
  }

  override step(): never;
  override step<R>(closure: () => R): R;
  override step<R>(closure?: () => R): R {
    if (typeof closure !== 'function') return this.update() as never;
    const group = this.paramGroups[0]!;
    const elsewhere = group.params.find(({ device }) => device !== 'cpu');
    if (elsewhere !== undefined)
      throw new DeviceError(
        'LBFGS.step',
        `computes on the CPU, got a parameter on ${elsewhere.device}; move the model with await toAsync('cpu')`,
      );
    this.checkNumbers();
    const { lr, maxIter, maxEval, toleranceGrad, toleranceChange, historySize, lineSearchFn } = group;
    let first: R | undefined;
    let evaluations = 0;
    const evaluate = (): Point => {
      const loss = enableGrad.run(closure);
      if (evaluations++ === 0) first = loss;
      return { value: lossValue(loss), gradient: this.flatGradient() };
    };
    let point = evaluate();
    this.memoryOfSteps ??= emptyMemory(point.gradient.length);
    const { memoryOfSteps: memory } = this;
    for (let n = 1; largest(point.gradient) > toleranceGrad; n++) {
      memory.iterations++;
      this.chooseDirection(memory, point.gradient, historySize);
      const { direction } = memory;
      const slope = dot(point.gradient, direction);
      const sum = point.gradient.reduce((a, v) => a + Math.abs(v), 0);
      memory.length = memory.iterations === 1 ? Math.min(1, 1 / sum) * lr : lr;
      memory.gradient = point.gradient;
      memory.loss = point.value;
      if (slope > -toleranceChange) break;
      const before = point.value;
      if (lineSearchFn === 'strongWolfe') {
        const { params } = group;
        const start = noGrad.run(() => params.map((p) => p.clone()));
        const found = strongWolfe(point, slope, memory.length, largest(direction), (length) => {
          this.move(direction, length);
          const tried = evaluate();
          // Restored from a copy: moving back would leave rounding errors.
          noGrad.run(() => {
            params.forEach((p, i) => {
              p.copy_(start[i]!);
            });
          });
          return { ...tried, slope: dot(tried.gradient, direction) };
        });
        memory.length = found.length;
        this.move(direction, found.length);
        point = found;
      } else {
        this.move(direction, memory.length);
        if (n < maxIter) point = evaluate();
      }
      if (n >= maxIter || evaluations >= maxEval) break;
      if (largest(direction) * Math.abs(memory.length) <= toleranceChange) break;
      if (Math.abs(point.value - before) < toleranceChange) break;
    }
    memory.evaluations += evaluations;
    return first!;
  }

  /** The next direction: steepest descent, corrected by the curvature of past steps (two-loop recursion). */
  private chooseDirection(memory: Memory, gradient: Float64Array, historySize: number): void {
    const { steps, changes } = memory;
    if (memory.iterations > 1) {
      const change = gradient.map((v, i) => v - memory.gradient[i]!);
      const step = memory.direction.map((v) => v * memory.length);
      const curvature = dot(change, step);
      if (curvature > 1e-10) {
        if (steps.length >= historySize) {
          steps.shift();
          changes.shift();
        }
        steps.push(step);
        changes.push(change);
        memory.scale = curvature / dot(change, change);
      }
    }
    const q = gradient.map((v) => -v);
    const weights = steps.map(() => 0);
    for (let k = steps.length - 1; k >= 0; k--) {
      const w = dot(steps[k]!, q) / dot(changes[k]!, steps[k]!);
      weights[k] = w;
      for (let i = 0; i < q.length; i++) q[i]! -= w * changes[k]![i]!;
    }
    for (let i = 0; i < q.length; i++) q[i]! *= memory.scale;
    for (let k = 0; k < steps.length; k++) {
      const w = weights[k]! - dot(changes[k]!, q) / dot(changes[k]!, steps[k]!);
      for (let i = 0; i < q.length; i++) q[i]! += w * steps[k]![i]!;
    }
    memory.direction = q;
  }

  private flatGradient(): Float64Array {
    const { params } = this.paramGroups[0]!;
    const flat = new Float64Array(params.reduce((n, p) => n + p.numel, 0));
    let at = 0;
    for (const p of params) {
      const grad = heldGrad(p);
      if (grad) flat.set(grad.toTypedArray(), at);
      at += p.numel;
    }
    return flat;
  }

  private move(direction: Float64Array, length: number): void {
    noGrad.run(() => {
      let at = 0;
      for (const p of this.paramGroups[0]!.params) {
        const part = direction.subarray(at, at + p.numel).map((v) => v * length);
        p.add_(tensor(part, { shape: p.shape }).to(p.dtype));
        at += p.numel;
      }
    });
  }

  override stateDict(): OptimizerState {
    const state = super.stateDict();
    const { memoryOfSteps: memory } = this;
    if (memory === null) return state;
    const ro = memory.steps.map((step, i) => 1 / dot(memory.changes[i]!, step));
    state.state[0] = {
      ...{ func_evals: memory.evaluations, n_iter: memory.iterations, t: memory.length, H_diag: memory.scale, ro },
      ...{ d: tensor(memory.direction), prev_flat_grad: tensor(memory.gradient), prev_loss: memory.loss },
      // In PyTorch's names, `old_dirs` are changes of the gradient and `old_stps` steps.
      ...{ old_dirs: memory.changes.map((v) => tensor(v)), old_stps: memory.steps.map((v) => tensor(v)) },
    };
    return state;
  }

  override loadStateDict(given: OptimizerState): void {
    const own = given?.state?.[0];
    const size = this.paramGroups[0]!.params.reduce((n, p) => n + p.numel, 0);
    const memory = own === undefined ? null : readMemory(own as Record<string, unknown>, size);
    super.loadStateDict({ ...given, state: {} });
    this.memoryOfSteps = memory;
  }
}

/** Reads a state, by PyTorch's names or those of earlier versions. */
function readMemory(own: Record<string, unknown>, size: number): Memory {
  const refuse = (name: string, what: string): never => {
    throw new TypeError(`LBFGS.loadStateDict: ${name} must be ${what}, got ${show(own[name])}`);
  };
  const named = (name: string, former: string): string => (name in own || !(former in own) ? name : former);
  const number = (name: string, former: string): number => {
    const key = named(name, former);
    const value = Tensor.is(own[key]) && own[key].numel === 1 ? own[key].item() : own[key];
    return typeof value === 'number' ? value : refuse(key, 'a number');
  };
  const isVector = (v: unknown): v is Tensor => Tensor.is(v) && v.ndim === 1 && v.numel === size;
  const vector = (name: string, former: string): Float64Array => {
    const key = named(name, former);
    const value = own[key];
    return isVector(value)
      ? Float64Array.from(value.detach().toTypedArray(), Number)
      : refuse(key, `a vector of ${size}`);
  };
  const rows = (name: string, former: string): Float64Array[] => {
    const key = named(name, former);
    const value = own[key];
    const list = Tensor.is(value) && value.ndim === 2 ? value.unbind(0) : value;
    return Array.isArray(list) && list.every(isVector)
      ? list.map((v: Tensor) => Float64Array.from(v.detach().toTypedArray(), Number))
      : refuse(key, `a list of vectors of ${size}`);
  };
  const [steps, changes] = [rows('old_stps', 'steps'), rows('old_dirs', 'changes')];
  if (steps.length !== changes.length) refuse('old_stps', `a list of ${changes.length} vectors, as old_dirs`);
  return {
    ...{ iterations: number('n_iter', 'iterations'), evaluations: number('func_evals', 'evaluations') },
    ...{ length: number('t', 'length'), scale: number('H_diag', 'scale') },
    loss: 'prev_loss' in own ? number('prev_loss', '') : Number.NaN,
    ...{ direction: vector('d', 'direction'), gradient: vector('prev_flat_grad', 'gradient') },
    ...{ steps, changes },
  };
}

const emptyMemory = (n: number): Memory => ({
  iterations: 0,
  evaluations: 0,
  direction: new Float64Array(n),
  length: 0,
  gradient: new Float64Array(n),
  loss: Number.NaN,
  scale: 1,
  steps: [],
  changes: [],
});

function lossValue(loss: unknown): number {
  if (isThenable(loss))
    throw new TypeError(
      'LBFGS.step: the closure must be synchronous, as one step calls it several times; got one that returns a promise',
    );
  const value = typeof loss === 'number' ? loss : (loss as Partial<Tensor> | null)?.item?.();
  if (typeof value !== 'number') throw new TypeError(`LBFGS.step: the closure must return the loss, got ${show(loss)}`);
  return value;
}
