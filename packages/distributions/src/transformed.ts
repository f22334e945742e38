import { type Generator, logicalXor, type Shape, ShapeError, Tensor, tensor, where } from '@gradgate/core';
import { check, is, show } from '@gradgate/core/internal';
import { type ArgConstraints, positive, real, unitInterval } from './constraints.js';
import { Distribution, type DistributionOptions, parametersOf, type TensorLike } from './distribution.js';
import { Normal } from './normal.js';
import { ExpTransform, eventDims, sumLast, type Transform, transform } from './transforms.js';

/**
 * The distribution of draws from `base` to which `transforms` are applied one after another.
 *
 * ```ts
 * const base = new Normal(zeros([2]), 1);
 * const bounded = new TransformedDistribution(base, [new TanhTransform()]);
 * bounded.logProb(tensor([0, 0.5])); // [-0.9189, -0.7821]
 * ```
 */
export class TransformedDistribution extends Distribution {
  /** The distribution of what is transformed. */
  readonly base: Distribution;
  /** What is applied to its draws, in this order. */
  readonly transforms: readonly Transform[];

  constructor(base: Distribution, transforms: Transform | readonly Transform[], options?: DistributionOptions) {
    const op = new.target.name;
    if (!(base instanceof Distribution)) throw new TypeError(`${op}: takes a distribution, got ${show(base)}`);
    const list = Array.isArray(transforms) ? transforms : [transforms];
    check(op, 'transforms', list, is.arrayOf(transform));
    const { domainDims, codomainDims } = eventDims(list);
    const events = base.eventShape.length;
    if (domainDims > events + base.batchShape.length)
      throw new ShapeError(op, `transforms take events of ${domainDims} dimensions, got ${base}`);
    // Dimensions of the batch that a transform takes as one event are no batch any more.
    const shape = list.reduce((s, t) => t.forwardShape?.(s) ?? s, [...base.batchShape, ...base.eventShape] as Shape);
    const dims = Math.max(events + codomainDims - domainDims, codomainDims);
    const at = shape.length - dims;
    super(shape.slice(0, at), shape.slice(at), { validateArgs: base.validateArgs, ...options });
    this.base = base;
    this.transforms = list;
  }

  get support() {
    return this.transforms.at(-1)?.codomain ?? this.base.support;
  }
  override get hasRsample(): boolean {
    return this.base.hasRsample;
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const sample = shape.slice(0, shape.length - this.batchShape.length - this.eventShape.length);
    const x = this.hasRsample ? this.base.rsample(sample, { generator }) : this.base.sample(sample, { generator });
    return this.transforms.reduce((y, t) => t.forward(y), x);
  }

  protected override logDensity(value: Tensor): Tensor {
    let [y, dims] = [value, this.eventShape.length];
    const logs: Tensor[] = [];
    for (const t of this.transforms.toReversed()) {
      const { domainDims = 0, codomainDims = 0 } = t;
      const x = t.inverse(y);
      dims += domainDims - codomainDims;
      logs.push(sumLast(t.logAbsDetJacobian(x, y), dims - domainDims));
      y = x;
    }
    const log = sumLast(this.base.logProb(y), dims - this.base.eventShape.length);
    return logs.reduce((sum, each) => sum.sub(each), log);
  }

  protected override expandParts(batchShape: Shape): Record<string, Distribution> {
    const { base } = this;
    return { base: base.expand([...batchShape, ...base.batchShape.slice(this.batchShape.length)]) };
  }

  override cdf(value: TensorLike): Tensor {
    this.checkElements('cdf()');
    const y = this.checkValue('cdf', value, real);
    const p = this.base.cdf(this.transforms.reduceRight((x, t) => t.inverse(x), y));
    return this.orient(p);
  }

  override icdf(p: TensorLike): Tensor {
    this.checkElements('icdf()');
    const x = this.base.icdf(this.orient(this.checkValue('icdf', p, unitInterval)));
    return this.transforms.reduce((y, t) => t.forward(y), x);
  }

  /** Vectors and matrices have no quantiles. */
  private checkElements(what: string): void {
    if (this.transforms.some(({ domainDims = 0, codomainDims = 0 }) => domainDims + codomainDims > 0)) this.lacks(what);
  }

  /** `p`, or `1 - p` where the composed transforms are decreasing. */
  private orient(p: Tensor): Tensor {
    const isDecreasing = this.transforms
      .map(({ isIncreasing }) =>
        Tensor.is(isIncreasing) ? isIncreasing.logicalNot() : tensor(!isIncreasing, { device: p.device }),
      )
      .reduce((a, b) => logicalXor(a, b), tensor(false, { device: p.device }));
    return where(isDecreasing, p.neg().add(1), p);
  }
}

/**
 * The log-normal distribution: of numbers whose logarithm is normal with mean `loc` and standard deviation `scale`.
 *
 * ```ts
 * const prices = new LogNormal(0, 1);
 * prices.mean; // 1.649
 * prices.logProb(1); // -0.9189
 * ```
 */
export class LogNormal extends TransformedDistribution {
  static override readonly argConstraints: ArgConstraints<'loc' | 'scale'> = Normal.argConstraints;
  /** The mean of the normal distribution, of the batch's shape. */
  readonly loc: Tensor;
  /** Its standard deviation: above 0, of the batch's shape. */
  readonly scale: Tensor;

  constructor(loc: TensorLike, scale: TensorLike, options?: DistributionOptions) {
    const given = parametersOf('LogNormal', { loc, scale }, LogNormal.argConstraints, options);
    const base = new Normal(given.loc, given.scale, { validateArgs: false });
    super(base, new ExpTransform(), options);
    this.loc = base.loc;
    this.scale = base.scale;
  }

  override get support() {
    return positive;
  }
  override get mean(): Tensor {
    return this.loc.add(this.scale.square().mul(0.5)).exp();
  }
  override get mode(): Tensor {
    return this.loc.sub(this.scale.square()).exp();
  }
  override get variance(): Tensor {
    const square = this.scale.square();
    return square.expm1().mul(this.loc.mul(2).add(square).exp());
  }

  override entropy(): Tensor {
    return this.base.entropy().add(this.loc);
  }
}
