import { type Generator, keep, nanmean, noGrad, ShapeError, type Tensor, TensorError, tensor } from '@gradgate/core';
import { check, checkOptions, checkTensors, is, show } from '@gradgate/core/internal';
import { shapeText } from '../shapeText.js';
import { asMapped, type DatasetLike, Subset } from './dataset.js';
import { type Labels, labelsOf } from './labels.js';
import { shuffled } from './shuffled.js';

// Preparation of tabular data for training.

/**
 * Standardizes columns to mean 0 and standard deviation 1: `fit` computes both from the training data, `transform`
 * applies them to any data, and `inverse` undoes it. Constant columns become 0. NaN marks missing values: it does not
 * count, and stays NaN. Its state can be saved with the model's.
 *
 * ```ts
 * const scaler = new data.StandardScaler().fit(tensor([[1], [3]]));
 * scaler.transform(tensor([[5]])); // [[3]]
 * ```
 */
export class StandardScaler {
  /** The mean of each column, `[columns]`; null before `fit`. */
  mean: Tensor | null = null;
  /** The standard deviation of each column, 1 where it is 0; null before `fit`. */
  std: Tensor | null = null;

  /**
   * Computes the mean and standard deviation (without Bessel's correction) of each column of `x` `[rows, columns]`.
   * Returns this. Throws for a column that has infinities or only NaN.
   */
  fit(x: Tensor): this {
    const op = 'StandardScaler.fit';
    checkTensors(op, x);
    if (x.ndim !== 2 || x.shape[0] === 0)
      throw new ShapeError(op, `takes [rows, columns] with at least one row, got ${shapeText(x)}`);
    if (!x.dtype.startsWith('float')) throw new TensorError(op, `takes floats, got ${x.dtype}; convert with float()`);
    noGrad.run(() => {
      // In float64: a column of large values that differ little would lose its deviation.
      const wide = x.detach().double();
      const mean = nanmean(wide, 0);
      const wrong = mean.toTypedArray().findIndex((v) => !Number.isFinite(v));
      if (wrong >= 0)
        throw new RangeError(
          `${op}: column ${wrong} has infinities, or nothing but NaN; replace them, or leave it out`,
        );
      const std = nanmean(wide.sub(mean).square(), 0).sqrt();
      this.mean = mean.to(x.dtype);
      this.std = std.add(std.eq(0).double()).to(x.dtype);
    });
    return this;
  }

  /** Returns `(x - mean) / std`, where the last dimension of `x` is that of columns. */
  transform(x: Tensor): Tensor {
    const { mean, std } = this.fitted('StandardScaler.transform', x);
    return x.sub(mean).div(std);
  }

  /** Returns `x * std + mean`, for example predictions in the units of the data. */
  inverse(x: Tensor): Tensor {
    const { mean, std } = this.fitted('StandardScaler.inverse', x);
    return x.mul(std).add(mean);
  }

  /** Returns mean and standard deviation, for `loadStateDict` or `saveCheckpoint`. */
  stateDict(): { mean: Tensor | null; std: Tensor | null } {
    return { mean: this.mean, std: this.std };
  }

  /** Restores a state of `stateDict()`. */
  loadStateDict(state: { mean: Tensor | null; std: Tensor | null }): void {
    const op = 'StandardScaler.loadStateDict';
    check(op, 'the state', state, is.object);
    const { mean, std } = state;
    if (mean === null && std === null) {
      this.mean = null;
      this.std = null;
      return;
    }
    checkTensors(op, mean, std);
    if (mean!.ndim !== 1 || mean!.shape.join() !== std!.shape.join())
      throw new ShapeError(
        op,
        `mean ${shapeText(mean!)} and std ${shapeText(std!)} must have the same shape, [columns]`,
      );
    this.mean = keep(mean!.detach().clone());
    this.std = keep(std!.detach().clone());
  }

