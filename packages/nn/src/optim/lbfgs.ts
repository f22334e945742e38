import { DeviceError, enableGrad, noGrad, type Tensor, tensor } from '@gradgate/core';
import { heldGrad, is, show } from '@gradgate/core/internal';
import { isThenable } from '../promise.js';
import { checkGroups } from './groups.js';
import { dot, emptyMemory, type LBFGSMemory, readMemory, writeMemory } from './lbfgsMemory.js';
import { type Point, strongWolfe, type Tried } from './lineSearch.js';
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
  private memoryOfSteps: LBFGSMemory | null = null;

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
    checkGroups('LBFGS.step', this.paramGroups);
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
        const found = this.searchLine(memory, point, slope, evaluate);
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

  /** The point along the direction that the line search chooses. The parameters stay where they were. */
  private searchLine({ direction, length }: LBFGSMemory, start: Point, slope: number, evaluate: () => Point): Tried {
    const { params } = this.paramGroups[0]!;
    const before = noGrad.run(() => params.map((p) => p.clone()));
    return strongWolfe(start, slope, length, largest(direction), (tried) => {
      this.move(direction, tried);
      const point = evaluate();
      // Restored from a copy: moving back would leave rounding errors.
      noGrad.run(() => {
        params.forEach((p, i) => {
          p.copy_(before[i]!);
        });
      });
      return { ...point, slope: dot(point.gradient, direction) };
    });
  }

  /** The next direction: steepest descent, corrected by the curvature of past steps (two-loop recursion). */
  private chooseDirection(memory: LBFGSMemory, gradient: Float64Array, historySize: number): void {
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
    state.state[0] = writeMemory(memory);
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

function lossValue(loss: unknown): number {
  if (isThenable(loss))
    throw new TypeError(
      'LBFGS.step: the closure must be synchronous, as one step calls it several times; got one that returns a promise',
    );
  const value = typeof loss === 'number' ? loss : (loss as Partial<Tensor> | null)?.item?.();
  if (typeof value !== 'number') throw new TypeError(`LBFGS.step: the closure must return the loss, got ${show(loss)}`);
  return value;
}
