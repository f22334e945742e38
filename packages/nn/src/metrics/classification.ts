import { noGrad, type Tensor, tensor, topk } from '@gradgate/core';
import { checkOptions, is, isFloat } from '@gradgate/core/internal';
import { checkTensor, Metric, SumMetric } from './metric.js';

type Labels = ArrayLike<number>;

const shown = (t: Tensor): string => `[${t.shape.join(', ')}]`;

/** Refuses what is neither scores [N, classes, ...] nor labels for a target [N, ...]; says which of both. */
function checkPair(op: string, predictions: Tensor, target: Tensor): 'scores' | 'labels' {
  checkTensor(op, 'predictions', predictions);
  checkTensor(op, 'target', target);
  if (predictions.shape.join() === target.shape.join()) return 'labels';
  const [n, , ...rest] = predictions.shape;
  if (predictions.ndim >= 2 && [n, ...rest].join() === target.shape.join()) return 'scores';
  throw new TypeError(
    `${op}: takes labels of the target's shape or scores [N, classes, ...] for a target [N, ...], got ${shown(predictions)} and ${shown(target)}`,
  );
}

/** What is predicted, as labels: the class of the highest score, or whether a score for two classes is above `threshold`. */
function predicted(predictions: Tensor, kind: 'scores' | 'labels', threshold: number): Labels {
  if (kind === 'scores') return noGrad.run(() => predictions.detach().argmax(1)).toTypedArray();
  const values = predictions.toTypedArray();
  return isFloat(predictions.dtype) ? Array.from(values, (v) => Number(v > threshold)) : values;
}

function checkLabels(op: string, labels: Labels, classes: number): void {
  for (let i = 0; i < labels.length; i++)
    if (!(Number.isInteger(labels[i]) && labels[i]! >= 0 && labels[i]! < classes))
      throw new RangeError(`${op}: a label is ${labels[i]}; labels are whole numbers from 0 to ${classes - 1}`);
}

/**
 * The part of samples whose class is right; with `topK` a class among the k highest scores is. Takes scores [N, classes, ...]
 * or labels [N, ...], and a target [N, ...]; scores of the target's own shape and floating point are for two classes, and
 * above `threshold` (0.5) they mean class 1.
 *
 * ```ts
 * const accuracy = new metrics.Accuracy();
 * accuracy.update(tensor([[0.9, 0.1], [0.2, 0.8]]), tensor([0, 0], { dtype: 'int32' }));
 * accuracy.compute(); // 0.5
 * ```
 */
export class Accuracy extends SumMetric {
  readonly topK: number;
  readonly threshold: number;

  constructor(options: { topK?: number; threshold?: number } = {}) {
    super();
    const { topK = 1, threshold = 0.5 } = checkOptions('Accuracy', options, { topK: is.count, threshold: is.number });
    this.topK = topK;
    this.threshold = threshold;
  }

  update(predictions: Tensor, target: Tensor): void {
    const kind = checkPair('Accuracy.update', predictions, target);
    if (this.topK > 1 && kind === 'labels')
      throw new TypeError(`Accuracy.update: topK needs scores [N, classes, ...], got ${shown(predictions)}`);
    const labels = target.toTypedArray();
    if (kind === 'scores') checkLabels('Accuracy.update', labels, predictions.shape[1]!);
    let right = 0;
    if (this.topK === 1) {
      const guesses = predicted(predictions, kind, this.threshold);
      for (let i = 0; i < labels.length; i++) right += Number(guesses[i] === labels[i]);
    } else {
      const best = noGrad.run(() => topk(predictions.detach(), this.topK, 1).indices.movedim(1, -1)).toTypedArray();
      for (let i = 0; i < best.length; i++) right += Number(best[i] === labels[Math.floor(i / this.topK)]);
    }
    this.merge([right, labels.length]);
  }

  compute(): number {
    this.checkUpdated();
    return this.values[0]! / this.values[1]!;
  }
}

interface ClassOptions {
  /** How many classes there are; by default as many as are seen. */
  numClasses?: number;
  /** Above it, a score for two classes means class 1; 0.5 by default. */
  threshold?: number;
}

const classOptions = { numClasses: is.count, threshold: is.number };
const maxClasses = 10_000;

/** Metrics that come of how often each class was taken for each: rows are the target's classes, columns those predicted. */
abstract class Confusion<V> extends Metric<V> {
  readonly numClasses: number | null;
  readonly threshold: number;

  constructor({ numClasses, threshold = 0.5 }: ClassOptions) {
    super();
    this.numClasses = numClasses ?? null;
    this.threshold = threshold;
  }

  /** Takes scores [N, classes, ...] or labels [N, ...], and a target [N, ...]. */
  update(predictions: Tensor, target: Tensor): void {
    const op = `${this.name}.update`;
    const guesses = predicted(predictions, checkPair(op, predictions, target), this.threshold);
    const labels = target.toTypedArray();
    const limit = this.numClasses ?? maxClasses;
    checkLabels(op, guesses, limit);
    checkLabels(op, labels, limit);
    let classes = this.numClasses ?? 2;
    for (let i = 0; i < labels.length; i++) classes = Math.max(classes, guesses[i]! + 1, labels[i]! + 1);
    const counts: number[] = new Array(classes * classes).fill(0);
    for (let i = 0; i < labels.length; i++) counts[labels[i]! * classes + guesses[i]!]!++;
    this.merge(counts);
  }

