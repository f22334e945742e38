import { broadcastTensors, type Generator, noGrad, type Shape, ShapeError, Tensor, tensor } from '@gradgate/core';
import { broadcastShapes, check, checkOptions, inNameOf, is, show } from '@gradgate/core/internal';
import type { Constraint } from './constraints.js';

/** What parameters and values may be: a tensor, or one number. */
export type TensorLike = Tensor | number;

export interface DistributionOptions {
  /**
   * Whether parameters and values are checked; true by default. A check reads a tensor, so it costs time. On a device whose
   * values are not there at once numbers are not checked.
   */
  validateArgs?: boolean;
}

export interface SampleOptions {
  /** Where the random numbers come from: the flow's generator by default. */
  generator?: Generator;
}

const distributionOptions = { validateArgs: is.boolean };
const sampleOptions = { generator: is.generator };

/**
 * Base class of distributions, which are over events of shape `eventShape`, independent ones of shape `batchShape`.
 * Parameters may require grad: `logProb`, `entropy` and `rsample` are differentiable in them.
 *
 * A distribution of your own gives its shapes to the constructor, its `support`, `draw` and `logDensity`, and as many of the
 * others as it has.
 */
export abstract class Distribution {
  /** Whether samples carry gradients: whether there is `rsample`. */
  get hasRsample(): boolean {
    return false;
  }
  /** What values may be. */
  abstract readonly support: Constraint;
  /** Whether parameters and values are checked. */
  readonly validateArgs: boolean;

  constructor(
    /** The shape of what is independent. */
    readonly batchShape: Shape,
    /** The shape of one event; `[]` where events are numbers. */
    readonly eventShape: Shape,
    options?: DistributionOptions,
  ) {
    const { validateArgs = true } = checkOptions(new.target.name, options, distributionOptions);
    check(new.target.name, 'batchShape', batchShape, is.arrayOf(is.size));
    check(new.target.name, 'eventShape', eventShape, is.arrayOf(is.size));
    this.validateArgs = validateArgs;
  }

  /** The mean, of shape `[...batchShape, ...eventShape]`. */
  get mean(): Tensor {
    return this.lacks('mean');
  }

  /** The variance, of shape `[...batchShape, ...eventShape]`. */
  get variance(): Tensor {
    return this.lacks('variance');
  }

  /** The standard deviation, of shape `[...batchShape, ...eventShape]`. */
  get stddev(): Tensor {
    return this.variance.sqrt();
  }

  /** The most likely value, of shape `[...batchShape, ...eventShape]`. */
  get mode(): Tensor {
    return this.lacks('mode');
  }

  /** Draws events, `[...shape, ...batchShape, ...eventShape]`, by the flow's generator. Not recorded. */
  sample(shape: Shape = [], options?: SampleOptions): Tensor {
    return noGrad.run(() => this.#drawn('sample', shape, options).detach());
  }

  /**
   * Draws events, `[...shape, ...batchShape, ...eventShape]`, as a function of the parameters: gradients flow through it.
   * Throws where there is no such function, as of whole numbers.
   */
  rsample(shape: Shape = [], options?: SampleOptions): Tensor {
    if (!this.hasRsample)
      throw new TypeError(
        `${this.#name}: samples carry no gradient, so there is no rsample(); use sample() and logProb()`,
      );
    return this.#drawn('rsample', shape, options);
  }

  /** The logarithm of the density or probability of `value`, which broadcasts; events are summed to one number. */
  logProb(value: TensorLike): Tensor {
    return this.logDensity(this.checkValue('logProb', value));
  }

  /** How uncertain an event is, in nats: `[...batchShape]`. */
  entropy(): Tensor {
    return this.lacks('entropy()');
  }

  /** The exponential of the entropy. */
  perplexity(): Tensor {
    return this.entropy().exp();
  }

  /** The probability of at most `value`. */
  cdf(_value: TensorLike): Tensor {
    return this.lacks('cdf()');
  }

  /** The value that is not exceeded with probability `p`: the reverse of `cdf`. */
  icdf(_p: TensorLike): Tensor {
    return this.lacks('icdf()');
  }

  /** All values that there are, along a new first dimension: of distributions over finitely many. */
  enumerateSupport(): Tensor {
    return this.lacks('enumerateSupport()');
  }

  toString(): string {
    return `${this.#name}(batchShape=[${this.batchShape.join(', ')}], eventShape=[${this.eventShape.join(', ')}])`;
  }

  /** Draws a tensor of this shape, which ends with those of batch and event; recorded where there is `rsample`. */
  protected abstract draw(shape: Shape, generator: Generator | undefined): Tensor;

  /** `logProb` of a value that is checked. */
  protected abstract logDensity(value: Tensor): Tensor;

  /** Refuses what this distribution has not. */
  protected lacks(what: string): never {
    throw new TypeError(`${this.#name}: there is no ${what} of this distribution`);
  }

  /** A value as a tensor, checked to be of this distribution. */
  protected checkValue(method: string, value: TensorLike, support = this.support): Tensor {
    const op = `${this.#name}.${method}`;
    const t = toTensor(op, 'the value', value);
    const end = [...this.batchShape, ...this.eventShape];
    const events = this.eventShape.length;
    if (t.ndim < events || !this.eventShape.every((size, i) => t.shape[t.ndim - events + i] === size))
      throw new ShapeError(op, `events are [${this.eventShape.join(', ')}], got a value of [${t.shape.join(', ')}]`);
    broadcastShapes(op, t.shape, end);
    if (this.validateArgs) support.check(op, 'the value', t);
    return t;
  }

  #drawn(method: string, shape: Shape, options: SampleOptions | undefined): Tensor {
    const op = `${this.#name}.${method}`;
    check(op, 'the shape', shape, is.arrayOf(is.size));
    const { generator } = checkOptions(op, options, sampleOptions);
    try {
      return this.draw([...shape, ...this.batchShape, ...this.eventShape], generator);
    } catch (error) {
      throw inNameOf(op, error);
    }
  }

  get #name(): string {
    return this.constructor.name;
  }
}

/** A parameter or a value as a tensor. */
function toTensor(op: string, name: string, value: TensorLike, like?: Tensor): Tensor {
  if (Tensor.is(value)) return value;
  if (typeof value !== 'number') throw new TypeError(`${op}: ${name} is a Tensor or a number, got ${show(value)}`);
  return tensor(value, like && { dtype: like.dtype, device: like.device });
}

/**
 * Parameters as tensors of one shape: numbers take the dtype and device of the tensors beside them. Each is checked by its
 * constraint, unless the options say otherwise.
 */
export function parametersOf<const N extends string>(
  op: string,
  values: Readonly<Record<N, TensorLike>>,
  constraints: Readonly<Record<N, Constraint>>,
  options: DistributionOptions | undefined,
): Record<N, Tensor> {
  const names = Object.keys(values) as N[];
  const like = names.map((name) => values[name]).find((value): value is Tensor => Tensor.is(value));
  const tensors = broadcastTensors(names.map((name) => toTensor(op, name, values[name], like)));
  const given = Object.fromEntries(names.map((name, i) => [name, tensors[i]!])) as Record<N, Tensor>;
  if (options?.validateArgs !== false) for (const name of names) constraints[name].check(op, name, given[name]);
  return given;
}
