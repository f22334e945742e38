import { noGrad, type Tensor, tensor, zeros } from '@gradgate/core';
import { check, is } from '@gradgate/core/internal';
import { notAState } from '../notAState.js';

/** The functions that `sync` needs of ranks; the module `@gradgate/distributed` has them. */
export interface Ranks {
  /** The number of this rank. */
  rank(): number;
  /** The number of ranks. */
  worldSize(): number;
  /** Sums a tensor over all ranks, in place. */
  allReduce(t: Tensor): unknown;
}

/** The state of a metric. */
export interface MetricState {
  /** The sums so far. */
  values: number[];
}

/**
 * The base class of metrics: `update` adds a batch and returns the metric, and `compute` returns the value over all
 * batches since the last `reset`. Metrics keep plain numbers, never tensors, so they record nothing and hold no graph.
 * Flows that run at the same time need an instance each.
 *
 * A metric of your own says what it keeps in `values`, how the values of two instances are combined in `merge`, and its
 * value in `compute`.
 *
 * ```ts
 * const loss = new metrics.Mean();
 * for (const value of [1, 2, 6]) loss.update(value);
 * loss.compute(); // 3
 * loss.reset();
 * ```
 */
export abstract class Metric<V = number> {
  /** The state; empty before the first batch. */
  protected values: number[] = [];

  /** Returns the value over all batches since the last `reset`; throws if there were none. */
  abstract compute(): V;

  /** Adds the values of another instance with the same options to those of this one. */
  protected abstract merge(values: readonly number[]): void;

  /** Whether there was no batch since the last `reset`. */
  get isEmpty(): boolean {
    return this.values.length === 0;
  }

  /** Clears the state. */
  reset(): void {
    this.values = [];
  }

  /** Returns the state, for `loadStateDict` or `saveCheckpoint`. A snapshot. */
  stateDict(): MetricState {
    return { values: [...this.values] };
  }

  /** Restores the state of a metric with the same options. */
  loadStateDict(state: MetricState): void {
    const values: unknown = state?.values;
    if (!Array.isArray(values) || !values.every((v) => typeof v === 'number')) throw notAState(this.name, state);
    const before = this.values;
    this.values = [];
    try {
      if (values.length > 0) this.merge(values);
    } catch (error) {
      this.values = before;
      throw error;
    }
  }

  /** Adds the state of another instance with the same options to that of this one. */
  mergeState(state: MetricState): void {
    check(`${this.name}.mergeState`, 'values of the state', state?.values, is.arrayOf(is.number));
    if (state.values.length > 0) this.merge(state.values);
  }

  /**
   * Returns a metric over the batches of all ranks; this one stays as it is. All ranks must call it.
   *
   * @example
   * import * as distributed from '@gradgate/distributed';
   * const everywhere = accuracy.sync(distributed).compute();
   */
  sync(ranks: Ranks): this {
    for (const name of ['rank', 'worldSize', 'allReduce'] as const)
      check(`${this.name}.sync`, `${name} of the ranks`, ranks?.[name], is.callback);
    const all: this = Object.assign(Object.create(Object.getPrototypeOf(this)), this);
    all.values = [];
    noGrad.run(() => {
      const [rank, size] = [ranks.rank(), ranks.worldSize()];
      const gather = (length: number, at: number, values: readonly number[]): ArrayLike<number> => {
        const slots = new Float64Array(length);
        slots.set(values, at);
        const shared = length === 0 ? zeros([0], { dtype: 'float64' }) : tensor(slots, { dtype: 'float64' });
        if (length > 0) ranks.allReduce(shared);
        return shared.toTypedArray();
      };
      const lengths = Array.from(gather(size, rank, [this.values.length]));
      const starts = lengths.map((_, r) => lengths.slice(0, r).reduce((a, b) => a + b, 0));
      const values = Array.from(gather(starts.at(-1)! + lengths.at(-1)!, starts[rank]!, this.values));
      lengths.forEach((n, r) => {
        if (n > 0) all.merge(values.slice(starts[r]!, starts[r]! + n));
      });
    });
    return all;
  }

  /** The name of the class, for errors. */
  protected get name(): string {
    return this.constructor.name;
  }

  /** Throws if nothing has been added. */
  protected checkUpdated(): void {
    if (this.isEmpty)
      throw new TypeError(
        `${this.name}.compute: call update() first; there were no batches since the start or reset()`,
      );
  }
}

/** The base of metrics that keep sums, which are added to combine two instances. */
export abstract class SumMetric<V = number> extends Metric<V> {
  protected merge(values: readonly number[]): void {
    if (this.isEmpty) this.values = [...values];
    else if (values.length !== this.values.length)
      throw new TypeError(`${this.name}: ${values.length} values do not fit ${this.values.length}; the options differ`);
    else this.values = this.values.map((v, i) => v + values[i]!);
  }
}

/** Throws unless both are tensors of the same shape. */
export function checkSameShape(op: string, predictions: unknown, target: unknown): void {
  checkTensor(op, 'predictions', predictions);
  checkTensor(op, 'target', target);
  const [a, b] = [predictions as Tensor, target as Tensor].map((t) => t.shape.join(', '));
  if (a !== b) throw new TypeError(`${op}: predictions and target must have the same shape, got [${a}] and [${b}]`);
}

/** Throws unless `value` is a tensor. */
export function checkTensor(op: string, name: string, value: unknown): asserts value is Tensor {
  check(op, name, value, is.tensor);
}

/** Classes as numbers. */
export type Labels = ArrayLike<number>;

/** Throws for what is no class. */
export function checkLabels(op: string, labels: Labels, classes: number): void {
  for (let i = 0; i < labels.length; i++)
    if (!(Number.isInteger(labels[i]) && labels[i]! >= 0 && labels[i]! < classes))
      throw new RangeError(`${op}: labels must be whole numbers from 0 to ${classes - 1}, got ${labels[i]}`);
}
