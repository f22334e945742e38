import { noGrad, type Tensor, tensor, topk } from '@gradgate/core';
import { checkOptions, is, isFloat } from '@gradgate/core/internal';
import { shapeText } from '../shapeText.js';
import { checkLabels, checkTensor, type Labels, Metric, SumMetric } from './metric.js';

/** Checks that predictions are scores [N, classes, ...] or labels for a target [N, ...]; returns which of the two. */
function checkPair(op: string, predictions: Tensor, target: Tensor): 'scores' | 'labels' {
  checkTensor(op, 'predictions', predictions);
  checkTensor(op, 'target', target);
  if (predictions.shape.join() === target.shape.join()) return 'labels';
  const [n, , ...rest] = predictions.shape;
  if (predictions.ndim >= 2 && [n, ...rest].join() === target.shape.join()) return 'scores';
  throw new TypeError(
    `${op}: takes labels of the target's shape or scores [N, classes, ...] for a target [N, ...], got ${shapeText(predictions)} and ${shapeText(target)}`,
  );
}

/**
 * The predictions as labels: the class of the highest score, or for two classes whether a score is above `threshold`.
 */
function predicted(predictions: Tensor, kind: 'scores' | 'labels', threshold: number): Labels {
  if (kind === 'scores') return noGrad.run(() => predictions.detach().argmax(1)).toTypedArray();
  const values = predictions.toTypedArray();
  return isFloat(predictions.dtype) ? Array.from(values, (v) => Number(v > threshold)) : values;
}

/**
 * The fraction of samples whose class is right, or with `topK` is among the k highest scores. Takes scores `[N,
 * classes, ...]` or labels `[N, ...]`, and a target `[N, ...]`. Floating point predictions in the shape of the target
 * are scores for two classes; above `threshold`, 0.5 by default, they mean class 1. Throws for labels out of range.
 *
 * ```ts
 * const accuracy = new metrics.Accuracy();
 * accuracy.update(tensor([[0.9, 0.1], [0.2, 0.8]]), tensor([0, 0], { dtype: 'int32' }));
 * accuracy.compute(); // 0.5
 * ```
 */
export class Accuracy extends SumMetric {
  /** Among how many of the best classes the right one has to be. */
  readonly topK: number;
  /** The score above which a prediction for two classes means class 1. */
  readonly threshold: number;

  constructor(options: { topK?: number; threshold?: number } = {}) {
    super();
    const { topK = 1, threshold = 0.5 } = checkOptions('Accuracy', options, { topK: is.count, threshold: is.number });
    this.topK = topK;
    this.threshold = threshold;
  }

  /** Adds a batch: predictions as labels or scores `[N, classes, ...]`, and their targets `[N, ...]`. */
  update(predictions: Tensor, target: Tensor): this {
    const kind = checkPair('Accuracy.update', predictions, target);
    if (this.topK > 1 && kind === 'labels')
      throw new TypeError(`Accuracy.update: topK needs scores [N, classes, ...], got ${shapeText(predictions)}`);
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
    return this;
  }

  compute(): number {
    this.checkUpdated();
    return this.values[0]! / this.values[1]!;
  }
}

interface ClassOptions {
  /** The number of classes, at most 10,000; by default the largest label seen plus 1. */
  numClasses?: number;
  /** The score above which a prediction for two classes means class 1; 0.5 by default. */
  threshold?: number;
}

const maxClasses = 10_000;
const classOptions = {
  numClasses: {
    text: `a whole number from 1 to ${maxClasses}`,
    is: (v: unknown) => is.count.is(v) && (v as number) <= maxClasses,
  },
  threshold: is.number,
};

/** The base of metrics computed from a confusion matrix, whose rows are target classes and columns predicted ones. */
abstract class ConfusionBase<V> extends Metric<V> {
  /** The number of classes; null until the first batch if it was not given. */
  readonly numClasses: number | null;
  /** The score above which a prediction for two classes means class 1. */
  readonly threshold: number;

  constructor({ numClasses, threshold = 0.5 }: ClassOptions) {
    super();
    this.numClasses = numClasses ?? null;
    this.threshold = threshold;
  }

  /** Takes scores [N, classes, ...] or labels [N, ...], and a target [N, ...]. */
  update(predictions: Tensor, target: Tensor): this {
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
    return this;
  }

