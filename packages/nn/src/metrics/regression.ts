import { logSoftmax, noGrad, type Tensor } from '@gradgate/core';
import { check, checkOptions, is } from '@gradgate/core/internal';
import { shapeText } from '../shapeText.js';
import { checkSameShape, checkTensor, Metric, SumMetric } from './metric.js';

/**
 * The mean of numbers, such as losses. Each may have a weight, such as the size of its batch.
 *
 * ```ts
 * const average = new metrics.Mean();
 * average.update(1, 3);
 * average.update(5);
 * average.compute(); // 2
 * ```
 */
export class Mean extends SumMetric {
  /** Adds a number, or each element of a tensor. `weight` is 1 by default. */
  update(value: number | Tensor, weight = 1): this {
    check('Mean.update', 'weight', weight, is.nonNegative);
    check('Mean.update', 'value', value, is.either(is.number, is.tensor));
    const values = typeof value === 'number' ? [value] : value.toTypedArray();
    this.merge([weight * sum(values, (v) => v), weight * values.length]);
    return this;
  }

  compute(): number {
    this.checkUpdated();
    return this.values[0]! / this.values[1]!;
  }
}

/**
 * The mean squared error; with `root: true` its root (RMSE). Predictions and target have the same shape.
 *
 * ```ts
 * const error = new metrics.MeanSquaredError({ root: true });
 * error.update(tensor([0, 0]), tensor([3, 3]));
 * error.compute(); // 3
 * ```
 */
export class MeanSquaredError extends SumMetric {
  /** Whether it is the root of the mean. */
  readonly root: boolean;

  constructor(options: { root?: boolean } = {}) {
    super();
    this.root = checkOptions('MeanSquaredError', options, { root: is.boolean }).root ?? false;
  }

  /** Adds a batch of predictions and targets. */
  update(predictions: Tensor, target: Tensor): this {
    this.merge(differences('MeanSquaredError.update', predictions, target, (d) => d * d));
    return this;
  }

  compute(): number {
    this.checkUpdated();
    const mean = this.values[0]! / this.values[1]!;
    return this.root ? Math.sqrt(mean) : mean;
  }
}

/**
 * The mean absolute error. Predictions and target have the same shape.
 *
 * ```ts
 * const error = new metrics.MeanAbsoluteError();
 * error.update(tensor([0, 0]), tensor([1, 3]));
 * error.compute(); // 2
 * ```
 */
export class MeanAbsoluteError extends SumMetric {
  /** Adds a batch of predictions and targets. */
  update(predictions: Tensor, target: Tensor): this {
    this.merge(differences('MeanAbsoluteError.update', predictions, target, Math.abs));
    return this;
  }

  compute(): number {
    this.checkUpdated();
    return this.values[0]! / this.values[1]!;
  }
}

/**
 * R²: the fraction of the target's variance that the predictions explain, 1 at best, and 0 for always predicting the
 * mean. Takes `[N]` or `[N, outputs]`, where it is the mean over outputs. NaN for a single sample.
 *
 * ```ts
 * const r2 = new metrics.R2Score();
 * r2.update(tensor([1, 2, 3]), tensor([1, 2, 3]));
 * r2.compute(); // 1
 * ```
 */
export class R2Score extends Metric {
  // The values are [samples, then for each output its mean, sum of squared deviations and sum of squared errors].
  /** Adds a batch of predictions and targets. */
  update(predictions: Tensor, target: Tensor): this {
    const op = 'R2Score.update';
    checkSameShape(op, predictions, target);
    if (target.ndim < 1 || target.ndim > 2)
      throw new TypeError(`${op}: takes [N] or [N, outputs], got ${shapeText(target)}`);
    const [n, outputs = 1] = target.shape as [number, number?];
    if (n === 0) return this;
    const [p, y] = [predictions.toTypedArray(), target.toTypedArray()];
    const values = [n];
    for (let o = 0; o < outputs; o++) {
      let [mean, squares, errors] = [0, 0, 0];
      for (let i = 0; i < n; i++) mean += y[i * outputs + o]! / n;
      for (let i = 0; i < n; i++) {
        squares += (y[i * outputs + o]! - mean) ** 2;
        errors += (y[i * outputs + o]! - p[i * outputs + o]!) ** 2;
      }
      values.push(mean, squares, errors);
    }
    this.merge(values);
    return this;
  }

