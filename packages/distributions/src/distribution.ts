import { broadcastTensors, type Generator, noGrad, type Shape, ShapeError, Tensor, tensor } from '@gradgate/core';
import {
  brand,
  broadcastShapes,
  check,
  checkOptions,
  inNameOf,
  is,
  named,
  show,
  thisCopy,
} from '@gradgate/core/internal';
import type { ArgConstraints, Constraint } from './constraints.js';

/** A parameter or value: a tensor or a number. */
export type TensorLike = Tensor | number;

/** Options of all distributions. */
export interface DistributionOptions {
  /**
   * Whether parameters and values are checked; true by default. A check reads the tensor, which takes time. On devices
   * that are read asynchronously, values of elements are not checked.
   */
  validateArgs?: boolean;
}

/** Options of `sample` and `rsample`. */
export interface SampleOptions {
  /** The source of random numbers; the generator of the flow by default. */
  generator?: Generator;
}

const distributionOptions = { validateArgs: is.boolean };
const sampleOptions = { generator: is.generator };

/**
 * The base class of distributions. Events have shape `eventShape`; independent ones form a batch of shape `batchShape`.
 * Parameters may require grad: `logProb`, `entropy` and `rsample` are differentiable with respect to them.
 *
 * A distribution of your own passes its shapes to the constructor, defines `support`, `draw` and `logDensity`, and
 * others that it has.
 */
export abstract class Distribution {
  /** The conditions on the parameters, by their names; those of a distribution of your own are none. */
  static readonly argConstraints: ArgConstraints = {};

  /** The conditions on the parameters, as in PyTorch: those of the class. */
  get argConstraints(): ArgConstraints {
    return (this.constructor as typeof Distribution).argConstraints;
  }
  /** Whether samples are differentiable, so that `rsample` can be called. */
  get hasRsample(): boolean {
    return false;
  }
  /** The condition on values. */
  abstract readonly support: Constraint;
  /** Whether parameters and values are checked. */
  readonly validateArgs: boolean;

  constructor(
    /** The shape of the batch of independent distributions. */
    readonly batchShape: Shape,
    /** The shape of one event; `[]` for numbers. */
    readonly eventShape: Shape,
    options?: DistributionOptions,
  ) {
    const { validateArgs = true } = checkOptions(new.target.name, options, distributionOptions);
    check(new.target.name, 'batchShape', batchShape, is.arrayOf(is.size));
    check(new.target.name, 'eventShape', eventShape, is.arrayOf(is.size));
    this.validateArgs = validateArgs;
  }

  /** The mean, `[...batchShape, ...eventShape]`. */
  get mean(): Tensor {
    return this.lacks('mean');
  }

  /** The variance, `[...batchShape, ...eventShape]`. */
  get variance(): Tensor {
    return this.lacks('variance');
  }

  /** The standard deviation, `[...batchShape, ...eventShape]`. */
  get stddev(): Tensor {
    return this.variance.sqrt();
  }

  /** The most likely value, `[...batchShape, ...eventShape]`. */
  get mode(): Tensor {
    return this.lacks('mode');
  }

  /**
   * The same distribution with its batch expanded to `batchShape`: dimensions of size 1 repeat, and new ones come
   * first. No memory is copied.
   *
   * ```ts
   * new Normal(zeros([3]), 1).expand([2, 3]).sample().shape; // [2, 3]
   * ```
   */
  expand(batchShape: Shape): this {
    check(`${this.constructor.name}.expand`, 'batchShape', batchShape, is.arrayOf(is.size));
    const before = this.batchShape;
    const wide = (t: Tensor): Tensor => {
      // What only broadcasts with the batch stays, as a temperature of one number.
      if (!before.every((n, d) => n === t.shape[d]) || t.ndim < before.length) return t;
      return t.expand([...batchShape, ...t.shape.slice(before.length)]);
    };
    const out = Object.create(Object.getPrototypeOf(this));
    try {
      for (const [name, value] of Object.entries(this))
        if (Tensor.is(value)) out[name] = wide(value);
        else out[name] = isOfBatch(value, before) ? value.expand(batchShape) : value;
      Object.assign(out, { batchShape: batchShape.slice() }, this.expandParts(batchShape));
    } catch (error) {
      throw inNameOf(`${this.constructor.name}.expand`, error);
    }
    return out;
  }

  /**
   * The distributions that this one is made of and that have another batch, by the names of its fields, expanded for a
   * batch of it.
   */
  protected expandParts(_batchShape: Shape): Record<string, Distribution> {
    return {};
  }

  /** Draws events `[...shape, ...batchShape, ...eventShape]`. Nothing is recorded. */
  sample(shape: Shape = [], options?: SampleOptions): Tensor {
    return noGrad.run(() => this.drawn('sample', shape, options).detach());
  }