  protected merge(values: readonly number[]): void {
    const [own, other] = [this.classes, Math.sqrt(values.length)];
    if (!Number.isInteger(other))
      throw new TypeError(`${this.name}: ${values.length} counts do not form a square matrix`);
    const classes = Math.max(own, other);
    const at = (list: readonly number[], size: number, i: number, j: number): number =>
      i < size && j < size ? list[i * size + j]! : 0;
    this.values = Array.from({ length: classes * classes }, (_, k) => {
      const [i, j] = [Math.floor(k / classes), k % classes];
      return at(this.values, own, i, j) + at(values, other, i, j);
    });
  }

  /** The number of classes; 0 before the first batch. */
  protected get classes(): number {
    return Math.sqrt(this.values.length);
  }
}

/**
 * The confusion matrix: how often each class (row) was predicted as each class (column), int64 `[classes, classes]`.
 * Takes the same as `Accuracy`.
 *
 * ```ts
 * const matrix = new metrics.ConfusionMatrix({ numClasses: 2 });
 * matrix.update(tensor([0, 1, 1], { dtype: 'int32' }), tensor([0, 0, 1], { dtype: 'int32' }));
 * matrix.compute(); // [[1, 1], [0, 1]]
 * ```
 */
export class ConfusionMatrix extends ConfusionBase<Tensor> {
  constructor(options: ClassOptions = {}) {
    super(checkOptions('ConfusionMatrix', options, classOptions));
  }

  /** Returns the matrix, int64 `[classes, classes]`. */
  compute(): Tensor {
    this.checkUpdated();
    return tensor(this.values, { shape: [this.classes, this.classes], dtype: 'int64' });
  }
}

/**
 * How scores of classes become one: 'binary' takes that of class 1; 'macro' the mean over classes; 'micro' counts all
 * samples together; 'weighted' is the mean weighted by how often classes occur.
 */
export type Average = 'binary' | 'macro' | 'micro' | 'weighted';

interface ScoreOptions extends ClassOptions {
  /** How scores of classes become one; 'macro' by default, the mean over classes that occur or were predicted. */
  average?: Average;
}

abstract class Score extends ConfusionBase<number> {
  /** How the figures of the classes are combined. */
  readonly average: Average;

  constructor(op: string, options: ScoreOptions) {
    const known = { ...classOptions, average: is.oneOf('binary', 'macro', 'micro', 'weighted') };
    super(checkOptions(op, options, known));
    this.average = options.average ?? 'macro';
  }

  /** The score from the counts of right predictions, predictions and occurrences; 0 where it would divide by 0. */
  protected abstract score(right: number, predicted: number, occurrences: number): number;

  compute(): number {
    this.checkUpdated();
    const n = this.classes;
    if (this.average === 'binary' && n > 2)
      throw new TypeError(`${this.name}.compute: average 'binary' is for 2 classes, there are ${n}; use 'macro'`);
    const numbers = Array.from({ length: n }, (_, c) => c);
    const sum = (f: (c: number) => number): number => numbers.reduce((total, c) => total + f(c), 0);
    const right = (c: number) => this.values[c * n + c]!;
    const guessed = (c: number) => sum((t) => this.values[t * n + c]!);
    const occurrences = (c: number) => sum((p) => this.values[c * n + p]!);
    const of = (c: number) => this.score(right(c), guessed(c), occurrences(c));
    if (this.average === 'binary') return of(1);
    if (this.average === 'micro') return this.score(sum(right), sum(guessed), sum(occurrences));
    const weight = this.average === 'weighted' ? occurrences : (c: number) => Number(guessed(c) + occurrences(c) > 0);
    return sum((c) => weight(c) * of(c)) / sum(weight);
  }
}

const ratio = (a: number, b: number): number => (b === 0 ? 0 : a / b);

/**
 * The fraction of the predictions of a class that are right. Takes the same as `Accuracy`; options `average`,
 * `numClasses` and `threshold`.
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
 * The fraction of the samples of a class that were predicted as it. Takes the same as `Accuracy`; options `average`,
 * `numClasses` and `threshold`.
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

  protected score(right: number, _: number, occurrences: number): number {
    return ratio(right, occurrences);
  }
}

/**
 * The harmonic mean of precision and recall. Takes the same as `Accuracy`; options `average`, `numClasses` and
 * `threshold`.
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

  protected score(right: number, guessed: number, occurrences: number): number {
    return ratio(2 * right, guessed + occurrences);
  }
}
