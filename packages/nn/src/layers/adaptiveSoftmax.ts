import { backend, cat, IndexError, logSoftmax, ShapeError, type Tensor, where } from '@gradgate/core';
import { check, checkIntegers, checkTensors, is, kernelsOf } from '@gradgate/core/internal';
import { Module } from '../module.js';
import { shapeText } from '../shapeText.js';
import { checkLayer } from './checkLayer.js';
import { ModuleList, Sequential } from './container.js';
import { Linear } from './linear.js';

/** Options of `AdaptiveLogSoftmaxWithLoss`. */
export interface AdaptiveLogSoftmaxOptions {
  /** The factor by which the features become fewer from one cluster to the next; 4 by default. */
  divValue?: number;
  /** Whether the head has a bias; false by default. */
  headBias?: boolean;
}

const known = { divValue: is.positive, headBias: is.boolean };

/**
 * Softmax over many classes, sorted by falling frequency (Grave et al., 2017). Classes below the first cutoff are in
 * the head; the rarer ones are in clusters with fewer features. Takes `[N, inFeatures]` and targets `[N]`, or one
 * sample without `N`; returns the log probabilities `output` `[N]` of the targets and the `loss`. `cutoffs` ascend and
 * are below `numClasses`. Throws for a target out of range, and on devices that can only be read asynchronously.
 *
 * ```ts
 * const layer = new AdaptiveLogSoftmaxWithLoss(16, 1000, [10, 100]);
 * const { output, loss } = layer(randn([5, 16]), tensor([0, 5, 50, 500, 999], { dtype: 'int32' }));
 * output.shape; // [5]
 * layer.logProb(randn([5, 16])).shape; // [5, 1000]
 * ```
 */
export class AdaptiveLogSoftmaxWithLoss extends Module {
  /** The first class of each cluster. */
  readonly cutoffs: readonly number[];
  /** Scores of the frequent classes and of the clusters. */
  readonly head: Linear;
  /** Scores of the classes of each cluster. */
  readonly tail: ModuleList<Sequential<[Linear, Linear]>>;

  constructor(
    /** The number of features of an input. */
    readonly inFeatures: number,
    /** The number of classes. */
    readonly numClasses: number,
    cutoffs: readonly number[],
    options: AdaptiveLogSoftmaxOptions = {},
  ) {
    super();
    const { name } = new.target;
    const { divValue = 4, headBias = false } = checkLayer(name, { inFeatures, numClasses }, options, known, is.count);
    check(name, 'cutoffs', cutoffs, is.arrayOf(is.count));
    const rise = [...cutoffs, numClasses].every((c, i, all) => i === 0 || c > all[i - 1]!);
    if (cutoffs.length === 0 || !rise)
      throw new RangeError(`${name}: cutoffs must ascend and be below ${numClasses}, got [${cutoffs.join(', ')}]`);
    this.cutoffs = [...cutoffs, numClasses];
    this.head = new Linear(inFeatures, this.cutoffs[0]! + cutoffs.length, { bias: headBias });
    this.tail = new ModuleList(
      cutoffs.map((cutoff, i) => {
        const inner = Math.floor(inFeatures / divValue ** (i + 1));
        const classes = this.cutoffs[i + 1]! - cutoff;
        return new Sequential(
          new Linear(inFeatures, inner, { bias: false }),
          new Linear(inner, classes, { bias: false }),
        );
      }),
    );
  }

  /** Returns the log probability of each target, `output` `[N]`, and the `loss`, the negative of their mean. */
  override forward(x: Tensor, target: Tensor): { output: Tensor; loss: Tensor } {
    const name = this.constructor.name;
    checkTensors(name, x, target);
    checkIntegers(name, 'targets', target);
    if (x.ndim === 1 && target.ndim === 0) {
      const { output, loss } = this.forward(x.unsqueeze(0), target.unsqueeze(0));
      return { output: output.squeeze(0), loss };
    }
    if (x.ndim !== 2 || x.shape[1] !== this.inFeatures || target.ndim !== 1 || target.shape[0] !== x.shape[0])
      throw new ShapeError(
        name,
        `takes [N, ${this.inFeatures}] and targets [N], got ${shapeText(x)} and ${shapeText(target)}`,
      );
    const outOfRange = (c: number) =>
      new IndexError(name, `target ${c} is out of range for ${this.numClasses} classes`);
    kernelsOf(name, target).checkRange(target, 0, this.numClasses - 1, outOfRange);
    const head = logSoftmax(this.head(x), 1);
    const [first] = this.cutoffs as [number];
    const inHead = target.lt(first);
    let output = pick(head, where(inHead, target, 0));
    [...this.tail].forEach((cluster, i) => {
      const [low, high] = [this.cutoffs[i]!, this.cutoffs[i + 1]!];
      const inside = target.ge(low).logicalAnd(target.lt(high));
      if (backend(target.device).isAsync) {
        // Which rows those are cannot be read: all pass through it, and what is not theirs is left out.
        const all = pick(logSoftmax(cluster(x), 1), where(inside, target.sub(low), 0));
        output = where(inside, all.add(head.select(1, first + i)), output);
        return;
      }
      const rows = inside.nonzero().squeeze(1);
      if (rows.numel === 0) return;
      // Only rows with a target in this cluster pass through it.
      const own = logSoftmax(cluster(x.indexSelect(0, rows)), 1);
      const found = pick(own, target.indexSelect(0, rows).sub(low)).add(head.indexSelect(0, rows).select(1, first + i));
      output = output.mul(inside.logicalNot().to(output.dtype)).indexAdd(0, rows, found);
    });
    return { output, loss: output.mean().neg() };
  }

  /** Returns the log probabilities of all classes: `[N, inFeatures]` to `[N, numClasses]`. */
  logProb(x: Tensor): Tensor {
    const head = logSoftmax(this.head(x), 1);
    const [first] = this.cutoffs as [number];
    const clusters = [...this.tail].map((cluster, i) => logSoftmax(cluster(x), 1).add(head.narrow(1, first + i, 1)));
    return cat([head.narrow(1, 0, first), ...clusters], 1);
  }

  /** Returns the most likely class of each sample: `[N, inFeatures]` to `[N]`. */
  predict(x: Tensor): Tensor {
    return this.logProb(x).argmax(1);
  }

  override extraRepr(): string {
    return `${this.inFeatures}, ${this.numClasses}, cutoffs=[${this.cutoffs.slice(0, -1).join(', ')}]`;
  }
}

/** The element of each row at `index`. */
const pick = (rows: Tensor, index: Tensor): Tensor => rows.gather(1, index.unsqueeze(1)).squeeze(1);