  /**
   * Draws events `[...shape, ...batchShape, ...eventShape]` as a differentiable function of the parameters. Throws
   * where there is none, as for discrete distributions.
   */
  rsample(shape: Shape = [], options?: SampleOptions): Tensor {
    if (!this.hasRsample)
      throw new TypeError(
        `${this.constructor.name}: samples are not differentiable, so there is no rsample(); use sample() and logProb()`,
      );
    return this.drawn('rsample', shape, options);
  }

  /** Returns the log density or log probability of `value`, which broadcasts, with one number for each event. */
  logProb(value: TensorLike): Tensor {
    return this.logDensity(this.checkValue('logProb', value));
  }

  /** Returns the entropy in nats, `[...batchShape]`. */
  entropy(): Tensor {
    return this.lacks('entropy()');
  }

  /** Returns the exponential of the entropy, `[...batchShape]`. */
  perplexity(): Tensor {
    return this.entropy().exp();
  }

  /** Returns the probability of a draw of at most `value` (the distribution function). */
  cdf(_value: TensorLike): Tensor {
    return this.lacks('cdf()');
  }

  /** Returns the quantile: the value that a draw does not exceed with probability `p`. The inverse of `cdf`. */
  icdf(_p: TensorLike): Tensor {
    return this.lacks('icdf()');
  }

  /** Returns all values of a distribution over finitely many, along a new first dimension. */
  enumerateSupport(): Tensor {
    return this.lacks('enumerateSupport()');
  }

  /** The name and the shapes. */
  toString(): string {
    return `${this.constructor.name}(batchShape=[${this.batchShape.join(', ')}], eventShape=[${this.eventShape.join(', ')}])`;
  }

  /** Draws a tensor of `shape`, which ends with the batch and event shapes; differentiable if `hasRsample`. */
  protected abstract draw(shape: Shape, generator: Generator | undefined): Tensor;

  /** `logProb` of a value that has been checked. */
  protected abstract logDensity(value: Tensor): Tensor;

  /** Throws: this distribution has no such member. */
  protected lacks(what: string): never {
    throw new TypeError(`${this.constructor.name}: there is no ${what} of this distribution`);
  }

  /** Converts a value to a tensor and checks its shape and elements. */
  protected checkValue(method: string, value: TensorLike, support = this.support): Tensor {
    const op = `${this.constructor.name}.${method}`;
    const t = toTensor(op, 'the value', value);
    const end = [...this.batchShape, ...this.eventShape];
    const events = this.eventShape.length;
    if (t.ndim < events || !this.eventShape.every((size, i) => t.shape[t.ndim - events + i] === size))
      throw new ShapeError(
        op,
        `values must end with the event shape [${this.eventShape.join(', ')}], got [${t.shape.join(', ')}]`,
      );
    broadcastShapes(op, t.shape, end);
    if (this.validateArgs) support.check(op, 'the value', t);
    return t;
  }

  private drawn(method: string, shape: Shape, options: SampleOptions | undefined): Tensor {
    const op = `${this.constructor.name}.${method}`;
    check(op, 'the shape', shape, is.arrayOf(is.size));
    const { generator } = checkOptions(op, options, sampleOptions);
    try {
      return this.draw([...shape, ...this.batchShape, ...this.eventShape], generator);
    } catch (error) {
      throw inNameOf(op, error);
    }
  }

  /** @internal */
  get [brand](): object {
    return thisCopy;
  }
}

const isOfBatch = (value: unknown, batchShape: Shape): value is Distribution =>
  value instanceof Distribution && value.batchShape.join() === batchShape.join();

/** Converts a parameter or a value to a tensor. */
function toTensor(op: string, name: string, value: TensorLike, like?: Tensor): Tensor {
  if (Tensor.is(value)) return value;
  if (typeof value !== 'number') throw new TypeError(`${op}: ${name} must be a Tensor or a number, got ${show(value)}`);
  return tensor(value, like && { dtype: like.dtype, device: like.device });
}

/**
 * Converts parameters to tensors of a common shape; numbers take the dtype and device of the tensors. Each is checked
 * by its constraint, unless `validateArgs` is false.
 */
export function parametersOf<const N extends string>(
  op: string,
  values: Readonly<Record<N, TensorLike>>,
  constraints: ArgConstraints,
  options: DistributionOptions | undefined,
): Record<N, Tensor> {
  const names = Object.keys(values) as N[];
  const like = names.map((name) => values[name]).find((value): value is Tensor => Tensor.is(value));
  const tensors = named(op, broadcastTensors)(names.map((name) => toTensor(op, name, values[name], like)));
  const given = Object.fromEntries(names.map((name, i) => [name, tensors[i]!])) as Record<N, Tensor>;
  if (options?.validateArgs !== false) for (const name of names) constraints[name]!.check(op, name, given[name]);
  return given;
}
