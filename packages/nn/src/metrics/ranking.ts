import type { Tensor } from '@gradgate/core';
import { checkOptions, is } from '@gradgate/core/internal';
import { shapeText } from '../shapeText.js';
import { checkLabels, checkTensor, Metric } from './metric.js';

interface RankingOptions {
  /**
   * With several classes, how the mean over them is weighted: equally ('macro', the default) or by how often they occur
   * ('weighted').
   */
  average?: 'macro' | 'weighted';
}

/** The base of metrics of a ranking. They keep all scores, of one class or of several. */
abstract class Ranking extends Metric {
  // The values are [scores per sample, then for each sample its scores and its label].
  /** How the figures of the classes are combined. */
  readonly average: 'macro' | 'weighted';

  constructor(op: string, options: RankingOptions) {
    super();
    this.average = checkOptions(op, options, { average: is.oneOf('macro', 'weighted') }).average ?? 'macro';
  }

  /** Takes scores [N] and a target [N] of 0 and 1, or scores [N, classes] and a target [N] of classes. */
  update(scores: Tensor, target: Tensor): this {
    const op = `${this.name}.update`;
    checkTensor(op, 'scores', scores);
    checkTensor(op, 'target', target);
    if (target.ndim !== 1 || scores.ndim > 2 || scores.shape[0] !== target.shape[0])
      throw new TypeError(
        `${op}: takes scores [N] or [N, classes] and a target [N], got ${shapeText(scores)} and ${shapeText(target)}`,
      );
    const width = scores.ndim === 2 ? scores.shape[1]! : 1;
    const classes = Math.max(2, width);
    const [s, labels] = [scores.toTypedArray(), target.toTypedArray()];
    if (s.some(Number.isNaN)) throw new RangeError(`${op}: a score is NaN, which cannot be ranked`);
    checkLabels(op, labels, classes);
    const values = [width];
    labels.forEach((label, i) => {
      for (let c = 0; c < width; c++) values.push(s[i * width + c]!);
      values.push(label);
    });
    this.merge(values);
    return this;
  }

  protected merge(values: readonly number[]): void {
    if (this.isEmpty) this.values = [...values];
    else if (values[0] !== this.values[0])
      throw new TypeError(`${this.name}: got scores of ${values[0]} classes after scores of ${this.values[0]}`);
    else for (let i = 1; i < values.length; i++) this.values.push(values[i]!);
  }

  /** The score from groups of equal scores, highest first: how many of each are in the class, and how many are not. */
  protected abstract score(
    groups: readonly (readonly [number, number])[],
    positives: number,
    negatives: number,
  ): number;

  compute(): number {
    this.checkUpdated();
    const width = this.values[0]!;
    const n = (this.values.length - 1) / (width + 1);
    let [total, weights] = [0, 0];
    for (let c = 0; c < width; c++) {
      const pairs = Array.from({ length: n }, (_, i) => {
        const at = 1 + i * (width + 1);
        return [this.values[at + c]!, Number(this.values[at + width] === (width === 1 ? 1 : c))] as const;
      }).sort((a, b) => b[0] - a[0] || 0);
      const groups: [number, number][] = [];
      pairs.forEach(([score, isOf], i) => {
        if (i === 0 || pairs[i - 1]![0] !== score) groups.push([0, 0]);
        groups.at(-1)![isOf ? 0 : 1]++;
      });
      const positives = groups.reduce((sum, [p]) => sum + p, 0);
      const weight = this.average === 'weighted' && width > 1 ? positives : 1;
      total += weight * this.score(groups, positives, n - positives);
      weights += weight;
    }
    return total / weights;
  }
}

/**
 * The area under the ROC curve: the probability that a sample of the class has a higher score than one that is not.
 * Several classes are each compared with the rest. NaN if a class has no samples, or all. Takes scores `[N]` and a
 * target `[N]` of 0 and 1, or scores `[N, classes]` and a target `[N]` of classes.
 *
 * ```ts
 * const auroc = new metrics.AUROC();
 * auroc.update(tensor([0.1, 0.4, 0.35, 0.8]), tensor([0, 0, 1, 1], { dtype: 'int32' }));
 * auroc.compute(); // 0.75
 * ```
 */
export class AUROC extends Ranking {
  constructor(options: RankingOptions = {}) {
    super('AUROC', options);
  }

  protected score(groups: readonly (readonly [number, number])[], positives: number, negatives: number): number {
    let [above, area] = [0, 0];
    for (const [p, n] of groups) {
      area += n * (above + p / 2);
      above += p;
    }
    return area / (positives * negatives);
  }
}

/**
 * The mean precision at the ranks of a class's samples (the area under the precision-recall curve); 0 for a class
 * without samples. Takes the same as `AUROC`.
 *
 * ```ts
 * const precision = new metrics.AveragePrecision();
 * precision.update(tensor([0.1, 0.4, 0.35, 0.8]), tensor([0, 0, 1, 1], { dtype: 'int32' }));
 * precision.compute(); // 0.8333
 * ```
 */
export class AveragePrecision extends Ranking {
  constructor(options: RankingOptions = {}) {
    super('AveragePrecision', options);
  }

  protected score(groups: readonly (readonly [number, number])[], positives: number): number {
    if (positives === 0) return 0;
    let [above, seen, total] = [0, 0, 0];
    for (const [p, n] of groups) {
      above += p;
      seen += p + n;
      total += (p * above) / seen;
    }
    return total / positives;
  }
}
