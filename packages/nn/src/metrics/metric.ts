import { noGrad, Tensor, tensor, zeros } from '@gradgate/core';
import { check, is, show } from '@gradgate/core/internal';

/** What is asked of ranks that measure together; the module `@gradgate/distributed` as a whole is one. */
export interface Ranks {
  rank(): number;
  worldSize(): number;
  /** Sums a tensor over all ranks, in place. */
  allReduce(t: Tensor): unknown;
}

/** What a metric has counted. */
export interface MetricState {
  values: number[];
}

/**
 * Base class of metrics: they add up batch by batch in `update`, and `compute` gives the figure of all batches since the
 * last `reset`. They keep plain numbers, never tensors: so nothing is recorded, whatever the mode, and no graph is held.
 * Flows that run at the same time each have an instance of their own.
 *
 * A metric of your own says what it keeps in `values`, how the values of two of them become one in `merge`, and the figure
 * in `compute`.
 *
 * ```ts
 * const loss = new metrics.Mean();
 * for (const value of [1, 2, 6]) loss.update(value);
 * loss.compute(); // 3
 * loss.reset();
 * ```
 */
export abstract class Metric<V = number> {
  /** All that is kept; empty before the first batch. */
  protected values: number[] = [];

  /** The figure of all batches since the last `reset`; throws where there were none. */
  abstract compute(): V;

  /** Puts what another instance, with the same options, has counted to what this one has. */
  protected abstract merge(values: readonly number[]): void;

  /** Whether there was no batch since the last `reset`. */
  get isEmpty(): boolean {
    return this.values.length === 0;
  }

  /** Forgets all batches. */
  reset(): void {
    this.values = [];
  }

  /** What has been counted, for `loadStateDict` or `saveCheckpoint`. A snapshot. */
  stateDict(): MetricState {
    return { values: [...this.values] };
  }

  /** Takes over what `stateDict()` of a metric with the same options told. */
  loadStateDict(state: MetricState): void {
    const values: unknown = state?.values;
    if (!Array.isArray(values) || !values.every((v) => typeof v === 'number'))
      throw new TypeError(`${this.name}.loadStateDict: takes what stateDict() gives, got ${show(state)}`);
    const before = this.values;
    this.values = [];
    try {
      if (values.length > 0) this.merge(values);
    } catch (error) {
      this.values = before;
      throw error;
    }
  }

  /** Puts what another instance, with the same options, has counted behind what this one has. */
  mergeState(state: MetricState): void {
    check(`${this.name}.mergeState`, 'values of the state', state?.values, is.arrayOf(is.number));
    if (state.values.length > 0) this.merge(state.values);
  }

  /**
   * A metric of what all ranks have counted, each its own batches; this one stays as it is. All ranks call it alike.
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

  protected get name(): string {
    return this.constructor.name;
  }

  protected checkUpdated(): void {
    if (this.isEmpty) throw new TypeError(`${this.name}.compute: there was no update() since the start or reset()`);
  }
}

/** A metric that keeps sums: those of two of them are added. */
export abstract class SumMetric<V = number> extends Metric<V> {
  protected merge(values: readonly number[]): void {
    if (this.isEmpty) this.values = [...values];
    else if (values.length !== this.values.length)
      throw new TypeError(`${this.name}: ${values.length} values do not fit ${this.values.length}; the options differ`);
    else this.values = this.values.map((v, i) => v + values[i]!);
  }
}

/** Refuses what is not two tensors of one shape. */
export function checkSame(op: string, predictions: unknown, target: unknown): void {
  checkTensor(op, 'predictions', predictions);
  checkTensor(op, 'target', target);
  const [a, b] = [predictions as Tensor, target as Tensor].map((t) => t.shape.join(', '));
  if (a !== b) throw new TypeError(`${op}: predictions have shape [${a}], target has [${b}]; they are of one shape`);
}

/** Refuses what is no tensor. */
export function checkTensor(op: string, name: string, value: unknown): asserts value is Tensor {
  if (!Tensor.is(value)) throw new TypeError(`${op}: ${name} is a Tensor, got ${show(value)}`);
}