  // Combines means and deviations, as sums of squares lose all digits if the mean is far from 0 (Chan et al., 1979).
  protected merge(values: readonly number[]): void {
    if (this.isEmpty) {
      this.values = [...values];
      return;
    }
    if (values.length !== this.values.length)
      throw new TypeError(
        `R2Score: got a batch of ${(values.length - 1) / 3} outputs after batches of ${(this.values.length - 1) / 3}`,
      );
    const [n, m] = [this.values[0]!, values[0]!];
    const merged = [n + m];
    for (let i = 1; i < values.length; i += 3) {
      const far = values[i]! - this.values[i]!;
      merged.push(
        this.values[i]! + (far * m) / (n + m),
        this.values[i + 1]! + values[i + 1]! + (far * far * n * m) / (n + m),
        this.values[i + 2]! + values[i + 2]!,
      );
    }
    this.values = merged;
  }

  compute(): number {
    this.checkUpdated();
    if (this.values[0]! < 2) return Number.NaN;
    const scores: number[] = [];
    for (let i = 2; i < this.values.length; i += 3) {
      const [squares, errors] = [this.values[i]!, this.values[i + 1]!];
      scores.push(squares === 0 ? Number(errors === 0) : 1 - errors / squares);
    }
    return sum(scores, (v) => v) / scores.length;
  }
}

/**
 * The exponential of the mean cross entropy of a language model. Takes logits `[..., classes]` and a target `[...]` of
 * classes; targets equal to `ignoreIndex`, -100 by default, do not count.
 *
 * ```ts
 * const perplexity = new metrics.Perplexity();
 * perplexity.update(zeros([1, 2, 4]), tensor([[0, 3]], { dtype: 'int32' }));
 * perplexity.compute(); // 4
 * ```
 */
export class Perplexity extends SumMetric {
  /** The target that is left out. */
  readonly ignoreIndex: number;

  constructor(options: { ignoreIndex?: number } = {}) {
    super();
    this.ignoreIndex = checkOptions('Perplexity', options, { ignoreIndex: is.integer }).ignoreIndex ?? -100;
  }

  /** Adds a batch of predictions and targets. */
  update(logits: Tensor, target: Tensor): this {
    const op = 'Perplexity.update';
    checkTensor(op, 'logits', logits);
    checkTensor(op, 'target', target);
    const classes = logits.shape.at(-1) ?? 0;
    if (logits.shape.slice(0, -1).join() !== target.shape.join() || logits.ndim !== target.ndim + 1)
      throw new TypeError(
        `${op}: takes logits [..., classes] and target [...], got ${shapeText(logits)} and ${shapeText(target)}`,
      );
    const logs = noGrad.run(() => logSoftmax(logits.detach().double(), -1)).toTypedArray();
    let [loss, n] = [0, 0];
    Array.from(target.toTypedArray()).forEach((label, i) => {
      if (label === this.ignoreIndex) return;
      if (!(Number.isInteger(label) && label >= 0 && label < classes))
        throw new RangeError(`${op}: targets must be classes from 0 to ${classes - 1}, got ${label}`);
      loss -= logs[i * classes + label]!;
      n++;
    });
    if (n > 0) this.merge([loss, n]);
    return this;
  }

  compute(): number {
    this.checkUpdated();
    return Math.exp(this.values[0]! / this.values[1]!);
  }
}

const sum = (values: ArrayLike<number>, f: (v: number) => number): number => {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += f(values[i]!);
  return total;
};

/** The sum of `f` over all differences, and their number. */
function differences(op: string, predictions: Tensor, target: Tensor, f: (d: number) => number): [number, number] {
  checkSameShape(op, predictions, target);
  const [p, y] = [predictions.toTypedArray(), target.toTypedArray()];
  let total = 0;
  for (let i = 0; i < p.length; i++) total += f(p[i]! - y[i]!);
  return [total, p.length];
}