  protected merge(values: readonly number[]): void {
    const [own, other] = [this.classes, Math.sqrt(values.length)];
    if (!Number.isInteger(other)) throw new TypeError(`${this.name}: ${values.length} counts are no square of classes`);
    const classes = Math.max(own, other);
    const at = (list: readonly number[], size: number, i: number, j: number): number =>
      i < size && j < size ? list[i * size + j]! : 0;
    this.values = Array.from({ length: classes * classes }, (_, k) => {
      const [i, j] = [Math.floor(k / classes), k % classes];
      return at(this.values, own, i, j) + at(values, other, i, j);
    });
  }

  protected get classes(): number {
    return Math.sqrt(this.values.length);
  }
}

/**
 * How often each class (row) was taken for each (column), as [classes, classes]; see `Accuracy` for what it takes.
 *
 * ```ts
 * const matrix = new metrics.ConfusionMatrix({ numClasses: 2 });
 * matrix.update(tensor([0, 1, 1], { dtype: 'int32' }), tensor([0, 0, 1], { dtype: 'int32' }));
 * matrix.compute(); // [[1, 1], [0, 1]]
 * ```
 */
export class ConfusionMatrix extends Confusion<Tensor> {
  constructor(options: ClassOptions = {}) {
    super(checkOptions('ConfusionMatrix', options, classOptions));
  }

  /** An int64 tensor [classes, classes]. */
  compute(): Tensor {
    this.checkUpdated();
    return tensor(this.values, { shape: [this.classes, this.classes], dtype: 'int64' });
  }
}

/** How the figures of classes become one: `'binary'` is that of class 1, `'weighted'` counts a class as often as it is there. */
export type Average = 'binary' | 'macro' | 'micro' | 'weighted';

interface ScoreOptions extends ClassOptions {
  /** `'macro'` by default: the mean over the classes that are in the target or were predicted. */
  average?: Average;
}

abstract class Score extends Confusion<number> {
  readonly average: Average;

  constructor(op: string, options: ScoreOptions) {
    const known = { ...classOptions, average: is.oneOf('binary', 'macro', 'micro', 'weighted') };
    super(checkOptions(op, options, known));
    this.average = options.average ?? 'macro';
  }

  /** The figure of one class, or of all together; 0 where it would be divided by 0. */
  protected abstract score(right: number, predicted: number, there: number): number;

  compute(): number {
    this.checkUpdated();
    const n = this.classes;
    if (this.average === 'binary' && n > 2)
      throw new TypeError(`${this.name}.compute: average 'binary' is for 2 classes, there are ${n}; use 'macro'`);
    const numbers = Array.from({ length: n }, (_, c) => c);
    const sum = (f: (c: number) => number): number => numbers.reduce((total, c) => total + f(c), 0);
    const right = (c: number) => this.values[c * n + c]!;
    const guessed = (c: number) => sum((t) => this.values[t * n + c]!);
    const there = (c: number) => sum((p) => this.values[c * n + p]!);
    const of = (c: number) => this.score(right(c), guessed(c), there(c));
    if (this.average === 'binary') return of(1);
    if (this.average === 'micro') return this.score(sum(right), sum(guessed), sum(there));
    const weight = this.average === 'weighted' ? there : (c: number) => Number(guessed(c) + there(c) > 0);
    return sum((c) => weight(c) * of(c)) / sum(weight);
  }
}

const ratio = (a: number, b: number): number => (b === 0 ? 0 : a / b);

/**
 * The part of what was predicted as a class that is of it; see `Accuracy` for what it takes.
 *
 * ```ts
 * const precision = new metrics.Precision({ average: 'binary' });
 * precision.update(tensor([1, 1], { dtype: 'int32' }), tensor([1, 0], { dtype: 'int32' }));
 * precision.compute(); // 0.5
 * ```
 */
export class Precision extends Score {
  constructor(options: ScoreOptions = {}) {
    super('Precision', options);
  }

  protected score(right: number, guessed: number): number {
    return ratio(right, guessed);
  }
}

/**
 * The part of a class that was predicted as it; see `Accuracy` for what it takes.
 *
 * ```ts
 * const recall = new metrics.Recall({ average: 'binary' });
 * recall.update(tensor([1, 0], { dtype: 'int32' }), tensor([1, 1], { dtype: 'int32' }));
 * recall.compute(); // 0.5
 * ```
 */
export class Recall extends Score {
  constructor(options: ScoreOptions = {}) {
    super('Recall', options);
  }

  protected score(right: number, _: number, there: number): number {
    return ratio(right, there);
  }
}

/**
 * The harmonic mean of precision and recall; see `Accuracy` for what it takes.
 *
 * ```ts
 * const f1 = new metrics.F1Score({ average: 'binary' });
 * f1.update(tensor([1, 0], { dtype: 'int32' }), tensor([1, 1], { dtype: 'int32' }));
 * f1.compute(); // 0.6667
 * ```
 */
export class F1Score extends Score {
  constructor(options: ScoreOptions = {}) {
    super('F1Score', options);
  }

  protected score(right: number, guessed: number, there: number): number {
    return ratio(2 * right, guessed + there);
  }
}