  private fitted(op: string, x: Tensor): { mean: Tensor; std: Tensor } {
    checkTensors(op, x);
    const { mean, std } = this;
    if (!mean || !std) throw new TypeError(`${op}: call fit(x) first`);
    if (x.shape.at(-1) !== mean.numel)
      throw new ShapeError(
        op,
        `takes [..., ${mean.numel}], the columns of the data it was fitted to, got ${shapeText(x)}`,
      );
    return { mean, std };
  }
}

/**
 * Splits a dataset at random into training and test sets. `testSize` is a fraction or a count, 0.25 by default. With
 * `labels`, one for each sample, both have equal shares of every class (stratified). Option: `generator`.
 *
 * ```ts
 * const [train, test] = data.trainTestSplit([10, 20, 30, 40]);
 * train.length; // 3
 * ```
 */
export function trainTestSplit<T>(
  source: DatasetLike<T>,
  options: { testSize?: number; labels?: Labels; generator?: Generator } = {},
): [train: Subset<T>, test: Subset<T>] {
  const op = 'trainTestSplit';
  const dataset = asMapped<T>(op, source);
  const {
    testSize = 0.25,
    labels,
    generator,
  } = checkOptions(op, options, { testSize: is.positive, labels: is.anything, generator: is.generator });
  const n = dataset.length;
  const count = testSize < 1 ? Math.ceil(n * testSize) : testSize;
  if (!Number.isInteger(count) || count >= n)
    throw new RangeError(
      `${op}: testSize must be a fraction below 1 or a count below the number of samples, ${n}; got ${show(testSize)}`,
    );
  const order = shuffled(n, generator);
  const test = new Set(labels ? stratified(order, labelsOf(op, labels, n), count) : order.slice(0, count));
  return [
    new Subset(
      dataset,
      order.filter((i) => !test.has(i)),
    ),
    new Subset(
      dataset,
      order.filter((i) => test.has(i)),
    ),
  ];
}

/** Takes `count` samples, from each class its share; samples left over by rounding go to the largest remainders. */
function stratified(order: readonly number[], labels: readonly unknown[], count: number): number[] {
  const classes = new Map<unknown, number[]>();
  for (const i of order) {
    const own = classes.get(labels[i]);
    if (own) own.push(i);
    else classes.set(labels[i], [i]);
  }
  const shares = [...classes.values()].map((samples) => ({ samples, exact: (samples.length * count) / order.length }));
  const left = count - shares.reduce((sum, s) => sum + Math.floor(s.exact), 0);
  shares.sort((a, b) => (b.exact % 1) - (a.exact % 1));
  return shares.flatMap(({ samples, exact }, i) => samples.slice(0, Math.floor(exact) + (i < left ? 1 : 0)));
}

/**
 * Weights that make rare classes count as much as frequent ones, for `crossEntropy(logits, y, { weight })`: `n /
 * (classes * count)` for each class, float32 `[classes]`. `labels` are whole numbers from 0 up, as an array or a
 * tensor. `numClasses` is the largest label plus 1 by default. Throws for a class without samples.
 *
 * ```ts
 * data.classWeights([0, 0, 0, 1]); // [0.6667, 2]
 * ```
 */
export function classWeights(labels: ArrayLike<number> | Tensor, options: { numClasses?: number } = {}): Tensor {
  const op = 'classWeights';
  const { numClasses } = checkOptions(op, options, { numClasses: is.count });
  const all = labelsOf(op, labels) as number[];
  if (all.length === 0) throw new TypeError(`${op}: there are no labels`);
  for (const y of all) check(op, 'a label', y, is.size);
  const most = all.reduce((a, b) => Math.max(a, b), 0);
  const classes = numClasses ?? most + 1;
  if (most >= classes) throw new RangeError(`${op}: label ${most} is not one of ${classes} classes`);
  if (classes > 2 ** 24) throw new RangeError(`${op}: ${classes} classes are too many: are these class indices?`);
  const counts = new Float64Array(classes);
  for (const y of all) counts[y]!++;
  const missing = counts.indexOf(0);
  if (missing >= 0) throw new RangeError(`${op}: class ${missing} has no sample, so no weight makes up for it`);
  return tensor(Float32Array.from(counts, (c) => all.length / (classes * c)));
}
