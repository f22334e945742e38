import {
  broadcastTensors,
  type Generator,
  logSoftmax,
  multinomial,
  type Shape,
  ShapeError,
  type Tensor,
  zeros,
} from '@gradgate/core';
import { checkIntegers, checkOptions, is, sizeOf } from '@gradgate/core/internal';
import { type ArgConstraints, nonNegative, oneHot, real, realVector, simplex, wholeUpTo } from './constraints.js';
import { Distribution, type DistributionOptions, type TensorLike } from './distribution.js';
import { clampProbs } from './probabilities.js';

/** Probabilities or their logarithms; give one of the two. */
export interface Weights {
  /** Probabilities `[..., classes]`, from 0 up; they are normalized to add up to 1. */
  probs?: Tensor;
  /** Log probabilities `[..., classes]`, up to a constant; they are normalized. */
  logits?: Tensor;
}

const known = { probs: is.tensor, logits: is.tensor, validateArgs: is.boolean };

/** Checks the one of the two that is given, `[..., classes]`. */
function weightsOf(op: string, weights: Weights & DistributionOptions): { probs?: Tensor; logits?: Tensor } {
  const { probs, logits, validateArgs = true } = checkOptions(op, weights, known);
  if ((probs === undefined) === (logits === undefined)) throw new TypeError(`${op}: give either probs or logits`);
  const x = (probs ?? logits)!;
  if (x.ndim < 1 || x.shape.at(-1) === 0)
    throw new ShapeError(
      op,
      `${probs ? 'probs' : 'logits'} must be [..., classes] with at least one class, got [${x.shape.join(', ')}]`,
    );
  if (validateArgs) (probs ? nonNegative : real).check(op, probs ? 'probs' : 'logits', x);
  return { probs, logits };
}

/** The base of distributions over classes, with probabilities and their logarithms. */
export abstract class CategoricalBase extends Distribution {
  static override readonly argConstraints: ArgConstraints<'probs' | 'logits'> = { probs: simplex, logits: realVector };
  /** Log probabilities `[..., classes]`, normalized. */
  readonly logits: Tensor;
  /** Probabilities `[..., classes]`, which add up to 1. */
  readonly probs: Tensor;

  constructor(weights: Weights & DistributionOptions, events: 0 | 1) {
    const { probs, logits } = weightsOf(new.target.name, weights);
    const { shape } = (probs ?? logits)!;
    super(shape.slice(0, -1), events === 0 ? [] : shape.slice(-1), { validateArgs: weights.validateArgs });
    if (probs) {
      this.probs = probs.div(probs.sum(-1, { keepdim: true }));
      this.logits = clampProbs(this.probs).log();
    } else {
      this.logits = logSoftmax(logits!, -1);
      this.probs = this.logits.exp();
    }
  }

  /** The number of classes. */
  get classes(): number {
    return this.logits.shape.at(-1)!;
  }

  /** Draws class indices of `shape`, which ends with the batch shape. */
  protected drawClasses(shape: Shape, generator: Generator | undefined): Tensor {
    const rows = sizeOf(this.batchShape);
    const all = sizeOf(shape);
    const { device } = this.probs;
    if (all === 0) return zeros(shape, { dtype: 'int32', device });
    const weights = this.probs.detach().reshape([rows, this.classes]);
    return multinomial(weights, all / rows, { replacement: true, generator })
      .t()
      .reshape(shape);
  }

  override entropy(): Tensor {
    return this.logits.mul(this.probs).sum(-1).neg();
  }
}

/**
 * The categorical distribution of class indices, by `probs` or `logits` `[..., classes]`. Samples are int32 `[...shape,
 * ...]`.
 *
 * ```ts
 * const policy = new Categorical({ logits: zeros([2, 4]) });
 * const action = policy.sample(); // int32 [2]
 * policy.logProb(action); // [-1.386, -1.386]
 * policy.entropy(); // [1.386, 1.386]
 * ```
 */
export class Categorical extends CategoricalBase {
  constructor(weights: Weights & DistributionOptions) {
    super(weights, 0);
  }

  get support() {
    return wholeUpTo(this.classes - 1);
  }
  /** NaN: class indices have no mean. */
  override get mean(): Tensor {
    return this.logits.select(-1, 0).mul(Number.NaN);
  }
  /** NaN: class indices have no variance. */
  override get variance(): Tensor {
    return this.mean;
  }
  override get mode(): Tensor {
    return this.probs.argmax(-1);
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    return this.drawClasses(shape, generator);
  }

  override logProb(value: TensorLike): Tensor {
    const classes = this.checkValue('logProb', value);
    return this.logDensity(typeof value === 'number' ? classes.int() : classes);
  }

  protected override logDensity(value: Tensor): Tensor {
    checkIntegers('Categorical.logProb', 'classes', value);
    const [at] = broadcastTensors([value, this.logits.detach().select(-1, 0)]);
    const logits = this.logits.expand(...at!.shape, this.classes);
    return logits.gather(-1, at!.unsqueeze(-1)).squeeze(-1);
  }

  override enumerateSupport(): Tensor {
    return classIndices(this.classes, this.batchShape, this.logits.device);
  }
}

/** 0, 1, ... along a new first dimension, expanded to the batch shape. */
function classIndices(n: number, batchShape: Shape, device: string): Tensor {
  const numbers = zeros([n], { dtype: 'int32', device }).add(1).cumsum(0).sub(1).int();
  return numbers.reshape([n, ...batchShape.map(() => 1)]).expand(n, ...batchShape);
}

/**
 * The categorical distribution of one-hot vectors, by `probs` or `logits` `[..., classes]`: events are floating point
 * `[classes]`.
 *
 * ```ts
 * new OneHotCategorical({ probs: tensor([0, 1]) }).sample(); // [0, 1]
 * ```
 */
export class OneHotCategorical extends CategoricalBase {
  constructor(weights: Weights & DistributionOptions) {
    super(weights, 1);
  }

  readonly support = oneHot;
  override get mean(): Tensor {
    return this.probs;
  }
  override get variance(): Tensor {
    return this.probs.mul(this.probs.neg().add(1));
  }
  override get mode(): Tensor {
    return this.vectors(this.probs.argmax(-1));
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    return this.vectors(this.drawClasses(shape.slice(0, -1), generator));
  }

  private vectors(classes: Tensor): Tensor {
    return classes.oneHot(this.classes).to(this.probs.dtype);
  }

  protected override logDensity(value: Tensor): Tensor {
    return this.logits.mul(value).sum(-1);
  }
}

/**
 * The same, but draws by `rsample` carry the gradient of the probabilities, as if they were these (Bengio et al.,
 * 2013).
 *
 * ```ts
 * const probs = tensor([0, 1], { requiresGrad: true });
 * const draw = new OneHotCategoricalStraightThrough({ probs }).rsample();
 * draw; // [0, 1]
 * draw.requiresGrad; // true
 * ```
 */
export class OneHotCategoricalStraightThrough extends OneHotCategorical {
  override get hasRsample(): boolean {
    return true;
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    return super.draw(shape, generator).add(this.probs.sub(this.probs.detach()));
  }
}
